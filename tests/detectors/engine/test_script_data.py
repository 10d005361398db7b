"""Data in the scripts of a page; programs hold none."""

from __future__ import annotations

import json

import pytest

from detectors.engine import script_data
from detectors.engine.script_data import document, in_scripts

ROWS = [[100 + 7 * i, 20 + i * 13 % 60, "12"[i % 2], "North"] for i in range(12)]
TEXTS = [list(map(str, row)) for row in ROWS]
NAMES = ["id", "age", "sex", "region"]


def tables(script: str) -> list[tuple[list[str] | None, list[list[str]]]]:
    return [(t.header, [list(row) for row in t.rows]) for t in in_scripts(script)]


@pytest.mark.parametrize("quote", ['"', "'"])
def test_rows_in_brackets_are_a_table_with_the_names_that_stand_elsewhere(quote: str) -> None:
    rows, names = json.dumps(ROWS).replace('"', quote), json.dumps(NAMES).replace('"', quote)
    assert tables(f"var rows = {rows}; draw(rows[0]); var cols={names}") == [(NAMES, TEXTS)]
    assert tables(f"const d = [\n{names},\n{rows[1:]};") == [(NAMES, TEXTS)]
    assert tables(f"f({rows})") == [(None, TEXTS)]


def test_a_document_is_told_from_a_program() -> None:
    held = {"people": [dict(zip(NAMES, row, strict=True)) for row in ROWS]}
    assert json.loads(document(f"\n{json.dumps(held)}\n") or "") == held
    assert json.loads(document(f"window.DATA = {json.dumps(held)};") or "") == held
    assert document("[1, 2].forEach(x => draw(x)); var y = {a: 1};") is None
    assert document("{" + '"a":{' * 50_000) is None


def test_programs_hold_no_rows() -> None:
    assert tables("for (i = 0; i < 9; i++) { a[i] = b[i][0], c[2], d[3]; } if (x[1]) f(y[2], z[3])") == []
    assert tables("x = " + json.dumps([[i, i] for i in range(50)])) == []


def test_endless_brackets_cost_a_bounded_amount(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_data, "MOST_CELLS", 1000)
    assert len(tables("[" + "[1,2,3,4]," * 5000 + "]")[0][1]) <= 251
    assert tables("[" * 100_000) == tables("[a" * 50_000) == []
