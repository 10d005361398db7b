"""JSON of any layout: records, rows, columns; the rest as text."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from detectors.engine.json_walk import MAX_DEPTH
from detectors.engine.table import Budget, Part, ReadLimits, Row, Table, Text, Unreadable
from detectors.readers.json_text import FIRST_LOOK, read


def found(
    value: Any, limits: ReadLimits | None = None
) -> tuple[list[tuple[list[str] | None, list[Row]]], list[str]]:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    kept: list[tuple[list[str] | None, list[Row]]] = []
    lines: list[str] = []
    for content in read(io.BytesIO(data), "application/json", limits or ReadLimits()):
        if isinstance(content, Table):
            rows = list(content.rows)
            kept.append((content.header, rows))
        elif isinstance(content, Text):
            lines += content.lines
    return kept, lines


AGES = [{"id": i, "age": 20 + i} for i in range(4)]
ROWS = [[str(i), str(20 + i)] for i in range(4)]


@pytest.mark.parametrize(
    "value",
    [
        AGES,
        {"people": AGES},
        {"data": {"items": AGES}},
        {str(1000 + i): record for i, record in enumerate(AGES)},
        {"columns": ["id", "age"], "data": [[r["id"], r["age"]] for r in AGES]},
        [["id", "age"], *([r["id"], r["age"]] for r in AGES)],
        {"id": [r["id"] for r in AGES], "age": [r["age"] for r in AGES]},
        {"id": {str(i): i for i in range(4)}, "age": {str(i): 20 + i for i in range(4)}},
        b"\n".join(json.dumps(r).encode() for r in AGES),
        json.dumps(AGES).encode("utf-16"),
        json.dumps(AGES).encode("utf-32-be"),
    ],
    ids=["list", "named", "deep", "keyed", "split", "rows", "columns", "index", "lines", "utf-16", "utf-32"],
)
def test_one_table_in_every_layout(value: Any) -> None:
    (table,), _ = found(value)
    assert table[0] == ["id", "age"]
    assert [list(row) for row in table[1]] == ROWS


def test_objects_named_by_words_are_records_too() -> None:
    ((header, rows),), _ = found({f"person-{chr(97 + i)}": {"age": i, "sex": "F"} for i in range(20)})
    assert header == ["key", "age", "sex"]
    assert len(rows) == 20


def test_nested_values_have_dotted_names_and_nested_lists_a_table_of_their_own() -> None:
    people = [{"n": {"first": f"A{i}"}, "tags": ["x", "y"], "visits": [{"w": 1}, {"w": 2}]} for i in range(3)]
    kept, lines = found({"title": "T", "people": people})
    assert kept[0] == (["n.first", "tags", "visits.w"], [[f"A{i}", "x; y", "1"] for i in range(3)])
    assert kept[1] == (["w"], [["1"], ["2"]] * 3)
    assert lines == ["title: T"]


def test_variables_that_come_late_still_get_a_column() -> None:
    ((header, rows),), _ = found([*([{"a": 1}] * 300), {"a": 2, "late": 3}])
    assert header == ["a", "late"]
    assert rows[-1] == ["2", "3"]


def test_no_value_is_lost() -> None:
    value = {
        "a": ["AB123456C"],
        "b": {"c": "deep", "d": [["x", ["y"]]]},
        "e": [{"f": "one"}],
        "g": [1, "two"],
    }
    kept, lines = found(value)
    out = " ".join([*lines, *(cell for _, rows in kept for row in rows for cell in row)])
    assert all(word in out for word in ("AB123456C", "deep", "x", "y", "one", "two"))


def test_a_table_far_behind_another_is_found() -> None:
    long = [{"x": i} for i in range(FIRST_LOOK // 3)]
    kept, _ = found({"first": long, "second": AGES})
    assert [header for header, _ in kept] == [["x"], ["id", "age"]]
    assert len(kept[0][1]) == len(long)


def test_not_a_number_is_no_reason_to_stop() -> None:
    ((_, rows),), _ = found(b'[{"a": NaN, "b": 1}, {"a": -Infinity, "b": 2}]')
    assert rows == [["", "1"], ["", "2"]]


def test_records_before_a_fault_come_out() -> None:
    seen: list[Row] = []
    with pytest.raises(Unreadable, match="malformed"):
        for content in read(io.BytesIO(b'[{"a": 1}, {"a": 2}, {"a": '), "application/json", ReadLimits()):
            assert isinstance(content, Table)
            for row in content.rows:
                seen += [row]
    assert seen == [["1"], ["2"]]


def test_depth_and_length_have_limits() -> None:
    with pytest.raises(Unreadable, match="limit_depth"):
        found(b"[" * (MAX_DEPTH + 10))
    with pytest.raises(Unreadable, match="limit_cell"):
        found(b'["' + b"x" * 3_000_000, ReadLimits(max_line_bytes=1_000_000))


def test_a_value_too_long_for_a_cell_is_cut_there_and_comes_out_whole_as_text() -> None:
    picture = "\n".join(f"line {i} of a picture" for i in range(4000)) + "\nthe end"
    data = json.dumps([{"id": 1, "image": picture}, {"id": 2, "image": "none"}]).encode()
    rows: list[list[str]] = []
    lines: list[str] = []
    for content in read(io.BytesIO(data), "application/json", ReadLimits()):
        if isinstance(content, Table):
            rows += [list(row) for row in content.rows]
        elif isinstance(content, Text):
            lines += content.lines
    assert [row[0] for row in rows] == ["1", "2"] and len(rows[0][1]) == ReadLimits().max_cell_chars
    assert lines.count("the end") == 1


def test_a_tree_with_branches_is_loose_and_records_with_lists_are_not() -> None:
    def loose(value: Any) -> list[bool]:
        content = read(io.BytesIO(json.dumps(value).encode()), "application/json", ReadLimits())
        return [c.loose for c in content if isinstance(c, Table)]

    flat = [{"v.1": i, "v.2": [1, 2]} for i in range(8)]
    assert loose(flat) == loose({"data": flat}) == [False]
    assert loose([{"v1": i, "at": {"x": 1, "y": 2}} for i in range(8)]) == [True]
    assert loose({"columns": ["a", "b"], "data": [[i, i % 3] for i in range(8)]}) == [False]
    assert loose([[i, i % 3] for i in range(8)]) == [True]


def _texts(value: Any, limits: ReadLimits | None = None) -> list[bytes]:
    contents = read(io.BytesIO(json.dumps(value).encode()), "application/json", limits or ReadLimits())
    parts: list[bytes] = []
    for content in contents:
        if isinstance(content, Part):
            parts.append(content.open().read())
        elif isinstance(content, Table):
            list(content.rows)
        elif isinstance(content, Text):
            list(content.lines)
    return parts


def _notebook(*outputs: dict[str, Any]) -> dict[str, Any]:
    source = ["import pandas as pd\n", "df = pd.read_csv(path)\n", "df.head()"]
    return {"cells": [{"cell_type": "code", "source": source, "outputs": [{"data": o} for o in outputs]}]}


def test_what_a_notebook_printed_is_a_part() -> None:
    lines = [f"{i:4}  {20 + i}  F  {i % 3}\n" for i in range(12)]
    page = "<table>" + "<tr><td>1</td><td>20</td></tr>" * 12 + "</table>"
    assert _texts(_notebook({"text/plain": lines}, {"text/html": [page]})) == [
        "".join(lines).encode(),
        page.encode(),
    ]
    assert _texts({"log": "".join(lines)}) == ["".join(lines).encode()]


def test_a_notebook_of_plots_and_code_has_no_parts() -> None:
    picture = {"image/png": "iVBORw0KGgoAAAANSUhEUg" * 40 + "\n", "text/plain": ["<Figure size 640x480>"]}
    assert _texts(_notebook(*[picture] * 5)) == []


def test_whole_texts_are_counted_as_members() -> None:
    printed = "".join(f"{i:4}  {20 + i}  F  {i % 3}\n" for i in range(12))
    with pytest.raises(Unreadable):
        _texts({"a": printed, "b": printed}, ReadLimits(budget=Budget(10_000, 1)))


def test_a_name_and_a_value_in_a_list_within_a_record_are_a_variable() -> None:
    people = [
        {
            "id": f"a{i}",
            "answers": [{"code": "q1", "label": "age", "value": 20 + i}, {"label": "sex", "value": "F"}],
        }
        for i in range(5)
    ]
    assert (["id", "age", "sex"], [[f"a{i}", str(20 + i), "F"] for i in range(5)]) in found(people)[0]


def test_columns_whose_cells_have_keys_are_a_table() -> None:
    value = {name: {f"k{i}": 10 * at + i for i in range(20)} for at, name in enumerate(["age", "pay", "q"])}
    assert found(value)[0] == [(["age", "pay", "q"], [(str(i), str(10 + i), str(20 + i)) for i in range(20)])]


def test_a_document_within_a_text_and_columns_of_a_widget_are_read() -> None:
    parts = [
        c for c in read(io.BytesIO(json.dumps({"body": json.dumps(AGES * 9)}).encode()), "", ReadLimits())
    ]
    assert [json.load(part.open()) for part in parts if isinstance(part, Part)] == [AGES * 9]
    columns = [[f"p{i}" for i in range(20)], list(range(20, 40)), ["F"] * 20]
    heads = "<table><tr><th>ref</th><th>age</th><th>sex</th></tr></table>"
    (table,), _ = found({"x": {"data": columns, "container": heads}})
    assert table[0] == ["ref", "age", "sex"] and list(table[1][3]) == ["p3", "23", "F"]


def test_objects_under_keys_that_go_on_are_records_however_many_names_they_have() -> None:
    names = [f"q{k}" for k in range(20)]
    data = json.dumps({f"case_{i}": {name: i + k for k, name in enumerate(names)} for i in range(30)})
    contents = read(io.BytesIO(data.encode()), "application/json", ReadLimits())
    found = [(c.header, len(list(c.rows))) for c in contents if isinstance(c, Table)]
    assert found[0] == (["key", *names], 30)


def test_an_answer_in_a_list_under_the_name_of_its_type_is_a_value() -> None:
    items = [
        [{"linkId": "age", "text": "Your age", "answer": [{"valueInteger": 20 + i}]},
         {"linkId": "job", "text": "Your job", "answer": [{"valueString": "x"}]}]
        for i in range(6)
    ]  # fmt: skip
    data = json.dumps({"entry": [{"id": i, "item": item} for i, item in enumerate(items)]})
    contents = read(io.BytesIO(data.encode()), "application/json", ReadLimits())
    found = [(c.header, [list(row) for row in c.rows]) for c in contents if isinstance(c, Table)]
    assert (["id", "age", "job"], [[str(i), str(20 + i), "x"] for i in range(6)]) in found
