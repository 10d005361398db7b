"""Who may do what, exhaustively: every role at every door, and nobody with a forged key.

The tables name each route once; a route that is in none fails `test_every_route_has_its_row`.
"""

from __future__ import annotations

import itertools

import pytest

from console.roles import MAY, Caller, Deed, Forbidden, Role

A, O, D, M, U = (  # noqa: E741 - the columns of the table
    Role.ANALYST, Role.INFORMATION_ASSET_OWNER, Role.DATA_PROTECTION_OFFICER, Role.ADMINISTRATOR,
    Role.AUDITOR,
)  # fmt: skip
ALL = {A, O, D, M, U}
READERS = {A, O, D, U}

PAGES = {
    ("GET", "/"): ALL,
    ("GET", "/account"): ALL,
    ("POST", "/account/password"): ALL,
    ("POST", "/account/totp"): ALL,
    ("POST", "/account/tokens"): ALL,
    ("POST", "/account/tokens/revoke"): ALL,
    ("POST", "/sign-out"): ALL,
    ("GET", "/alerts"): READERS,
    ("GET", "/alerts/{alert_id}"): READERS,
    ("POST", "/alerts/decide"): {A},
    ("POST", "/alerts/assign"): {A},
    ("POST", "/alerts/note"): {A},
    ("POST", "/alerts/{alert_id}/reopen"): {A},
    ("POST", "/views"): READERS,
    ("POST", "/views/forget"): ALL,
    ("GET", "/agents"): {A, D, M, U},
    ("GET", "/agents/{agent_id}"): {A, D, M, U},
    ("POST", "/agents/token"): {M},
    ("POST", "/agents/{agent_id}/revoke"): {M},
    ("GET", "/trends"): READERS,
    ("GET", "/custody"): READERS,
    ("GET", "/agreements"): READERS,
    ("GET", "/agreements.csv"): READERS,
    ("GET", "/agreements/report"): READERS,
    ("GET", "/agreements/bundle"): READERS,
    ("GET", "/exceptions"): READERS,
    ("POST", "/alerts/{alert_id}/exception"): {A},
    ("GET", "/papers/{kind}/{number}/revocation"): READERS,
    ("GET", "/tuning"): ALL,
    ("POST", "/tuning"): {M},
    ("GET", "/requests"): READERS,
    ("GET", "/papers/{kind}/{number}"): READERS,
    ("GET", "/papers/{kind}/{number}/file"): READERS,
    ("POST", "/papers"): {A, O, D, M},
    ("GET", "/audit"): {D, U},
    ("POST", "/audit/verify"): {D, U},
    ("GET", "/erasure"): {D},
    ("POST", "/erasure"): {D},
    ("GET", "/people"): {M},
    ("POST", "/people"): {M},
    ("POST", "/people/{name}"): {M},
}
INTERFACE = {
    ("GET", "/api/v1/alerts"): READERS,
    ("GET", "/api/v1/alerts/{alert_id}"): READERS,
    ("POST", "/api/v1/alerts/{alert_id}/reopen"): {A},
    ("POST", "/api/v1/decisions"): {A},
    ("POST", "/api/v1/assignments"): {A},
    ("POST", "/api/v1/notes"): {A},
    ("POST", "/api/v1/alerts/{alert_id}/exception"): {A},
    ("GET", "/api/v1/papers/{kind}/{number}/revocation"): READERS,
    ("POST", "/api/v1/tuning"): {M},
    ("GET", "/api/v1/views"): ALL,
    ("POST", "/api/v1/views"): READERS,
    ("POST", "/api/v1/views/forget"): ALL,
    ("GET", "/api/v1/agreements.csv"): READERS,
    ("GET", "/api/v1/agents"): {A, D, M, U},
    ("GET", "/api/v1/agents/{agent_id}"): {A, D, M, U},
    ("POST", "/api/v1/agents/tokens"): {M},
    ("POST", "/api/v1/agents/{agent_id}/revoke"): {M},
    ("GET", "/api/v1/trends"): READERS,
    ("GET", "/api/v1/custody"): READERS,
    ("GET", "/api/v1/papers"): READERS,
    ("GET", "/api/v1/papers/bundle"): READERS,
    ("GET", "/api/v1/papers/{kind}/{number}"): READERS,
    ("POST", "/api/v1/papers"): {A, O, D, M},
    ("GET", "/api/v1/audit"): {D, U},
    ("POST", "/api/v1/audit/verify"): {D, U},
    ("POST", "/api/v1/erasures"): {D},
    ("GET", "/api/v1/people"): {M},
    ("POST", "/api/v1/people"): {M},
    ("PATCH", "/api/v1/people/{name}"): {M},
}
AGENTS = {
    ("POST", "/api/v1/enrol"),
    ("POST", "/api/v1/alerts"),
    ("POST", "/api/v1/heartbeats"),
    ("GET", "/api/v1/bundle"),
}
OPEN = {
    ("GET", "/sign-in"), ("POST", "/sign-in"), ("GET", "/sign-in/provider"),
    ("GET", "/sign-in/provider/back"), ("GET", "/api/openapi.json"), ("GET", "/api/docs"),
}  # fmt: skip
FORMS = {
    "/account/password": {"old": "x", "new": "correct horse battery", "again": "correct horse battery"},
    "/alerts/decide": {"alert": "agent-1-1", "determination": "true_positive"},
    "/alerts/assign": {"alert": "agent-1-1", "to": "nobody"},
    "/alerts/note": {"alert": "agent-1-1", "note": "ask her"},
    "/alerts/{alert_id}/exception": {
        "scope": "content",
        "place": "anywhere",
        "days": "90",
        "reason": "codes",
    },
    "/tuning": {"settings": "none", "reason": "x", "review_days": "9"},
    "/views": {"name": "mine"},
    "/erasure": {"days": "30"},
    "/papers": {"document": "no document"},
    "/people": {"name": "new", "password": "correct horse battery", "role": "auditor"},
    "/people/{name}": {"what": "roles", "role": "auditor"},
}
BODIES = {
    "/api/v1/decisions": {"alerts": ["agent-1-1"], "determination": "true_positive"},
    "/api/v1/assignments": {"alerts": ["agent-1-1"], "to": ""},
    "/api/v1/agents/tokens": {},
    "/api/v1/notes": {"alerts": ["agent-1-1"], "note": "ask her"},
    "/api/v1/alerts/{alert_id}/exception": {"scope": "content", "reason": "codes"},
    "/api/v1/tuning": {"settings": "none", "reason": "x"},
    "/api/v1/views": {"name": "mine", "query": ""},
    "/api/v1/views/forget": {"name": "mine"},
    "/api/v1/erasures": {"days": 30},
    "/api/v1/papers": {"document": "no document"},
    "/api/v1/people": {"name": "new", "password": "correct horse battery", "roles": ["auditor"]},
    "/api/v1/people/{name}": {"roles": ["auditor"]},
}


