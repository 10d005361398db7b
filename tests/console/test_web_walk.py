"""A real Chromium walks each page and each role's main task, at two widths, light and dark.

axe-core 4.14.1 (`axe.min.js`, MPL-2.0, from the npm package) judges accessibility; nothing serious may be
found.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher
from console_place import listening
from made_up_agents import MadeUpAgent
from oidc_provider_mock import run_server_in_thread

from agent.statements import seal
from config.console import Console, Provider
from console import desk, enrolment, exceptions, intake, papers, people
from console.database import Database
from console.roles import Caller, Role
from console.schema import Agent, Alert
from console.web import create

CHROMIUM = shutil.which("chromium")
PASSWORD = "correct horse battery"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--no-default-browser-check",
]  # fmt: skip
PATIENCE_MS = 60_000
SEEN = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]
PAGES = (
    "/alerts", "/alerts?state=all&zone=shared", "/alerts?q=nothing-like-that", "/alerts/agent-1-1",
    "/alerts/agent-1-2", "/custody", "/agents", "/agents/agent-1", "/trends", "/agreements",
    "/exceptions", "/alerts/agent-1-22", "/tuning", "/papers/tuning/TUN-made-up-1",
    "/agreements/report", "/requests", "/papers/agreement/DAA-made-up-1", "/audit", "/people", "/account",
    "/erasure", "/api/docs", "/alerts/nowhere",
)  # fmt: skip
TUNING = "[detectors.named_people]\nenabled = false\n\n[detectors.row_subject]\nwords_person = ["
TUNING += ", ".join(f'"a word of ours {n}"' for n in range(20)) + "]\nbonus = -0.5"
RULE = (
    "[[detectors.direct_identifiers.rules]]\nid = 'made_up'\npattern = 'XQ[0-9]{6}Z'\nmatch = ['XQ123456Z']"
)
pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        CHROMIUM is None and not os.environ.get("REQUIRE_ALL_TESTS"), reason="needs the package chromium"
    ),
]


@contextmanager
def serving(rules, database, approvers=()):
    """The console at `rules.port`, or any; gives its address."""
    with listening(create(rules, database, approvers=approvers), rules.port) as address:
        yield address
    database.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory, agreed):
    """(address, database) of a console with people of each role and some alerts."""
    rules = Console(folder=tmp_path_factory.mktemp("walk")).model_copy(update={"port": 0})
    database = Database.open(rules.database_url)
    hasher, people._HASHER = people._HASHER, PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    fill(database)
    file_papers(database, agreed)
    with serving(rules, database, agreed.approvers) as address:
        yield address, database
    people._HASHER = hasher


@pytest.fixture
def with_provider(tmp_path):
    """The address of a console whose people sign in at a provider on another site (localhost)."""
    with socket.socket() as free, run_server_in_thread(require_nonce=True) as over_there:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        issuer = f"http://localhost:{over_there.server_port}"
        claims = {"preferred_username": "robin", "groups": ["analysts"]}
        httpx.put(f"{issuer}/users/s-1", json=claims).raise_for_status()
        (tmp_path / "secret").write_text("made up")
        provider = Provider(
            issuer=issuer,
            client_id="recordwarden",
            client_secret_file=tmp_path / "secret",
            label="Example Statistics",
            roles={"analysts": ("analyst",)},
        )
        rules = Console(folder=tmp_path, port=port, oidc=provider)
        with serving(rules, Database.open(rules.database_url)) as address:
            yield address


def fill(database):
    now = time.time()
    agent = MadeUpAgent("agent-1")
    everything = Caller("setup", frozenset(Role))
    with database.transaction() as db:
        for role in Role:
            people.add(db, "setup", role.value, PASSWORD, frozenset({role}), now)
        people.add(db, "setup", "all", PASSWORD, frozenset(Role), now)
        token = enrolment.new_token(db, everything, "", None, now)
        enrolment.enrol(db, token, agent.agent, agent.hostname, agent.public_key, "0.1.0", now)
        known = db.get_one(Agent, "agent-1")
        hostile = agent.alert(1, path="/srv/<b onclick=alert(1)>/\u202egnp.exe\x1b[31m" + "x" * 4000)
        intake.alerts(db, known, [hostile, *(agent.alert(n) for n in range(2, 120))], now)
        beat = agent.heartbeat(now, covered=False)
        less, refused = ["named_people.enabled", "row_subject.bonus"], {"TUN-3": "wrong_settings"}
        beat["unmapped"]["tuning"] = {"id": "TUN-made-up-1", "may_find_less": less, "refused": refused}
        intake.heartbeats(db, known, [beat], now)
        for n in range(20, 60):
            word = ("true_positive", "false_positive", "inconclusive")[n % 3]
            desk.decide(db, everything, [f"agent-1-{n}"], word, "a note", now)


def file_papers(database, agreed):
    """An agreement that waits for its second signature, an exception that soon is over, two tunings."""
    now = time.time()
    long = ("no onward sharing", "a condition of many words " * 20)
    draft = seal(agreed.terms(now, roots=("/srv/" + "project" * 20,), conditions=long))
    with database.transaction() as db:
        everything = Caller("setup", frozenset(Role))
        papers.hand_in(db, agreed.approvers, everything, json.dumps(agreed.owner.sign(draft).to_json()), now)
        wanted = exceptions.Wanted("content", False, "folder", 10, "codes of a machine " * 60)
        told = exceptions.propose(db, agreed.approvers, everything, "agent-1-22", wanted, now)
        for paper in (told.envelope, agreed.tuning(now, TUNING), agreed.tuning(now - 60, RULE, "TUN-2")):
            signed = json.dumps(agreed.both(paper).to_json())
            papers.hand_in(db, agreed.approvers, everything, signed, now)


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as made:
        browser = made.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=PATIENCE_MS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, served):
    """Gives pages of somebody who signed in; what a page asks of others or complains of fails the test."""
    address, _ = served
    contexts, complaints = [], []

    def make(name="all", width=1280, scheme="light", **more):
        context = chromium.new_context(
            base_url=address, viewport={"width": width, "height": 844}, color_scheme=scheme, **more
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda r: r.url.startswith(address) or complaints.append(r.url))
        page.on("pageerror", lambda e: complaints.append(str(e)))
        page.on("console", lambda m: complains(m) and complaints.append(m.text))
        if name:
            sign_in(page, name)
        return page

    make.complaints = complaints
    yield make
    for context in contexts:
        context.close()
    assert complaints == []


def complains(message):
    """An answer other than 200 is a line of the browser's too; what tests ask for on purpose is none."""
    return message.type == "error" and "Failed to load resource" not in message.text


