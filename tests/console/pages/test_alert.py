"""The page of one alert: whatever its names hold, they are text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from console.roles import Role

HOSTILE = {
    "markup": "<img src=x onerror=alert(1)>'\"&lt;",
    "attribute": '" autofocus onfocus="alert(1)',
    "terminal": "a\x1b]0;x\x07\x1b[2Jb\x00c",
    "direction": "\u202egnp.exe\u2066\u200f",
    "template": "{{ caller.csrf }}{% raw %}",
    "lines": "a\r\nSet-Cookie: x=1\n\u2028b",
    "long": "x" * 4096,
    "surrogate": "\udcff.csv",
}
PAGES = (
    "/alerts?state=all",
    "/alerts/agent-1-1",
    "/alerts/agent-1-2",
    "/custody",
    "/agents",
    "/agents/agent-1",
    "/trends",
    "/audit",
)


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_name_is_text_on_every_page(rig, kind):
    name = HOSTILE[kind]
    agent = rig.agent()
    whole = agent.alert(1, path="/srv/" + name, name=name, hostname=name[:200], disposition="quarantined")
    whole["finding_info"]["title"] = whole["finding_info"]["desc"] = name
    whole["unmapped"]["zone"] = whole["status_detail"] = name
    whole["unmapped"]["findings"][0] |= {"detector": name, "measure": name, "term": name}
    whole["unmapped"]["volume"] |= {"serial": name, "fstype": name}
    whole["actor"] = {"user": {"uid": name}, "process": {"name": name, "file": {"path": name}}}
    whole["unmapped"]["facts"] = {name: name}
    beat = agent.heartbeat(rig.now)
    beat["unmapped"]["coverage"][0] |= {"path": name, "fault": name, "coverage": name}
    beat["device"]["hostname"] = name[:200]
    assert rig.send(agent, whole, {**agent.alert(2), "file": {**whole["file"]}})["accepted"] == 2
    assert rig.send(agent, beat, to="/api/v1/heartbeats")["accepted"] == 1
    browser = rig.signed_in("all", *Role)
    for page in PAGES:
        answer = browser.get(page)
        if answer.status_code == 404:
            continue
        assert answer.status_code == 200 and answer.headers["content-type"] == "text/html; charset=utf-8"
        harmless(answer.text)


class Elements(HTMLParser):
    """Every element of a page with its attributes, as a browser sees them."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def harmless(text):
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2028\u2066-\u2069\u200f]", text)
    elements = Elements(text).found
    assert not {"img", "style", "iframe", "object", "base"} & {tag for tag, _ in elements}
    attributes = {name for _, attrs in elements for name in attrs}
    assert not {name for name in attributes if name.startswith(("on", "hx-on")) or name == "style"}
    scripts = {attrs["src"] for tag, attrs in elements if tag == "script"}
    assert scripts == {"/static/htmx.min.js", "/static/keys.js"}
    links = {attrs.get(name) or "" for _, attrs in elements for name in ("href", "action", "formaction")}
    assert all(link.startswith("/") or link in ("", "#main") for link in links)


def test_an_alert_that_is_not_there_is_not_found(rig):
    assert rig.signed_in("ann", Role.ANALYST).get("/alerts/nowhere").status_code == 404


def test_a_decision_can_be_taken_back_from_its_page(rig):
    agent = rig.agent()
    rig.send(agent, agent.alert(1))
    ann = rig.signed_in("ann", Role.ANALYST)
    form = {"csrf": ann.csrf, "alert": "agent-1-1", "determination": "inconclusive", "note": "one\n<two>"}
    ann.post("/alerts/decide", data=form)
    assert "one<br>&lt;two&gt;" in ann.get("/alerts/agent-1-1").text
    assert ann.post("/alerts/agent-1-1/reopen", data={"csrf": ann.csrf}).status_code == 303
    assert "Nothing is decided yet" in ann.get("/alerts/agent-1-1").text
