"""A service that tells all kinds of servers, each of them stopped for a while: nothing is lost or doubled."""

from __future__ import annotations

import itertools
import json
import secrets

import pytest
from certificates import Authority
from console_place import ConsolePlace
from mail_place import MailPlace
from rsyslog_place import RsyslogPlace
from web_places import SplunkPlace, WebhookPlace

from agent.commands.keys import write_signing_key
from agent.signing import public_of

FILES = 6


@pytest.fixture
def places(tmp_path, need):
    need("rsyslogd")
    authority = Authority(tmp_path)
    folders = {name: tmp_path / name for name in ("console", "mail", "splunk", "syslog", "webhook")}
    for folder in folders.values():
        folder.mkdir()
    found = {
        "console": ConsolePlace(folders["console"], authority),
        "mail": MailPlace(folders["mail"], authority),
        "splunk": SplunkPlace(folders["splunk"], authority),
        "syslog": RsyslogPlace(folders["syslog"], authority),
        "webhook": WebhookPlace(folders["webhook"], authority),
    }
    yield found
    for place in found.values():
        place.close()


def configure(service, places, tmp_path):
    for name in ("mail", "splunk", "webhook"):
        file = tmp_path / f"{name}.secret"
        file.write_text(places[name].secret)
        file.chmod(0o600)
    ca = {"ca_file": tmp_path / "made-up-authority.pem", "timeout_seconds": 30}
    web = {
        "webhook": {"secret_file": tmp_path / "webhook.secret"},
        "splunk": {"token_file": tmp_path / "splunk.secret", "index": "dlp"},
        "console": {"key_file": tmp_path / "agent.pem"},
    }
    for name, keys in web.items():
        url = places[name].url.removesuffix("/services/collector/event")
        service.settings[f"alerts.{name}"] = {"url": url, **keys, **ca}
    service.settings["alerts.syslog"] = {
        "transport": "tls", "host": "127.0.0.1", "port": places["syslog"].port, **ca,
    }  # fmt: skip
    service.settings["alerts.mail"] = {
        "host": "127.0.0.1", "port": places["mail"].port, "sender": "warden@dept.example", "user": "warden",
        "recipients": ["security@dept.example"], "password_file": tmp_path / "mail.secret",
        "every_seconds": 0.5, **ca,
    }  # fmt: skip
    service.settings["alerts"] |= {"heartbeat_seconds": 0, "retry_max_seconds": 1.0}
    write_signing_key(tmp_path / "agent.pem")


def settled(service):
    sinks = service.status()["sinks"]
    return all(s["pending"] == 0 for s in sinks.values()) and sinks


def test_each_is_stopped_for_a_while_and_every_alert_arrives_counted_once(
    service, made_up, drop, places, tmp_path, wait_until
):
    configure(service, places, tmp_path)
    root = service.root()
    service.start()
    host_id = (service.state / "host_id").read_text().strip()
    places["console"].enrol(host_id, (tmp_path / "agent.pem").read_bytes())

    def take(name):
        service.caught(drop(root / name, made_up.survey()))

    take("a0.csv")
    wait_until(lambda: settled(service), "the first has arrived everywhere", 60)
    for place in places.values():
        place.refuse()
    for n in range(1, FILES - 1):
        take(f"a{n}.csv")
    marks = [f"Zq{secrets.token_hex(8)}Kw" for _ in range(200)]
    wait_until(lambda: all(service.status()["sinks"][name]["error"] for name in places), "all are missed", 60)
    for place in places.values():
        place.accept()
    lines = made_up.survey().decode().splitlines()
    marked = [f"{line},{mark}" for line, mark in zip(lines, itertools.cycle(marks), strict=False)]
    service.caught(drop(root / f"a{FILES - 1}.csv", "\r\n".join(marked).encode()))
    wait_until(lambda: settled(service), "all have arrived", 60)
    ids = {r["finding_info"]["uid"] for r in service.alerts()}
    assert len(ids) == FILES

    def told(name):
        place = places[name]
        if name == "mail":
            texts = [place.text(m) for m in place.received()]
            return [i for i in ids for text in texts for _ in range(text.count(f"Alert:          {i}"))]
        return [i for m in place.received() for i in place.ids(m)]

    for name in places:
        wait_until(lambda name=name: set(told(name)) == ids, f"all are told to {name}", 60)
    for name in ("mail", "splunk", "webhook"):  # nothing was on its way when they stopped
        assert len(told(name)) == FILES, name
    assert places["console"].counted() == FILES
    sent = b"".join(m for place in places.values() for m in place.received())
    sent += b"".join(place.text(m).encode() for place in [places["mail"]] for m in place.received())
    assert not any(mark.encode() in sent for mark in marks)
    hidden = [places[n].secret for n in ("mail", "splunk", "webhook")]
    seen = service.log() + json.dumps(service.status()) + (service.state / "audit.jsonl").read_text()
    assert not any(secret in seen for secret in hidden)
    assert public_of((tmp_path / "agent.pem").read_bytes()) not in seen
