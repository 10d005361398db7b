"""What `status` tells, from a service that really runs: see `agent.condition`."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from running_service import MadeUp, RunningService, put, until


@pytest.fixture(scope="module")
def service() -> Iterator[RunningService]:
    base = Path(tempfile.mkdtemp(prefix="rw-condition-"))
    running = RunningService(base)
    running.root()
    running.start()
    yield running
    running.stop()
    shutil.rmtree(base, ignore_errors=True)


def test_every_process_root_and_sink_is_told(service: RunningService) -> None:
    status = service.status()
    assert status is not None
    [root] = status["roots"]
    assert root["path"] == str(service.base / "root")
    assert (root["zone"], root["mode"], root["origin"]) == ("shared", "enforce", "configured")
    assert root["state"] == "native" and root["swept"]["complete"]
    assert service.process is not None and status["pid"] == service.process.pid
    assert root["pid"] in [p.pid for p in service.processes("keeper")]
    assert set(status["template"]) <= {p.pid for p in service.processes("template")}
    assert [status["courier"]] == [p.pid for p in service.processes("courier")]
    assert list(status["sinks"]) == ["file"]


def test_what_was_taken_and_what_could_not_be_examined_is_counted(service: RunningService) -> None:
    root = service.base / "root"
    put(root / "broken.xlsx", b"PK\x03\x04" + b"\x00" * 400)
    service.caught(put(root / "a.csv", MadeUp.survey()))
    service.settled()
    status = service.status()
    assert status is not None
    assert status["custody"]["quarantined"] == 1
    assert sum(status["roots"][0]["not_examined"].values()) == 1
    until(lambda: (service.status() or {})["sinks"]["file"]["delivered"] == 1, "the alert is delivered")


def test_it_is_plain_json_and_names_no_content(service: RunningService) -> None:
    assert "caseno" not in json.dumps(service.status())
