from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detectors.engine.dialect import Dialect
from detectors.engine.layout import Layout
from detectors.engine.segments import _HOLDS_CODE, _MARKS_OF_CODE, is_code, is_log, segments

PEOPLE = [f"{i},{20 + i % 40},M,{i}.5" for i in range(30)]


@given(st.text("if1 x=+-.(){}[];:\\/*#@,\t", max_size=20))
def test_no_line_of_a_program_is_passed_over(line: str) -> None:
    assert any(mark in line for mark in _MARKS_OF_CODE) or not _HOLDS_CODE.match(line)


@given(st.lists(st.text("ab1 ,;|:\t\"'-", max_size=30), max_size=40))
def test_every_line_is_in_one_segment_in_order(lines: list[str]) -> None:
    covered = [i for segment in segments(lines) for i in range(segment.first, segment.last)]
    assert covered == list(range(len(lines)))


def test_tables_of_two_dialects_and_the_text_between_are_told_apart() -> None:
    lines = [
        *PEOPLE,
        "",
        *["Some words that explain what is below it here."] * 12,
        "",
        *[p.replace(",", ";") for p in PEOPLE],
    ]
    cuts = [s.cut.delimiter if isinstance(s.cut, Dialect) else None for s in segments(lines)]
    assert cuts == [",", None, ";"]


def test_logs_and_programs_are_known_by_most_of_their_lines() -> None:
    assert is_log([f"2024-03-01 08:00:{i:02d} INFO started {i}" for i in range(20)])
    assert not is_log(PEOPLE)
    assert is_code(["def f(a):", "    return a", "", "x = f(1)", "if x:", "    print(x)"])
    assert not is_code(PEOPLE)


def test_a_listing_in_a_box_is_cut_by_its_columns_not_by_the_box() -> None:
    rows = [["id", "sex", "age"], *([str(1000 + n), "MF"[n % 2], str(20 + n)] for n in range(12))]
    listed = [
        f"{'' if not n else f'{n}.':>4} |{a:>6}   {b:>3}   {c:>3} |" for n, (a, b, c) in enumerate(rows)
    ]
    box = f"     +{'-' * 19}+"
    lines = [". list", "", box, listed[0], box.replace("+", "|"), *listed[1:], box]
    [found] = [s for s in segments(lines) if s.cut is not None]
    assert isinstance(found.cut, Layout)
    cut = found.cut.rows("\n".join(lines[found.first : found.last]))
    assert [row[1:4] for row in cut if any(row)] == rows
