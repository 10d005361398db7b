"""A service for each test, a user without privileges to run it, and made-up files."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
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


@pytest.fixture
def ordinary_service(service: RunningService, ordinary_python: str) -> RunningService:
    """The same as `service`, run by a user without any privilege."""
    if os.geteuid() == 0:
        user = pwd.getpwnam("daemon").pw_uid
        service.python, service.user = ordinary_python, user
        os.chown(service.base, user, user)
        os.chown(service.key_file, user, user)
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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def soon(ready: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "in vain"
        time.sleep(0.05)


@pytest.fixture
def samba(need: Callable[..., None]) -> Iterator[tuple[Path, Path]]:
    """A real Samba server on loopback, mounted by rclone: (folder on the server, mount point)."""
    need("smbd", "rclone", "fusermount3")
    base = Path(tempfile.mkdtemp(prefix="rw-samba-"))
    base.chmod(0o755)
    port = free_port()
    for name in ("server", "mnt", "private", "cache"):
        (base / name).mkdir()
    (base / "server").chmod(0o777)
    (base / "smb.conf").write_text(
        f"[global]\nsmb ports = {port}\ninterfaces = lo\nbind interfaces only = yes\n"
        f"map to guest = Bad User\n"
        f"disable netbios = yes\nload printers = no\nlog file = {base}/log\n"
        + "".join(
            f"{key} = {base}/private\n"
            for key in (
                "private dir",
                "lock directory",
                "state directory",
                "cache directory",
                "pid directory",
            )
        )
        + f"[sh]\npath = {base}/server\nguest ok = yes\nread only = no\nforce user = root\n"
    )
    smbd = ["smbd", "--foreground", "--no-process-group", "-s", str(base / "smb.conf")]
    with (base / "smbd.out").open("wb") as out:
        # in a session of its own: when it ends it ends its whole process group
        server = subprocess.Popen(
            smbd, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True
        )
    mount = None
    try:
        soon(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
        remote = f":smb,host=127.0.0.1,port={port},user=guest:sh"
        command = ["rclone", "mount", remote, str(base / "mnt"), "--dir-cache-time", "1s"]
        command += [
            "--vfs-cache-mode",
            "writes",
            "--vfs-write-back",
            "0s",
            "--cache-dir",
            str(base / "cache"),
        ]
        with (base / "rclone.out").open("wb") as out:
            env = {**os.environ, "RCLONE_CONFIG": "/dev/null"}
            mount = subprocess.Popen([*command, "--allow-other"], stdout=out, stderr=out, env=env)
        soon(lambda: os.path.ismount(base / "mnt"))
        yield base / "server", base / "mnt"
    finally:
        subprocess.run(["umount", "-l", str(base / "mnt")], capture_output=True, check=False)
        for process in (mount, server):
            if process is not None:
                process.terminate()
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    process.kill()
        shutil.rmtree(base, ignore_errors=True)
