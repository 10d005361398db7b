"""From the courier's orders to its sinks: the one place that knows them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.sinks.file import FileSink
from agent.sinks.sink import Sink
from agent.sinks.syslog import SyslogSink


def build(plain: Mapping[str, Mapping[str, Any]], file_fd: int | None) -> dict[str, Sink]:
    """The sinks by name: `file` needs its descriptor, the others their settings."""
    sinks: dict[str, Sink] = {}
    for name, options in plain.items():
        match name:
            case "file" if file_fd is not None:
                sinks[name] = FileSink(file_fd)
            case "syslog":
                sinks[name] = SyslogSink(**options)
            case _:
                raise ValueError("unknown sink")
    return sinks
