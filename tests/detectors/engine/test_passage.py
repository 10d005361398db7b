"""A full pass finds what changes deep in a table, in bounded memory, and shuffling changes nothing."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator

import pytest
from shipped import JUDGE

from detectors.engine.conclusion import Conclusion
from detectors.engine.table import Row, Table, Unreadable
from detectors.engine.verdict import Outcome, Reason


def readings(n: int, seed: int = 15) -> Iterator[list[str]]:
    r = random.Random(seed)
    for i in range(n):
        yield [
            f"2024-01-{i // 1440 % 28 + 1:02d} {i // 60 % 24:02d}:{i % 60:02d}",
            str(i % 4),
            f"{r.uniform(15, 25):.2f}",
            str(r.randint(10**8, 10**9)),
        ]


def people(n: int, seed: int = 16) -> Iterator[list[str]]:
    r = random.Random(seed)
    for _ in range(n):
        yield [
            r.choice("MF"),
            str(r.randint(16, 90)),
            r.choice(["Single", "Married", "Divorced"]),
            r.choice(["White", "Asian", "Black"]),
            str(r.randint(90, 900) * 100),
        ]


def judged(header: list[str] | None, rows: Iterator[Row]) -> Conclusion:
    judgement = JUDGE.begin()
    judgement.table(Table(header, rows))
    return judgement.conclude()


def test_a_no_is_settled_by_a_full_pass_that_counts_all_rows() -> None:
    found = judged(["timestamp", "sensor", "temp", "total"], readings(5000))
    assert not found.flagged and found.records_estimated == 5000


def test_records_under_another_table_are_found() -> None:
    def both() -> Iterator[list[str]]:
        yield from readings(4000)
        yield from people(1500)

    assert judged(None, both()).flagged


def test_a_cluster_of_identifiers_deep_in_a_table_is_found() -> None:
    def rows() -> Iterator[list[str]]:
        for i, row in enumerate(readings(6000)):
            yield [*row, f"seen JG {i % 90 + 10} {i * 7 % 90 + 10} 44 B" if 5000 <= i < 5010 else "ok"]

    assert judged(["timestamp", "sensor", "temp", "total", "note"], rows()).flagged


def test_memory_does_not_grow_with_the_rows() -> None:
    judgement = JUDGE.begin()
    tracemalloc.start()
    judgement.table(Table(None, readings(30_000)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000


def test_what_was_seen_before_a_fault_is_kept() -> None:
    def broken() -> Iterator[list[str]]:
        yield from people(200)
        raise Unreadable(Reason.MALFORMED)

    judgement = JUDGE.begin()
    with pytest.raises(Unreadable):
        judgement.table(Table(["sex", "age", "marital", "ethnic", "income"], broken()))
    assert judgement.conclude().outcome is Outcome.MICRODATA and judgement.settled


def test_shuffled_rows_and_columns_give_the_same_outcome() -> None:
    header, rows = ["sex", "age", "marital", "ethnic", "income"], list(people(500))
    r = random.Random(17)
    order = r.sample(range(5), 5)
    shuffled = [[row[j] for j in order] for row in r.sample(rows, len(rows))]
    one, other = judged(header, iter(rows)), judged([header[j] for j in order], iter(shuffled))
    assert (one.outcome, one.subject, one.flagged) == (other.outcome, other.subject, other.flagged)


@pytest.mark.parametrize("rows", [[], [[]], [["", ""]], [["a"] * 3, ["b"], []], [["x"] * 5000]])
def test_odd_tables_are_judged_without_a_fault(rows: list[list[str]]) -> None:
    assert not judged(None, iter(rows)).flagged


def test_identifiers_just_before_a_fault_count() -> None:
    def broken() -> Iterator[list[str]]:
        yield from ([*row, ""] for row in readings(700))
        yield from ([*row, f"JG {10 + i} 37 59 A"] for i, row in enumerate(readings(5)))
        raise Unreadable(Reason.MALFORMED)

    judgement = JUDGE.begin()
    with pytest.raises(Unreadable):
        judgement.table(Table(["timestamp", "sensor", "temp", "total", "note"], broken()))
    assert judgement.conclude().flagged


def test_numbers_of_another_length_are_another_region() -> None:
    def rows() -> Iterator[list[str]]:
        for i, row in enumerate(readings(20_000)):
            yield [
                *row,
                "9434765919" if i % 2 and 15_000 < i < 15_600 else "4010232137" if i > 15_000 else "7",
            ]

    judgement = JUDGE.begin()
    judgement.table(Table(None, rows()))
    assert judgement.conclude().findings


def test_records_sorted_so_that_the_first_are_all_alike_are_found_and_sorted_readings_are_none() -> None:
    r = random.Random(18)
    answers = sorted(
        [r.choice(["control", "treated"]), r.choice(["female", "male"]), r.choice(["no", "yes"])]
        for _ in range(20_000)
    )
    assert len({*map(tuple, answers[:300])}) == 1
    assert judged(["arm", "sex", "smoker"], iter(answers)).flagged
    sensors = ([k, "C", "ok", str(t), f"{r.gauss(20, 3):.1f}"] for k in "abc" for t in range(5000))
    assert not judged(["id", "unit", "status", "t", "value"], sensors).flagged
    regions = [f"Region {i}" for i in range(12)]
    counts = ([g, s, str(y), str(r.randrange(900))] for g in regions for s in "FM" for y in range(1700, 2020))
    assert not judged(["region", "sex", "year", "count"], counts).flagged