def routes(app):
    """(method, path) of every route."""
    found = set()
    for route in app.routes:
        inner = getattr(route, "original_router", None)
        for each in inner.routes if inner is not None else [route]:
            found |= {(method, each.path) for method in getattr(each, "methods", None) or ()}
    return {(method, path) for method, path in found if method != "HEAD"}


def fill(path):
    known = {"alert_id": "agent-1-1", "agent_id": "agent-1", "name": "somebody", "kind": "agreement"}
    return path.format(**known, number="DAA-made-up-1")


def test_every_route_has_its_row(rig):
    assert routes(rig.app) == set(PAGES) | set(INTERFACE) | AGENTS | OPEN


def test_the_table_of_roles_is_what_the_documentation_says():
    assert set(MAY) == set(Role)
    assert all(not MAY[role] & {Deed.VIEW_ALERTS, Deed.DECIDE} for role in (Role.ADMINISTRATOR,))
    assert [r for r in Role if Deed.DECIDE in MAY[r]] == [Role.ANALYST]


@pytest.mark.parametrize("deed", list(Deed))
def test_a_caller_without_a_role_may_do_nothing(deed):
    with pytest.raises(Forbidden):
        Caller("x", frozenset()).require(deed)


@pytest.fixture
def filled(rig):
    agent = rig.agent()
    rig.send(agent, agent.alert(1))
    return rig


