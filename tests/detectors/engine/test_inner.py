"""A column whose cells are tables of their own is cut once more; ordinary text in cells is left as it is."""

from __future__ import annotations

import json
import random

import pytest
from shipped import JUDGE

from detectors.engine.inner import cut_alike, inner
from detectors.engine.judge import Conclusion
from detectors.engine.table import Table

NAMES = ["caseid", "sex", "age", "region", "marital", "income", "health"]


def people(n: int) -> list[list[str]]:
    r = random.Random(41)
    return [
        [str(5000 + 3 * i), r.choice("12"), str(r.randint(16, 90)), str(r.randint(1, 12)), r.choice("1234"),
         str(int(2.7 ** r.gauss(10, 0.5))), r.choice("12345")]
        for i in range(n)
    ]  # fmt: skip


def things(n: int) -> list[list[str]]:
    r = random.Random(42)
    return [
        [f"SKU-{i}", f"{r.random():.2f}", r.choice(["red", "blue"]), str(r.randint(0, 99))] for i in range(n)
    ]


def judged(header: list[str] | None, cells: list[str]) -> Conclusion:
    judgement = JUDGE.begin()
    stamps = [f"2025-03-{1 + i % 28:02d} 10:00" for i in range(len(cells))]
    judgement.table(Table(header, iter([list(row) for row in zip(stamps, cells, strict=True)])))
    return judgement.conclude()


def as_json(row: list[str], names: list[str]) -> str:
    return json.dumps(
        {"who": dict(zip(names[:3], row[:3], strict=True)), **dict(zip(names[3:], row[3:], strict=True))}
    )


def as_pairs(row: list[str], names: list[str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in zip(names, row, strict=True))


def as_form(row: list[str], names: list[str]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in zip(names, row, strict=True))


def as_line(row: list[str], names: list[str]) -> str:
    return ",".join(row)


@pytest.mark.parametrize("write", [as_json, as_pairs, as_form, as_line])
def test_people_within_the_cells_of_a_column_are_found_and_things_are_not(write) -> None:
    header = ["time", ",".join(NAMES) if write is as_line else "answers"]
    assert judged(header, [write(row, NAMES) for row in people(60)]).flagged
    names = ["sku", "price", "colour", "stock"]
    header = ["time", ",".join(names) if write is as_line else "answers"]
    assert not judged(header, [write(row, names) for row in things(60)]).flagged


def test_a_list_of_objects_in_each_cell_is_as_many_records() -> None:
    cells = [json.dumps([{"age": 30 + i, "sex": 1, "n": k} for k in range(2)]) for i in range(6)]
    [(names, rows)] = inner(["household", "members"], [[str(i), cell] for i, cell in enumerate(cells)])
    assert names == ["age", "sex", "n"] and len(rows) == 12 and rows[1] == ["30", "1", "1"]


def test_statistics_within_cells_stay_statistics() -> None:
    r = random.Random(43)
    cells = [
        json.dumps({"region": g, "year": y, "sex": s, "count": 10 * r.randint(1, 90)})
        for g in ("North", "South", "East") for y in range(2010, 2020) for s in ("Men", "Women")
    ]  # fmt: skip
    assert not judged(["time", "payload"], cells).flagged


def test_prose_paths_and_few_cells_are_not_cut() -> None:
    assert cut_alike([f"Of {i}, as we said, nothing, in the end, is known." for i in range(9)]) is None
    assert cut_alike(["/usr/share/doc"] * 9) is None
    assert cut_alike(["1,2,3,4"] * 4) is None
    cut = cut_alike([f"{i},2,x,4" for i in range(9)])
    assert cut is not None and cut.delimiter == ","


@pytest.mark.parametrize(
    "cell", ["[" * 30_000, "{" + '"a":{' * 9000, "[" + "9" * 6000 + "]", '{"a": NaN}', "{}"]
)
def test_hostile_cells_cost_little_and_hold_nothing(cell: str) -> None:
    assert list(inner(None, [["1", cell]] * 20)) == []


def test_line_ends_written_out_and_records_of_a_program_within_cells_are_read() -> None:
    rows = people(40)
    forms = ["\\n".join(f"{n}: {c}" for n, c in zip(NAMES, row, strict=True)) for row in rows]
    records = [repr(dict(zip(NAMES, row, strict=True))) for row in rows]
    for cells in (forms, records):
        found = list(inner(["text"], [[cell] for cell in cells]))
        assert (NAMES, rows) in found
