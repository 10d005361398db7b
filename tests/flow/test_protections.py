"""The walls around the workers: all of them up as root, and an honest list of what is missing else."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys

import pytest

from config.settings import Protection


@pytest.mark.root
def test_as_root_on_this_kernel_every_protection_is_on(service, made_up):
    service.root()
    service.settings["service"]["require"] = [p.value for p in Protection]
    service.start()
    every = {p.value for p in Protection}
    made_up.wait(lambda: set(service.status()["protections"]["present"]) == every, "all of them are on")
    assert service.status()["protections"]["missing"] == {}


@pytest.mark.root
def test_a_process_that_needs_no_root_has_none(service, made_up, drop):
    service.root()
    service.start()
    nobody = pwd.getpwnam("nobody").pw_uid
    for role in ("template", "courier"):
        (process,) = service.processes(role)
        assert set(process.uids()) == {nobody}, role


@pytest.mark.root
def test_the_supervisor_holds_nothing_of_a_watched_place(service, made_up, drop):
    root = service.root()
    service.start()
    service.caught(drop(root / "wave4.csv", made_up.survey()))
    (supervisor,) = service.processes("supervisor")
    held = [os.readlink(f"/proc/{supervisor.pid}/fd/{n}") for n in os.listdir(f"/proc/{supervisor.pid}/fd")]
    assert not [h for h in held if h.startswith(str(root))]


@pytest.mark.root
def test_a_loaded_parser_is_never_in_a_privileged_process(service, made_up, drop):
    root = service.root()
    service.start()
    service.caught(drop(root / "wave4.csv", made_up.survey()))
    for role in ("supervisor", "keeper"):
        for process in service.processes(role):
            mapped = {m.path for m in process.memory_maps()}
            assert not [
                m for m in mapped for parser in ("magic", "numpy", "pandas", "arrow", "re2") if parser in m
            ]


def as_nobody() -> None:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


@pytest.mark.root
def test_state_is_closed_to_ordinary_users(service, made_up, drop):
    root = service.root()
    service.start()
    service.caught(drop(root / "wave4.csv", made_up.survey()))
    for path in [service.state, *service.state.rglob("*")]:
        assert path.lstat().st_mode & 0o077 == 0, path
        assert path.lstat().st_uid == 0, path
    done = subprocess.run(["ls", str(service.state)], preexec_fn=as_nobody, capture_output=True, check=False)
    assert done.returncode != 0


def test_without_root_it_runs_and_names_what_is_missing(ordinary_service, made_up, drop):
    root = ordinary_service.root()
    ordinary_service.start()
    expected = {"worker_user", "courier_user", "private_mount"}
    made_up.wait(
        lambda: expected <= set(ordinary_service.status()["protections"]["missing"]), "status names them"
    )
    assert all(name in ordinary_service.log() for name in expected)
    assert not expected & set(ordinary_service.status()["protections"]["present"])
    ordinary_service.caught(drop(root / "wave4.csv", made_up.survey()))


def test_a_compulsory_protection_that_is_missing_refuses_to_start(service):
    """As an ordinary user; as root the same by a user that does not exist."""
    service.root()
    service.settings["service"] |= {"require": ["worker_user"], "worker_user": "no-such-user-here"}
    service.start(wait=False)
    assert service.process.wait(60) not in (0, None)
    assert "worker_user" in service.log()


def test_the_command_is_the_environments_own(service):
    """Neither the current folder nor PYTHONPATH can put another `agent` in its place."""
    (service.base / "agent").mkdir()
    (service.base / "agent" / "__init__.py").write_text("raise SystemExit('shadowed')")
    done = subprocess.run(
        [sys.executable, "-I", "-m", "agent", "--version"],
        cwd=service.base,
        env={**os.environ, "PYTHONPATH": str(service.base)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