@pytest.mark.parametrize("role", list(Role))
def test_pages_open_to_each_role_as_the_table_says(filled, role):
    for number, ((method, path), may) in enumerate(PAGES.items()):
        if path == "/sign-out":
            continue
        browser = filled.signed_in(f"{role}-{number}", role)
        form = {"csrf": browser.csrf, **FORMS.get(path, {})}
        answer = browser.get(fill(path)) if method == "GET" else browser.post(fill(path), data=form)
        if role in may:
            assert answer.status_code not in (401, 403), (method, path)
        else:
            assert answer.status_code == 403, (method, path)
            assert (f"{role}-{number}", "refused", "") in filled.audited()


@pytest.mark.parametrize("role", list(Role))
def test_the_interface_opens_to_each_role_as_the_table_says(filled, role):
    for number, ((method, path), may) in enumerate(INTERFACE.items()):
        token = filled.token(f"{role}-{number}", role)
        answer = filled.browser().request(method, fill(path), json=BODIES.get(path), headers=token)
        assert (answer.status_code not in (401, 403)) == (role in may), (method, path, answer.text)


def doors(table):
    return [pytest.param(*key, id=" ".join(key)) for key in table]


def everybody(rig, name="all"):
    return rig.signed_in(name, *Role)


@pytest.mark.parametrize(("method", "path"), doors(PAGES))
def test_no_page_without_a_session_that_is_alive(filled, method, path):
    browser = everybody(filled)
    form = {"csrf": browser.csrf, **FORMS.get(path, {})}
    forged, token = filled.browser(), filled.token("tok", *Role)
    forged.cookies.set("recordwarden", "x" * 43, domain="127.0.0.1")
    filled.now += 61 * 60
    for who, headers in ((filled.browser(), {}), (forged, {}), (browser, {}), (filled.browser(), token)):
        answer = who.request(method, fill(path), data=form if method == "POST" else None, headers=headers)
        assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in"), answer.text


@pytest.mark.parametrize(("method", "path"), doors(INTERFACE))
def test_no_interface_without_a_token_that_is_alive(filled, method, path):
    browser, token = everybody(filled), filled.token("tok", *Role)
    forged = {"Authorization": "Bearer rwp_" + "x" * 43}
    for who, headers in itertools.chain(
        [(filled.browser(), {}), (browser, {}), (filled.browser(), forged)],
        [(filled.browser(), {"Authorization": "Basic " + token["Authorization"][7:]})],
    ):
        answer = who.request(method, fill(path), json=BODIES.get(path), headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (401, "no_token")
    filled.now += 31 * 86400
    answer = filled.browser().request(method, fill(path), json=BODIES.get(path), headers=token)
    assert answer.status_code == 401


@pytest.mark.parametrize("path", [path for method, path in PAGES if method == "POST"])
def test_no_form_counts_that_did_not_come_out_of_this_very_session(filled, path):
    browser, other = everybody(filled), everybody(filled, "other")
    form = FORMS.get(path, {})
    before = filled.audited()
    for csrf, headers in (
        ("", {}),
        (other.csrf, {}),
        (browser.csrf, {"Origin": "https://elsewhere.example"}),
        (browser.csrf, {"Origin": "null"}),
        (browser.csrf, {"Sec-Fetch-Site": "cross-site"}),
        (browser.csrf, {"Sec-Fetch-Site": "same-site"}),
    ):
        assert browser.post(fill(path), data={**form, "csrf": csrf}, headers=headers).status_code == 403
    assert filled.audited() == before


def test_a_role_that_was_taken_away_counts_at_once(filled):
    from console import people

    browser, root = filled.signed_in("ann", A), filled.signed_in("root", M)
    assert root and browser.get("/alerts").status_code == 200
    with filled.database.transaction() as db:
        people.change(db, filled.everything, "ann", filled.now, roles=frozenset({M}))
    assert browser.get("/alerts").status_code == 303