def sign_in(page, name):
    page.goto("/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()


def faults(page):
    """What axe finds serious or critical, with all that can be opened open."""
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    page.evaluate(Path(__file__).with_name("axe.min.js").read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        (v["id"], v["nodes"][0]["html"][:200], v["nodes"][0].get("failureSummary", "")[:200])
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(("width", "scheme"), SEEN)
def test_every_page_is_accessible_and_fits(open_page, width, scheme):
    page = open_page(width=width, scheme=scheme)
    for path in PAGES:
        page.goto(path)
        assert faults(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        if folder := os.environ.get("SHOTS"):
            page.screenshot(
                path=f"{folder}/{path.strip('/').replace('/', '-')[:40]}-{width}-{scheme}.png", full_page=True
            )
    page = open_page(None, width, scheme)
    page.goto("/sign-in")
    assert faults(page) == []


def test_the_report_prints_alone_and_whole(open_page, tmp_path):
    page = open_page()
    page.goto("/agreements")
    page.get_by_role("link", name="All details, to print").click()
    page.get_by_role("heading", name="DAA-made-up-1").wait_for()
    page.emulate_media(media="print")
    assert not page.get_by_role("navigation").is_visible() and not page.locator("footer").is_visible()
    assert page.locator("section.sheet").is_visible()
    made = Path(os.environ.get("SHOTS", tmp_path)) / "report.pdf"
    assert page.pdf(path=made).startswith(b"%PDF")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the provider's own
@pytest.mark.parametrize(("width", "scheme"), SEEN[::3])
def test_a_provider_on_another_site_signs_somebody_in(chromium, with_provider, width, scheme, tmp_path):
    """The session's cookie is kept from other sites: only a browser shows that it works all the same."""
    size = {"width": width, "height": 700}
    context = chromium.new_context(base_url=with_provider, viewport=size, color_scheme=scheme)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto("/alerts?state=all")
    assert faults(page) == []
    page.screenshot(
        path=os.environ.get("SHOTS", str(tmp_path)) + f"/sign-in-{width}-{scheme}.png", full_page=True
    )
    page.get_by_role("link", name="Sign in with Example Statistics").click()
    page.wait_for_url("**/oauth2/authorize**")
    page.locator('input[name="sub"]').last.fill("s-1")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Sign out").wait_for()
    assert page.url.startswith(f"{with_provider}/alerts")
    page.goto("/account")
    assert faults(page) == []
    page.screenshot(
        path=os.environ.get("SHOTS", str(tmp_path)) + f"/account-{width}-{scheme}.png", full_page=True
    )
    context.close()


def test_the_policy_lets_no_inline_script_or_style_in(open_page):
    page = open_page()
    page.goto("/alerts")
    page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
        " document.body.append(s); }"
    )
    assert page.evaluate("window.ran") is None
    page.evaluate("() => { document.body.insertAdjacentHTML('beforeend', '<i style=\"color: red\">x</i>'); }")
    assert page.evaluate("getComputedStyle(document.body.lastChild).color") != "rgb(255, 0, 0)"
    blocked = [c for c in open_page.complaints if "Content Security Policy" in c]
    assert len(blocked) == 2
    open_page.complaints.clear()


def test_what_judges_accessibility_would_find_a_fault(open_page):
    page = open_page()
    page.goto("/alerts")
    page.evaluate(
        "() => { document.querySelector('main').insertAdjacentHTML('beforeend', '<input><img src=/x>'); }"
    )
    assert {fault[0] for fault in faults(page)} >= {"label", "image-alt"}


def test_an_analyst_needs_no_mouse(open_page, served):
    """From the sign-in page to a decision and the next alert."""
    page = open_page(None)
    page.goto("/sign-in")
    page.keyboard.type("analyst")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/alerts")
    first = page.locator("[data-rows] tbody tr a").first
    alert = first.get_attribute("href").rsplit("/", 1)[-1]
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.getAttribute('href')") == f"/alerts/{alert}"
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/alerts/{alert}")
    page.keyboard.press("2")
    page.keyboard.press("n")
    page.keyboard.type("a code book, 2 g a")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("false positive by analyst").wait_for()
    _, database = served
    with database.transaction() as db:
        decided = db.get_one(Alert, alert)
        assert (decided.determination, decided.note) == ("false_positive", "a code book, 2 g a")
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url("**/alerts")


def test_several_are_taken_on_with_two_keys(open_page, served):
    page = open_page("analyst")
    page.goto("/alerts")
    ids = [row.get_attribute("value") for row in page.locator("#bulk input[name=alert]").all()[:2]]
    for key in ("j", "x", "j", "x"):
        page.keyboard.press(key)
    with page.expect_navigation():
        page.keyboard.press("a")
    _, database = served
    with database.transaction() as db:
        assert [db.get_one(Alert, i).assignee for i in ids] == ["analyst", "analyst"]


def test_the_search_narrows_the_list_as_one_types(open_page):
    page = open_page("analyst")
    page.goto("/alerts")
    page.keyboard.press("/")
    page.keyboard.type("agent-1-77")
    page.get_by_text("1 alert waiting for a decision").wait_for()
    page.wait_for_url("**q=agent-1-77**")
    assert page.locator("[data-rows] tbody tr").count() == 1


def test_the_keys_can_be_switched_off(open_page):
    page = open_page("analyst")
    page.goto("/alerts")
    page.keyboard.press("?")
    page.get_by_label("Use these keys in this browser").uncheck()
    page.get_by_role("button", name="Close").click()
    page.reload()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") != "q"


def test_the_inbox_works_without_javascript(open_page):
    page = open_page("analyst", java_script_enabled=False)
    page.goto("/alerts?q=agent-1-88")
    page.locator("[data-rows] tbody a").first.click()
    page.get_by_label("inconclusive").check()
    page.get_by_role("button", name="Decide").click()
    page.get_by_text("inconclusive by analyst").wait_for()


def test_each_role_finds_its_task(open_page):
    root = open_page("administrator")
    root.goto("/people")
    new = root.locator("form.card", has_text="Somebody new")
    new.get_by_label("Name").fill("newcomer")
    new.get_by_label("First password").fill(PASSWORD)
    new.get_by_label("auditor").check()
    new.get_by_role("button", name="Add").click()
    root.get_by_role("heading", name="newcomer").wait_for()
    root.goto("/agents")
    root.get_by_role("button", name="Make a token").click()
    root.get_by_text("shown this once").wait_for()
    auditor = open_page("newcomer")
    auditor.goto("/audit")
    auditor.get_by_role("button", name="Verify the chain").click()
    auditor.get_by_text("each continues the one before").wait_for()
    officer = open_page("data_protection_officer")
    officer.goto("/erasure")
    officer.get_by_label("Older than, in days").fill("3000")
    officer.get_by_role("button", name="Erase").click()
    officer.get_by_text("0 alerts are erased").wait_for()
    owner = open_page("information_asset_owner")
    owner.goto("/custody")
    owner.locator("[data-rows] tbody a").first.click()
    owner.get_by_text("Evidence for records").wait_for()
    assert owner.get_by_role("button", name="Decide").count() == 0
