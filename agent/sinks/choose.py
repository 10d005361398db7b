"""From the courier's orders to its sinks: the one place that knows them all.

A sink's module is loaded only if it is wanted, since TLS and HTTP are not small.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any, cast

from agent.sinks.file import FileSink
from agent.sinks.sink import Sink

_SINKS = {
    "syslog": ("agent.sinks.syslog", "SyslogSink"),
    "journal": ("agent.sinks.journal", "JournalSink"),
    "mail": ("agent.sinks.mail", "MailSink"),
    "webhook": ("agent.sinks.webhook", "WebhookSink"),
    "slack": ("agent.sinks.chat", "SlackSink"),
    "teams": ("agent.sinks.chat", "TeamsSink"),
    "console": ("agent.sinks.console", "ConsoleSink"),
    "splunk": ("agent.sinks.splunk", "SplunkSink"),
}


def load(names: Iterable[str]) -> None:
    """Load the code of these sinks, while we may still open files."""
    for name in names:
        if name in _SINKS:
            import_module(_SINKS[name][0])


def build(plain: Mapping[str, Mapping[str, Any]], file_fd: int | None) -> dict[str, Sink]:
    """The sinks by name: `file` needs its descriptor, the others their settings."""
    sinks: dict[str, Sink] = {}
    for name, options in plain.items():
        if name == "file" and file_fd is not None:
            sinks[name] = FileSink(file_fd)
        elif name in _SINKS:
            module, kind = _SINKS[name]
            sinks[name] = cast(Sink, getattr(import_module(module), kind)(**options))
        else:
            raise ValueError("unknown sink")
    return sinks
