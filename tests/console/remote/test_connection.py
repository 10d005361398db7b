"""Who is asked and with what: addresses, tokens, certificates; an analyst's task against a real console."""

from __future__ import annotations

import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from certificates import Authority
from made_up_agents import MadeUpAgent

from config.console import Console
from console import intake, people, sessions
from console.database import Database
from console.remote.connection import TOKEN_VARIABLE, Trouble, checked_url, target, token_of
from console.roles import Caller, Role
from console.schema import Agent

TOKEN = "rwp_" + "x" * 43
ANN = Caller("ann", frozenset({Role.ANALYST}))
PASSWORD = "correct horse battery"


@pytest.mark.parametrize(
    "url",
    ["", "console.example.org", "ftp://127.0.0.1", "http://console.example.org", "http://10.0.0.1:8710",
     "https://console.example.org/elsewhere", "https://a.example/?x=1", "https://[::1", "https://a:b",
     "http://127.0.0.1.example.org", "http://localhost@example.org"],
)  # fmt: skip
def test_a_token_never_crosses_a_network_in_the_clear(url):
    with pytest.raises(Trouble) as told:
        checked_url(url)
    assert told.value.exit_code == 2


@pytest.mark.parametrize("url", ["https://c.example:8710/", "http://localhost:1", "http://[::1]:8710"])
def test_an_address_that_is_one(url):
    assert checked_url(url) == url.rstrip("/")


def test_a_step_of_the_path_stays_one_step_whatever_is_in_it():
    assert target(("alerts", "../../sign-out?x#y"), {}) == "/api/v1/alerts/..%2F..%2Fsign-out%3Fx%23y"
    assert target(("alerts",), {"q": "a&b", "zone": "", "after": None}) == "/api/v1/alerts?q=a%26b"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o622])
def test_a_token_that_others_may_read_or_write_is_not_used(tmp_path, mode):
    (tmp_path / "token").write_text(TOKEN + "\n")
    (tmp_path / "token").chmod(0o600)
    assert token_of(tmp_path / "token") == TOKEN
    (tmp_path / "token").chmod(mode)
    with pytest.raises(Trouble) as told:
        token_of(tmp_path / "token")
    assert told.value.exit_code == 77


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a file away")
def test_a_token_of_somebody_elses_file_is_not_used(tmp_path):
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o600)
    os.chown(tmp_path / "token", 65534, 65534)
    with pytest.raises(Trouble, match="others may read"):
        token_of(tmp_path / "token")


@pytest.mark.parametrize(
    "given", ["", "x", "rwp_\u00e4" + "x" * 43, TOKEN + "\r\nX-Other: 1", "rwe_" + "x" * 43]
)
def test_what_is_no_token_is_never_sent(monkeypatch, given):
    monkeypatch.setenv(TOKEN_VARIABLE, given)
    with pytest.raises(Trouble) as told:
        token_of(None)
    assert told.value.exit_code == 2 and "x" * 43 not in str(told.value)


def test_tokens_that_are_over_revoked_forged_or_too_small_are_refused(ann, rig, monkeypatch, run):
    assert ann("alerts", "list").code == 0
    agent = Caller("ann", frozenset({Role.ANALYST}))
    with rig.database.transaction() as db:
        short = sessions.tokens_of(db, "ann")[0].digest[:12]
        small = sessions.new_token(db, agent, "", 1, rig.now, frozenset({Role.AUDITOR}))
        brief = sessions.new_token(db, agent, "", 1, rig.now)
        sessions.revoke_token(db, agent, short, rig.now)
    revoked = run("alerts", "list")
    assert revoked.code == 77 and "A valid personal token is needed." in revoked.err
    for token, codes in ((small, (77, 77)), (brief, (0, 77)), (TOKEN, (77, 77))):
        monkeypatch.setenv(TOKEN_VARIABLE, token)
        before, rig.now = run("alerts", "list").code, rig.now + 86400
        assert (before, run("alerts", "list").code) == codes
        rig.now -= 86400


