"""The report: every authorisation that stood, every event of the span, each with its holder and proof."""

from __future__ import annotations

import time
from typing import Any

import pytest

from agent.report import COLUMNS, Span, authorised_access, for_spreadsheet

DAY = 86400.0


@pytest.fixture
def known(custody: Any) -> list[Any]:
    custody.authority.agreements.hand_in(custody.agreed(custody.now, content=("ab" * 32,)), "uid:0")
    return custody.authority.agreements.all()


def rows(known: Any, events: Any = (), since: float = 0.0, until: float = 1e11, holder: str = "") -> Any:
    return list(authorised_access(known, events, {}, Span(since, until, holder), "host-1"))


def test_an_agreement_is_told_if_it_stood_on_any_day_of_the_span(known: Any) -> None:
    now = time.time()
    for since, until, told in (
        (0, now - DAY, 0), (0, now + 60, 1), (now + 100 * DAY, now + 101 * DAY, 1), (now + 367 * DAY, 1e11, 0)
    ):  # fmt: skip
        assert len(rows(known, since=since, until=until)) == told


def test_one_that_never_came_into_force_is_no_authorisation(custody: Any) -> None:
    from agent.statements import seal

    custody.authority.agreements.hand_in(
        custody.agreed.owner.sign(seal(custody.agreed.terms(custody.now, content=("ab" * 32,)))), "uid:0"
    )
    assert rows(custody.authority.agreements.all()) == []


def test_an_event_is_told_with_the_holder_of_the_agreement_it_rests_on(known: Any) -> None:
    exempted = {"event": "exempted", "time": 5.0, "proof": known[0].terms.agreement_id, "path": "/srv/x"}
    restricted = {"event": "allowed", "time": 6.0, "reason": "restricted_root", "path": "/srv/y"}
    beside = {"event": "service_started", "time": 7.0}
    found = rows(known, [exempted, restricted, beside], until=10.0)
    assert [(r["record"], r["holder"], r["path"]) for r in found] == [
        ("exempted", "University of Somewhere", "/srv/x"), ("allowed", "", "/srv/y")
    ]  # fmt: skip
    assert all(tuple(r) == COLUMNS and r["host_id"] == "host-1" for r in found)
    assert [
        r["record"]
        for r in rows(known, [exempted, restricted], until=10.0, holder="university of  somewhere")
    ] == ["exempted"]
    assert rows(known, [exempted], since=5.1, until=10.0) == []


@pytest.mark.parametrize("cell", ["=1+1", "+x", "-x", "@x", "\tx", "\rx"])
def test_no_name_of_a_file_becomes_a_formula(cell: str) -> None:
    assert for_spreadsheet(cell) == f"'{cell}"
    assert for_spreadsheet("/srv/=x") == "/srv/=x"
