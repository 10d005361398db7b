"""A service for each test, a user without privileges to run it, and made-up files."""

from __future__ import annotations

import os
import pwd
import shutil
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
