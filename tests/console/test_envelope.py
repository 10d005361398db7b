"""Bodies have a bound before anything reads them, and so have names by which the console is addressed."""

from __future__ import annotations

from fastapi.testclient import TestClient

from console.envelope import MOST_BODY, POLICY


def test_a_body_that_announces_too_much_is_refused(rig):
    answer = rig.browser().post("/api/v1/enrol", content=b"x" * (MOST_BODY + 1))
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


def test_a_body_that_does_not_announce_it_is_refused_too(rig):
    def parts():
        for _ in range(5):
            yield b"x" * (1024 * 1024)

    for path in ("/api/v1/enrol", "/api/v1/alerts"):
        answer = rig.browser().post(path, content=parts(), headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 413, 422)


def test_another_name_for_this_machine_is_refused(rig):
    """A page of others whose name was made to point here gets nothing."""
    answer = rig.browser().get("/sign-in", headers={"Host": "rebound.example"})
    assert answer.status_code == 400


def test_pages_stay_out_of_caches(rig):
    assert rig.browser().get("/sign-in").headers["cache-control"] == "no-store"


def test_a_fault_of_ours_has_all_headers_and_says_nothing_of_itself(rig, monkeypatch):
    def fault(*_, **__):
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr("console.pages.entry.page", fault)
    answer = TestClient(rig.app, "http://127.0.0.1:8710", raise_server_exceptions=False).get("/sign-in")
    assert answer.status_code == 500 and "secret" not in answer.text
    assert answer.json()["error"] == "internal"
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["cache-control"] == "no-store"
