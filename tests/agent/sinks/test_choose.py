"""From orders to sinks."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.dispatch import sinks_of
from agent.sinks.choose import build
from agent.sinks.file import FileSink, open_file
from agent.sinks.syslog import SyslogSink
from config.settings import Alerts
from config.settings import FileSink as FileSettings
from config.settings import SyslogSink as SyslogSettings


def test_whatever_the_settings_allow_can_be_built(tmp_path: Path) -> None:
    alerts = Alerts(file=FileSettings(path=tmp_path / "a"), syslog=SyslogSettings(transport="udp"))
    sinks = build(sinks_of(alerts), open_file(tmp_path / "a"))
    assert {name: type(sink) for name, sink in sinks.items()} == {"file": FileSink, "syslog": SyslogSink}
    sinks["file"].close()


def test_a_file_without_its_descriptor_and_unknown_names_are_refused() -> None:
    for plain in ({"file": {}}, {"pigeon": {}}):
        with pytest.raises(ValueError):
            build(plain, None)
    assert build({}, None) == {}
