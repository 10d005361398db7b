"""The interface for programs of people does what the pages do (console.api.alerts, console.api.answers)."""

from __future__ import annotations

import pytest

from console.roles import Role


@pytest.fixture
def ann(rig):
    agent = rig.agent()
    rig.send(agent, *(agent.alert(n) for n in range(5)))
    token = rig.token("ann", Role.ANALYST)

    def call(method, path, **more):
        answer = rig.browser().request(method, "/api/v1" + path, headers=token, **more)
        return answer.status_code, answer.json()

    return call


def test_list_show_decide_reopen(ann):
    status, page = ann("GET", "/alerts?size=2")
    assert (status, page["total"], len(page["alerts"])) == (200, 5, 2)
    _, following = ann("GET", "/alerts?size=3&" + page["following"])
    assert len({a["id"] for a in page["alerts"] + following["alerts"]}) == 5
    first = page["alerts"][0]["id"]
    _, whole = ann("GET", f"/alerts/{first}")
    assert whole["record"]["finding_info"]["uid"] == first and whole["timeline"]
    body = {"alerts": [first], "determination": "false_positive", "note": "a code book"}
    assert ann("POST", "/decisions", json=body)[1][0]["determination"] == "false_positive"
    assert ann("GET", "/alerts")[1]["total"] == 4
    assert ann("POST", f"/alerts/{first}/reopen")[1]["state"] == "open"
    assert ann("POST", "/assignments", json={"alerts": [first], "to": "ann"})[1][0]["assignee"] == "ann"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/alerts/nowhere", None, 404, "not_found"),
        ("GET", "/alerts?state=x", None, 422, "malformed"),
        ("GET", "/alerts/a%00b", None, 404, "not_found"),
        ("POST", "/decisions", {"alerts": ["x"], "determination": "yes"}, 422, "malformed"),
        ("POST", "/decisions", {"alerts": [], "determination": "true_positive"}, 422, "malformed"),
        ("POST", "/decisions", {"alerts": ["agent-1-1"], "determination": "authorised"}, 422, "unfit"),
        ("POST", "/assignments", {"alerts": ["agent-1-1"], "to": "nobody-here"}, 422, "unfit"),
        ("DELETE", "/alerts", None, 405, "method_not_allowed"),
    ],
)
def test_errors_have_a_code(ann, method, path, body, status, code):
    answer = ann(method, path, json=body)
    assert (answer[0], answer[1]["error"]) == (status, code)
