"""One judge, one configuration, one digest; the most severe part decides; odd input never raises."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shipped import JUDGE

from detectors.engine import passage
from detectors.engine.assess import assess
from detectors.engine.evidence import COLUMN_MEASURES
from detectors.engine.judge import MANY, Judge
from detectors.engine.roster import roster
from detectors.engine.table import Table, Text
from detectors.engine.verdict import Outcome, Verdict


def test_the_digest_stands_for_the_configuration() -> None:
    assert Judge().digest == JUDGE.digest != Judge({"record_model": {"likely": 0.7}}).digest


def test_the_vocabulary_holds_every_detector_and_measure() -> None:
    found = roster({})
    assert (
        set(found) | {m for d in found.values() for m in d.measures} | set(COLUMN_MEASURES)
        <= JUDGE.vocabulary
    )


def test_every_detector_says_what_to_do_when_it_fires() -> None:
    assert all(len(d.runbook) > 40 for d in roster({}).values())


def test_the_most_severe_table_of_a_file_decides() -> None:
    r = random.Random(21)
    judgement = JUDGE.begin()
    judgement.table(
        Table(["Region", "Total"], iter([["North", "1,200"], ["South", "900"], ["Total", "2,100"]]))
    )
    assert not judgement.settled
    people = [
        [str(r.randint(16, 90)), r.choice("12"), str(r.randint(1, 5)), f"{r.getrandbits(40):010x}"]
        for _ in range(300)
    ]
    judgement.table(Table(["age", "sex", "ethnic_group", "person_id"], iter(people)))
    judgement.text(Text(iter(["nothing here"])))
    found = judgement.conclude()
    assert judgement.settled and found.flagged and {f.table for f in found.findings} == {1}


@pytest.mark.parametrize("detector", roster({}))
def test_a_detector_switched_off_adds_nothing(detector: str) -> None:
    header = ["name", "nino", "born", "age", "sex", "weight", "note"]
    people = [
        [f"Anna Smith{i}", f"AB{i:06d}C", f"{i % 28 + 1:02}/03/1971", str(20 + i % 50), "MF"[i % 2],
         f"{1 + i / 97:.4f}", f"of AB{i:06d}C"] for i in range(60)
    ]  # fmt: skip
    quiet = Judge({detector: {"enabled": False}})
    judgement = quiet.begin()
    judgement.table(Table(header, iter(people)))
    judgement.text(Text(iter([f"Anna Smith, AB{i:06d}C" for i in range(9)])))
    found = judgement.conclude()
    assert not [f for f in found.findings if f.detector == detector and f.weight]


CELLS = st.text(max_size=12) | st.sampled_from(
    ["", "1", "2.5", "~", "1e400", "99/99/9999", "=1+1", "\x00", "١٢"]
)


@settings(max_examples=60, deadline=None)
@given(st.none() | st.lists(CELLS, max_size=6), st.lists(st.lists(CELLS, max_size=6), max_size=30))
def test_any_table_gets_a_conclusion_that_fits_the_wire(
    header: list[str] | None, rows: list[list[str]]
) -> None:
    judgement = JUDGE.begin()
    judgement.table(Table(header, iter(rows)))
    found = judgement.conclude()
    verdict = Verdict(
        found.outcome,
        confidence=found.confidence, tier=found.tier, subject=found.subject, findings=found.findings,
        flagged=found.flagged, records_estimated=found.records_estimated, advisories=found.advisories,
    )  # fmt: skip
    assert Verdict.from_wire(verdict.to_wire(), JUDGE.vocabulary).outcome in Outcome


def _after_many_small_tables(last: Table) -> bool:
    judgement = JUDGE.begin()
    for number in range(MANY + 5):
        judgement.table(Table(None, iter([["lib", str(number)], ["bin", str(2 * number)]]), loose=True))
    judgement.table(last)
    return judgement.conclude().flagged


def test_people_after_many_small_tables_are_found() -> None:
    r = random.Random(22)
    people = [[str(r.randint(16, 90)), r.choice("12"), str(r.randint(1, 5))] for _ in range(40)]
    assert _after_many_small_tables(Table(["age", "sex", "ethnic_group"], iter(people)))


def test_identifiers_in_a_small_table_after_many_are_found() -> None:
    rows = [["Made Up", "999 234 5675", "1961-02-03"], ["Also Invented", "999 345 6780", "1980-11-30"]]
    header = ["name", "nhs number", "date of birth"]
    assert _after_many_small_tables(Table(header, iter(rows)))
    assert not _after_many_small_tables(
        Table(header, iter([["Tap", "12", "1 inch"], ["Bolt", "9", "2 inch"]]))
    )


def test_of_many_small_tables_no_more_are_weighed(monkeypatch) -> None:
    weighed = []
    monkeypatch.setattr(passage, "assess", lambda bench, view: weighed.append(view) or assess(bench, view))
    _after_many_small_tables(Table(["a", "b"], iter([["1", "2"]])))
    assert len(weighed) == MANY
