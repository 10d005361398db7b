"""`make run`: the whole thing shown on made-up files, as root and as an ordinary user."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ORDINARY = pwd.getpwnam("daemon").pw_uid
CHECKOUT = Path(__file__).resolve().parents[2]


def shows_the_whole_path(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout + done.stderr
    for word in ("survey", "statistic", "restored", "scan"):
        assert word in said.lower(), said
    assert "Traceback" not in said


def left_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_the_demo_shows_the_whole_path_and_leaves_nothing_behind(tmp_path):
    done = subprocess.run(
        [sys.executable, "-I", "-m", "agent", "demo"],
        capture_output=True, text=True, timeout=120, check=False, env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    shows_the_whole_path(done)


@pytest.mark.root
def test_the_demo_runs_as_an_ordinary_user(ordinary_python):
    with tempfile.TemporaryDirectory(prefix="rw-demo-") as folder:
        os.chown(folder, ORDINARY, ORDINARY)
        done = subprocess.run(
            [ordinary_python, "-I", "-m", "agent", "demo"],
            capture_output=True, text=True, timeout=120, check=False, cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8"},
            user=ORDINARY, group=ORDINARY, extra_groups=[],
        )  # fmt: skip
        shows_the_whole_path(done)


@pytest.mark.system
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("user", [None, ORDINARY], ids=["root", "ordinary user"])
def test_a_fresh_clone_runs_with_nothing_else_typed(user):
    """Sets up a new environment from the lock file: needs the package index."""
    if user is not None and os.geteuid() != 0:
        pytest.skip("needs root to become somebody else")
    with tempfile.TemporaryDirectory(prefix="rw-clone-") as folder:
        clone = Path(folder) / "recordwarden"
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(CHECKOUT), str(clone)], check=True)
        become = {}
        if user is not None:
            subprocess.run(["chown", "-R", f"{user}:{user}", folder], check=True)
            become = {"user": user, "group": user, "extra_groups": []}
        index = {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "SSL_", "REQUESTS_"))}
        done = subprocess.run(
            ["make", "run", "PYTHON=/usr/bin/python3"],
            cwd=clone, capture_output=True, text=True, timeout=1500, check=False,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": folder, "LANG": "C.UTF-8", **index},
            **become,
        )  # fmt: skip
        shows_the_whole_path(done)
