"""A medium that hangs in the kernel: its keeper may hang with it, nothing else may."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.root


@pytest.fixture
def medium(tmp_path: Path, made_up) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """A mounted file system of our own with three surveys on it, and the process that serves it."""
    if not Path("/dev/fuse").exists():
        pytest.skip("no /dev/fuse")
    point, source = tmp_path / "medium", tmp_path / "source"
    point.mkdir()
    source.mkdir()
    files = []
    for number in range(3):
        (source / f"on_medium{number}.csv").write_bytes(made_up.survey(seed=900 + number))
        files.append(str(source / f"on_medium{number}.csv"))
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("fuse_server.py")), str(point), *files],
        stdout=subprocess.PIPE,
    )
    assert server.stdout is not None and server.stdout.readline() == b"mounted\n"
    yield point, server
    server.kill()  # the kernel then frees everybody who waits
    server.wait()
    with contextlib.suppress(OSError):
        subprocess.run(["umount", "-l", str(point)], capture_output=True, check=False)


def of(service, point: Path) -> dict:
    status = service.status()
    return next((r for r in status["roots"] if r["path"] == str(point)), {}) if status else {}


def watch(service, point: Path) -> Path:
    service.settings["watch.volumes"] = {
        "removable": True,
        "shares": False,
        "treat_as_removable": [str(point)],
    }
    service.settings["service"]["stuck_seconds"] = 2.0
    service.settings["watch"]["sweep_seconds"] = 1.0
    service.settings["limits"] = {"examine_seconds": 3.0}
    return service.root()


def lives_on(service, root: Path, made_up, drop, name: str) -> None:
    """The other root is served as ever, and the service answers at once."""
    started = time.monotonic()
    assert service.status() is not None
    assert time.monotonic() - started < 10.0
    service.caught(drop(root / name, made_up.survey(seed=hash(name) % 999)))


def test_a_hung_medium_hangs_only_its_keeper_and_shows_as_stuck(service, medium, made_up, drop):
    point, server = medium
    root = watch(service, point)
    service.start()
    made_up.wait(lambda: of(service, point), "the medium is a root")
    server.send_signal(signal.SIGUSR1)
    made_up.wait(lambda: of(service, point).get("state") == "stuck", "the root shows as stuck", 60)
    for number in range(5):
        lives_on(service, root, made_up, drop, f"meanwhile{number}.csv")
    assert of(service, point)["state"] == "stuck"


def test_a_medium_that_hangs_in_the_middle_of_a_read_holds_up_nobody_else(service, medium, made_up, drop):
    point, server = medium
    server.send_signal(signal.SIGUSR2)
    time.sleep(0.2)
    root = watch(service, point)
    service.start(wait=False)
    made_up.wait(lambda: of(service, root).get("swept"), "the other root was swept", 60)
    for number in range(8):
        lives_on(service, root, made_up, drop, f"meanwhile{number}.csv")
        time.sleep(0.5)


def test_the_service_ends_though_a_keeper_cannot(service, medium, made_up):
    point, server = medium
    watch(service, point)
    service.start()
    made_up.wait(lambda: of(service, point), "the medium is a root")
    server.send_signal(signal.SIGUSR1)
    made_up.wait(lambda: of(service, point).get("state") == "stuck", "the root shows as stuck", 60)
    service.process.terminate()
    assert service.process.wait(60) == 0


def test_a_medium_that_answers_again_is_covered_again(service, medium, made_up, drop):
    point, server = medium
    root = watch(service, point)
    service.start()
    made_up.wait(lambda: of(service, point), "the medium is a root")
    server.send_signal(signal.SIGUSR1)
    made_up.wait(lambda: of(service, point).get("state") == "stuck", "the root shows as stuck", 60)
    server.kill()
    server.wait()
    subprocess.run(["umount", "-l", str(point)], check=True)
    made_up.wait(lambda: not of(service, point), "the root is gone", 60)
    lives_on(service, root, made_up, drop, "after.csv")
