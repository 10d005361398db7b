from __future__ import annotations

from detectors.engine.key_values import records


def found(lines: list[str]) -> list[tuple[list[str] | None, list[list[str]]]]:
    return [(table.header, [list(row) for row in table.rows]) for table in records(lines)]


def test_forms_with_a_field_left_out_are_records_all_the_same() -> None:
    lines = [
        line
        for i in range(8)
        for line in (f"Name: Jo {i}", f"Born: 198{i}", *([f"Rank: R{i}"] if i % 2 else []), "")
    ]
    assert found(lines) == [
        (["Name", "Born", "Rank"], [[f"Jo {i}", f"198{i}", f"R{i}" if i % 2 else ""] for i in range(8)])
    ]


def test_forms_without_blank_lines_begin_with_the_name_that_comes_again() -> None:
    assert found([f"{k} = {i}" for i in range(4) for k in ("id", "age")]) == [
        (["id", "age"], [[str(i)] * 2 for i in range(4)])
    ]


def test_two_of_a_kind_or_prose_are_no_records() -> None:
    assert found(["Name: Jo", "Born: 1980", "", "Name: Al", "Born: 1981"]) == []
    assert found(["Note: this is one line.", "The rest is prose.", "And so on it goes."] * 3) == []


def test_calls_with_named_arguments_amid_prose_are_no_log() -> None:
    prose = ["An operation takes an entry as one of its arguments, like this:", "and the result comes back."]
    calls = ['    name="New book", kind="General",', "    printed=day, price=1.23)"]
    assert found([*prose, *calls] * 5 + prose * 3) == []
    assert found([f"name=Jo{i}, age={i + 20}, dept=D{i % 3}" for i in range(6)]) != []
