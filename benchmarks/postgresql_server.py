"""A PostgreSQL of the machine's own packages, in a folder of its own, on a socket in that folder only."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BINARIES = Path("/usr/lib/postgresql")


def binaries() -> Path | None:
    """Where the newest installed version's programs are, or None."""
    found = sorted(_BINARIES.glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def postgresql(settings: dict[str, str] | None = None) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database. As root it runs as the user `postgres`, as it must."""
    programs = binaries()
    assert programs is not None
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if as_user:
        shutil.chown(folder, "postgres")
    data, log = folder / "data", folder / "log"
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}

    def run(*words: object) -> None:
        words = (*as_user, *map(str, words))
        done = subprocess.run(
            words, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, (words, done.stderr[-2000:])

    options = {"listen_addresses": "", "unix_socket_directories": str(folder), **(settings or {})}
    words = " ".join(f"-c {key}={value or repr('')}" for key, value in options.items())
    try:
        run(programs / "initdb", "-D", data, "-A", "trust", "-U", "console", "-E", "UTF8")
        # to a file, not a pipe: the server keeps what it inherits
        run(programs / "pg_ctl", "-D", data, "-l", log, "-o", words, "-w", "-t", "90", "start")
        yield f"postgresql+psycopg://console@/postgres?host={folder}"
    finally:
        if (data / "postmaster.pid").exists():
            run(programs / "pg_ctl", "-D", data, "-m", "fast", "-w", "-t", "90", "stop")
        shutil.rmtree(folder, ignore_errors=True)
