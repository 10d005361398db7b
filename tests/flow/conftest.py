"""A service for each test, a user without privileges to run it, and made-up files."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from running_service import MadeUp, RunningService, put, until


@pytest.fixture
def service() -> Iterator[RunningService]:
    """A service that is set up and not yet started; its folder may be entered by everybody."""
    base = Path(tempfile.mkdtemp(prefix="rw-flow-"))
    base.chmod(0o755)
    running = RunningService(base)
    yield running
    running.stop()
    shutil.rmtree(base, ignore_errors=True)


ORDINARY = pwd.getpwnam("daemon").pw_uid
"""A user that has nothing; not `nobody`, whom the service uses itself."""


def readable_by_all(path: Path) -> bool:
    return all(p.stat().st_mode & 0o005 == 0o005 for p in [path, *path.parents])


@pytest.fixture
def ordinary_python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An interpreter with our packages that an ordinary user can run, wherever the checkout lies.

    As root, what that user could not enter (a checkout or a Python under /root) is bind-mounted to a
    place that they can.
    """
    if os.geteuid() != 0:
        yield sys.executable
        return
    base = Path(tempfile.mkdtemp(prefix="rw-python-"))
    base.chmod(0o755)
    mounted: list[Path] = []

    def reachable(folder: Path, name: str) -> Path:
        if readable_by_all(folder):
            return folder
        view = base / name
        view.mkdir()
        subprocess.run(["mount", "--bind", str(folder), str(view)], check=True)
        mounted.append(view)
        return view

    try:
        home = reachable(Path(sys.base_prefix), "python")
        checkout = reachable(Path(__file__).resolve().parents[2], "checkout")
        packages = reachable(Path(pytest.__file__).resolve().parents[1], "packages")
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        venv = base / "venv"
        subprocess.run([str(home / "bin" / version), "-m", "venv", "--without-pip", str(venv)], check=True)
        paths = venv / "lib" / version / "site-packages" / "ours.pth"
        paths.write_text(f"{checkout}\n{packages}\n")
        yield str(venv / "bin" / "python")
    finally:
        for view in mounted:
            subprocess.run(["umount", "-l", str(view)], check=False)
            view.rmdir()  # never rmtree: were it still mounted, that would empty the checkout
        shutil.rmtree(base / "venv", ignore_errors=True)
        base.rmdir()


@pytest.fixture
def ordinary_service(service: RunningService, ordinary_python: str) -> RunningService:
    """The same as `service`, run by a user without any privilege."""
    if os.geteuid() == 0:
        service.python, service.user = ordinary_python, ORDINARY
        os.chown(service.base, ORDINARY, ORDINARY)
        os.chown(service.key_file, ORDINARY, ORDINARY)
    return service


@pytest.fixture
def made_up() -> type[MadeUp]:
    return MadeUp


@pytest.fixture
def wait_until() -> Callable[..., Any]:
    return until


@pytest.fixture
def drop() -> Callable[[Path, bytes], Path]:
    return put
