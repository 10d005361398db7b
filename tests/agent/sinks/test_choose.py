"""From orders to sinks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent.commands.keys import write_signing_key
from agent.destinations import names_of, sinks_of
from agent.sinks.choose import build
from agent.sinks.file import FileSink, open_file
from config.load import validate
from config.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """All destinations at once."""
    secret = tmp_path / "secret"
    secret.write_text("https://hooks.example/services/made-up\n")
    secret.chmod(0o600)
    key = tmp_path / "key.pem"
    write_signing_key(key)
    return validate(
        {
            "alerts": {
                "file": {"path": str(tmp_path / "a")},
                "syslog": {"transport": "tls", "host": "log.example"},
                "journal": {},
                "mail": {"host": "mail.example", "sender": "a@b.example", "recipients": ["c@d.example"]},
                "webhook": {"url": "https://siem.example/in", "secret_file": str(secret)},
                "slack": {"url_file": str(secret)},
                "teams": {"url_file": str(secret)},
                "console": {"url": "https://console.example", "key_file": str(key)},
                "splunk": {"url": "https://splunk.example:8088", "token_file": str(secret)},
            }
        },
        "test",
    )


def test_whatever_the_settings_allow_can_be_built(settings: Settings, tmp_path: Path) -> None:
    plain = sinks_of(settings.alerts)
    sinks = build(plain, open_file(tmp_path / "a"))
    assert list(sinks) == names_of(settings.alerts) == list(plain)
    assert len(sinks) == 9
    for sink in sinks.values():
        sink.close()


def test_a_file_without_its_descriptor_and_unknown_names_are_refused() -> None:
    for plain in ({"file": {}}, {"pigeon": {}}):
        with pytest.raises(ValueError):
            build(plain, None)
    assert build({}, None) == {}


def test_the_file_sink_is_for_the_file(tmp_path: Path) -> None:
    sink = build({"file": {}}, open_file(tmp_path / "a"))["file"]
    assert isinstance(sink, FileSink)
    sink.close()


def test_who_writes_to_a_file_only_loads_no_tls() -> None:
    code = (
        "import sys, agent.courier; from agent.sinks.choose import load; load(['file', 'journal']);"
        "print([m for m in ('ssl', 'http.client', 'smtplib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_supervisor_loads_no_sink_but_the_file() -> None:
    code = "import sys, agent.service; print(sorted(m for m in sys.modules if m.startswith('agent.sinks.')))"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['agent.sinks.choose', 'agent.sinks.file', 'agent.sinks.sink']"
