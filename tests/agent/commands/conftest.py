"""One real service for all tests of the commands that ask it: it has taken a file and left one alone."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.cli import run
from agent.commands.demo_service import DemoService
from agent.demo_files import demo_files


@contextmanager
def serving(approvers: str) -> Iterator[DemoService]:
    """A service that has taken `survey_2026.csv` and `staff.zip` out of its root."""
    with tempfile.TemporaryDirectory(prefix="rw-commands-") as folder, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("RECORDWARDEN_")]:
            patch.delenv(name)
        service = DemoService(Path(folder).resolve())
        service.prepare()
        service.config.write_text(service.config.read_text() + approvers)
        service.start()
        try:
            service.wait_until_up()
            for file in demo_files():
                if file.name in ("survey_2026.csv", "staff.zip"):
                    (service.watched / file.name).write_bytes(file.content)
                    service.entry_of(service.watched / file.name)
            yield service
        finally:
            service.stop()


@pytest.fixture(scope="session")
def running(agreed: Any) -> Iterator[DemoService]:
    """One for all; whoever leaves things otherwise than found uses `own_service`."""
    with serving(agreed.owner.stanza() + agreed.officer.stanza()) as service:
        yield service


@pytest.fixture(scope="module")
def own_service(agreed: Any) -> Iterator[DemoService]:
    with serving(agreed.owner.stanza() + agreed.officer.stanza()) as service:
        yield service


@pytest.fixture
def typed(running: DemoService, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Types a command at the running service; gives back its exit code, output and errors."""

    def typed(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run([*arguments, "--config", str(running.config)])
        out, err = capsys.readouterr()
        return code, out, err

    return typed


@pytest.fixture
def objects(typed: Callable[..., tuple[int, str, str]]) -> Callable[..., list[dict[str, Any]]]:
    """The same with `--json`, as the objects that were printed."""

    def objects(*arguments: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in typed(*arguments, "--json")[1].splitlines()]

    return objects