@pytest.mark.parametrize(
    ("status", "content"),
    [(200, b"<html>\x1b[2J"), (200, b"[]"), (200, b'{"alerts": 7}'), (302, b""), (401, b"{}"), (404, b"[]"),
     (500, b"x")],
)  # fmt: skip
def test_what_is_no_console_is_told_apart(run, monkeypatch, status, content):
    """A page of something else, a redirect that must not be followed with the token, nonsense."""
    asked = []

    class Other(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    told = run("alerts", "list", "--url", f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()
    assert (told.code, told.out) == (69, "") and "no console" in told.err and "\x1b" not in told.err
    assert len(asked) == 1
    told = run("alerts", "list", "--url", f"http://127.0.0.1:{server.server_port}")
    assert told.code == 69 and "does not answer" in told.err


@pytest.fixture
def console(tmp_path):
    """(address, authority, database) of `recordwarden console` in a process of its own, behind TLS."""
    authority = Authority(tmp_path)
    certificate, key = authority.issue()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    rules = Console(folder=tmp_path / "console", port=port, tls_certificate=certificate, tls_key=key)
    database = Database.open(rules.database_url)
    with database.transaction() as db:
        people.add(db, "setup", "ann", PASSWORD, ANN.roles, time.time())
        made = MadeUpAgent("agent-1")
        agent = Agent(id=made.agent, hostname="pc-1", public_key="", version="", enrolled_at=0.0,
                      seen_at=0.0, config_digest="")  # fmt: skip
        db.add(agent)
        db.flush()
        intake.alerts(db, agent, [made.alert(n) for n in range(3)], time.time())
    config = tmp_path / "console.toml"
    config.write_text(
        f'[console]\nfolder = "{rules.folder}"\nport = {port}\n'
        f'tls_certificate = "{certificate}"\ntls_key = "{key}"\n'
    )
    command = [sys.executable, "-I", "-m", "agent", "console", "--config", str(config)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield rules.url, authority, database
    process.terminate()
    process.wait(60)
    database.close()


def test_the_analysts_task_against_a_console_in_a_process_of_its_own(console, run, tmp_path):
    url, authority, database = console
    trusted = ssl.create_default_context(cafile=authority.file)
    with httpx.Client(base_url=url, verify=trusted) as browser:
        browser.post("/sign-in", data={"name": "ann", "password": PASSWORD})
        csrf = re.search(r'name="csrf" value="([^"]+)"', browser.get("/account").text)[1]
        page = browser.post("/account/tokens", data={"csrf": csrf, "note": "night shift", "days": "1"}).text
        (tmp_path / "token").write_text(re.search(r"rwp_[\w-]{43}", page)[0])
        (tmp_path / "token").chmod(0o600)
        where = ("--url", url, "--token-file", str(tmp_path / "token"))
        told = run("alerts", "list", *where)
        assert told.code == 69 and "certificate" in told.err

        where = (*where, "--ca", str(authority.file), "--json")
        waiting = [alert["id"] for alert in run("alerts", "list", *where).lines]
        assert sorted(waiting) == ["agent-1-0", "agent-1-1", "agent-1-2"]
        assert run("alerts", "assign", *waiting, "--to", "me", *where).lines[0]["assignee"] == "ann"
        (told,) = run("alerts", "show", waiting[0], *where).lines
        assert told["record"]["unmapped"]["findings"]
        assert run("alerts", "note", waiting[0], "--note", "asked the owner", *where).code == 0
        decided = run("alerts", "decide", waiting[0], "true_positive", "--note", "it is", *where).lines
        assert decided[0]["determination"] == "true_positive"
        assert [alert["id"] for alert in run("alerts", "list", *where).lines] == waiting[1:]
        assert "asked the owner" in browser.get(f"/alerts/{waiting[0]}").text

        short = re.search(r'name="token" value="(\w{12})"', browser.get("/account").text)[1]
        browser.post("/account/tokens/revoke", data={"csrf": csrf, "token": short})
        assert run("alerts", "list", *where).code == 77
    with database.transaction() as db:
        assert sessions.tokens_of(db, "ann") == []
