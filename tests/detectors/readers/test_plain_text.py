from __future__ import annotations

import csv
import io
import random
import tracemalloc
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.engine.dialect import Dialect, candidates
from detectors.engine.segments import Segment, segments
from detectors.engine.table import ReadLimits, Table, Text, Unreadable
from detectors.readers import plain_text

Rows = list[list[str]]
HEADER = ["ref", "Age (years)", "sex", "Region", "salary", "started"]
NAMES = ["ref", "age", "sex", "region", "height_cm", "started", "grade", "note", "wt", "q1"]


def person(i: int) -> list[str]:
    region = ("North West", "London", "Cymru", "South East")[i * 7 % 4]
    started = f"{1 + i % 28:02d}/0{1 + i % 9}/20{10 + i % 13}"
    return [
        str(4000 + i * 3 % 997),
        str(17 + i * 31 % 48),
        "MF"[i * 5 % 2],
        region,
        str(20000 + i * 137),
        started,
    ]


PEOPLE = [person(i) for i in range(40)]


def test_a_table_is_told_how_much_text_stands_around_it() -> None:
    pick = random.Random(3)
    words = ["a", "widget", "is", "drawn", "where", "nobody", "has", "asked", "for", "it", "before"]
    text = "\n".join(" ".join(pick.choices(words, k=pick.randint(3, 14))) + "." for _ in range(50))
    rows = "\n".join(",".join(row) for row in PEOPLE)
    for data, around in ((f"{text}\n\n{rows}\n", 50), (f"{rows}\n", 0)):
        contents = plain_text.read(io.BytesIO(data.encode()), "text/plain", ReadLimits())
        assert [c.text_lines for c in contents if isinstance(c, Table)] == [around]
    program = f"#include <stdint.h>\nstatic const int table[] = {{\n{rows}\n}};\nint size = 40;\n"
    contents = plain_text.read(io.BytesIO(program.encode()), "text/plain", ReadLimits())
    assert [c.text_lines > len(PEOPLE) for c in contents if isinstance(c, Table)] == [True]


def found(
    data: bytes | str, limits: ReadLimits | None = None
) -> tuple[list[tuple[list[str] | None, Rows]], str]:
    """All tables with their rows, and all text."""
    data = data.encode() if isinstance(data, str) else data
    tables: list[tuple[list[str] | None, Rows]] = []
    lines: list[str] = []
    for content in plain_text.read(io.BytesIO(data), "text/plain", limits or ReadLimits()):
        if isinstance(content, Table):
            tables.append((content.header, [list(row) for row in content.rows]))
        elif isinstance(content, Text):
            lines.extend(content.lines)
    return tables, "\n".join(lines)


def written(
    rows: Sequence[Sequence[str]], delimiter: str = ",", quoting: int = csv.QUOTE_MINIMAL, end: str = "\n"
) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue()


words = st.sampled_from(
    ["North West", "London", "O'Neil", "Cymru", "Smith-Jones", "caffè", "yes", "no", "Grade 7", "AO"]
)
texts = st.one_of(words, st.sampled_from(["a, b", 'the "old" one', "x; y", "5 | 6", "tab\there"]))
columns = st.one_of(
    *[
        st.lists(cell, min_size=60, max_size=60)
        for cell in (
            st.integers(0, 120).map(str),
            st.integers(-9999, 99999).map(str),
            st.decimals(0, 200, places=2).map(str),
            st.dates().map(lambda d: d.strftime("%d/%m/%Y")),
            st.sampled_from(["M", "F"]),
            words,
            texts,
        )
    ]
)


@st.composite
def some_table(draw: st.DrawFn) -> tuple[list[str], Rows]:
    """A table with at least one column of numbers and one more, 6 to 60 rows."""
    cells = [draw(st.lists(st.integers(100, 99999).map(str), min_size=60, max_size=60))]
    cells += draw(st.lists(columns, min_size=2, max_size=7))
    count = draw(st.integers(6, 60))
    return NAMES[: len(cells)], [list(row) for row in zip(*cells, strict=True)][:count]


@settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    some_table(),
    st.sampled_from(",;\t|"),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "utf-32"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_a_table_reads_the_same_in_any_dialect_encoding_and_quoting(
    table: tuple[list[str], Rows], delimiter: str, quoting: int, encoding: str, end: str
) -> None:
    header, rows = table
    tables, _ = found(written([header, *rows], delimiter, quoting, end).encode(encoding))
    assert tables == [(header, rows)]


def test_lines_before_a_table_are_its_context_and_text() -> None:
    data = "Extract of personnel\nRun on 14 March\n\n" + written([HEADER, *PEOPLE])
    contents = list(plain_text.read(io.BytesIO(data.encode()), "text/csv", ReadLimits()))
    tables = [c for c in contents if isinstance(c, Table)]
    assert [t.header for t in tables] == [HEADER]
    assert "Extract of personnel" in tables[0].context
    assert found(data)[1].startswith("Extract of personnel")


def test_a_table_without_a_header_gets_none() -> None:
    assert found(written(PEOPLE)) == ([(None, PEOPLE)], "")


def test_a_header_that_comes_again_is_no_record() -> None:
    assert found(written([HEADER, *PEOPLE[:20], HEADER, *PEOPLE[20:]]))[0] == [(HEADER, PEOPLE)]


@pytest.mark.parametrize("mark", " \t,;")
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_header_without_a_name_for_the_names_of_rows_is_found(mark: str, quote: str) -> None:
    """R writes names of rows in front, under no name; a long line of names is kept whole."""
    wide = [[*row[:3], *row[4:], *map(str, range(i, i + 40))] for i, row in enumerate(PEOPLE)]
    names = ["ref", "age", "sex", "pay", "started", *(f"attended_week_{i}" for i in range(40))]
    lines = [names, *([str(i + 1), *row] for i, row in enumerate(wide))]
    data = "".join(mark.join(f"{quote}{cell}{quote}" for cell in line) + "\n" for line in lines)
    contents = plain_text.read(io.BytesIO(data.encode()), "text/plain", ReadLimits())
    content = next(c for c in contents if isinstance(c, Table))
    assert content.header == ["", *names]
    assert [list(row) for row in content.rows] == lines[1:]
    assert (content.text_lines, content.loose) == (0, False)


def test_a_line_of_words_above_a_table_is_not_its_header() -> None:
    assert found("Staff by place and year\n" + written([[p[3], *p[:5]] for p in PEOPLE]))[0][0][0] is None


def test_a_header_below_its_rows_is_found() -> None:
    assert found(written([*PEOPLE, HEADER]))[0] == [(HEADER, PEOPLE)]


def test_a_header_far_below_its_rows_is_found() -> None:
    rows = [person(i) for i in range(6_000)]
    assert found(written([*rows, HEADER]))[0] == [(HEADER, rows)]


def test_two_header_rows_are_folded() -> None:
    top, below = ["", "Men", "", "Women", ""], ["Region", "Officers", "Ranks", "Officers", "Ranks"]
    body = [
        [f"Region {c}", str(120 + i), str(900 + i), str(40 + i), str(300 + i)]
        for i, c in enumerate("ABCDEFGH")
    ]
    (header, rows), *others = found(written([top, below, *body]))[0]
    assert header == ["Region", "Men|Officers", "Men|Ranks", "Women|Officers", "Women|Ranks"]
    assert (rows, others) == (body, [])


@pytest.mark.parametrize("mark", "!#*§│")
def test_a_delimiter_that_hardly_anybody_uses_cuts_all_the_same(mark: str) -> None:
    assert found("\n".join(mark.join(row) for row in [HEADER, *PEOPLE]))[0] == [(HEADER, PEOPLE)]


def test_marks_that_come_now_and_then_cut_nothing() -> None:
    text = "\n".join(f"{i} widgets! More: #{i}" + "!" * (i % 3) for i in range(30))
    assert {dialect.delimiter for dialect in candidates(text)}.isdisjoint("!#")


def test_a_table_that_a_database_client_draws_is_read_without_its_frame() -> None:
    wide = [[cell.ljust(12) for cell in row] for row in [HEADER, *PEOPLE]]
    rule = "─" * 14
    drawn = ["┌" + "┬".join([rule] * 6) + "┐", *("│ " + " │ ".join(row) + " │" for row in wide)]
    drawn.insert(2, "├" + "┼".join([rule] * 6) + "┤")
    assert found("\n".join([*drawn, "└" + "┴".join([rule] * 6) + "┘"]))[0] == [(HEADER, PEOPLE)]


@pytest.mark.parametrize(
    ("title", "between"), [("-[ RECORD {} ]----", "     | "), ("QUESTIONNAIRE", " ......... ")]
)
def test_a_record_may_have_a_line_for_each_value(title: str, between: str) -> None:
    blocks = [
        "\n".join([title.format(i), *map(between.join, zip(HEADER, row, strict=True))])
        for i, row in enumerate(PEOPLE)
    ]
    assert found("\n\n".join(blocks))[0] == [(HEADER, PEOPLE)]


def test_pages_of_a_listing_are_cut_alike_whatever_their_titles() -> None:
    def page(at: int) -> str:
        rows = ["".join(cell.rjust(14) for cell in row) for row in PEOPLE[at : at + 10]]
        header = "".join(name.replace(" ", "_").rjust(14) for name in HEADER)
        return "\n".join([f"                    The Made Up System, page {at}", "", header, "", *rows, ""])

    tables = found("\f".join(page(at) for at in (0, 10, 20, 30)))[0]
    assert [row for _, rows in tables for row in rows if len(row) == 6 and row[0].isdecimal()] == PEOPLE
    assert tables[0][0] == [name.replace(" ", "_") for name in HEADER]


def test_names_that_a_program_declares_stand_over_its_data() -> None:
    data = "\n".join(" ".join([*row[:3], row[3][:1], *row[4:]]) for row in PEOPLE)
    program = "data a;\n  input ref age sex $ region $ pay started ddmmyy10.;\n  datalines;\n"
    tables = found(f"{program}{data}\n;\nproc means; run;\n")[0]
    assert tables[0][0] == ["ref", "age", "sex", "region", "pay", "started"]


def test_stacked_tables_of_different_dialects_are_all_found() -> None:
    sizes = [["town", "people"], *[[f"Town {c}", str(1000 + ord(c))] for c in "ABCDEFGH"]]
    data = (
        written([HEADER, *PEOPLE])
        + "\n\nSizes of towns\n\n"
        + written(sizes, "\t")
        + "\nThat is all of it.\n"
    )
    tables, text = found(data)
    assert tables == [(HEADER, PEOPLE), (sizes[0], sizes[1:])]
    assert "That is all of it." in text


def test_tables_side_by_side_are_told_apart() -> None:
    right = [["town", "mayor"], *[[f"Town {c}", f"Mayor {c}"] for c in "ABCDEFGH"]]
    rows = [[*a, "", "", *b] for a, b in zip([HEADER, *PEOPLE[:8]], right, strict=True)]
    tables, _ = found(written(rows))
    assert [t[0] for t in tables] == [HEADER, right[0]]
    assert tables[1][1] == right[1:]


def test_ragged_rows_stay_in_their_table() -> None:
    rows = [row[: 6 - (i % 3)] for i, row in enumerate(PEOPLE)]
    data = "\n".join(",".join(row) for row in [HEADER, *rows]) + "\n"
    assert found(data)[0] == [(HEADER, rows)]


def test_a_decimal_comma_and_thousands_do_not_cut() -> None:
    rows = [[f"R{i}", f"{i},{i % 10}5", f"1.{i:03d},00", f"1 {200 + i}"] for i in range(30)]
    assert found(written([["code", "rate", "pay", "men"], *rows], ";"))[0] == [
        (["code", "rate", "pay", "men"], rows)
    ]


def test_a_cell_may_hold_line_ends() -> None:
    rows = [[*row[:-1], f"first line\nsecond, line {i}"] for i, row in enumerate(PEOPLE)]
    assert found(written([HEADER, *rows]))[0] == [(HEADER, rows)]


def test_a_stray_quote_swallows_no_record() -> None:
    rows = [
        [row[0], row[1], f'"{row[3]}' if i % 9 == 4 else row[3], row[4]] for i, row in enumerate(PEOPLE * 40)
    ]
    data = "ref,age,region,pay\n" + "".join(",".join(row) + "\n" for row in rows)
    data = data.replace("London", '"London"')
    tables, _ = found(data)
    assert sum(len(rows) for _, rows in tables) >= 0.99 * len(rows)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_fixed_width_reads_like_csv(end: str) -> None:
    widths = [max(map(len, c)) + 1 for c in zip(HEADER, *PEOPLE, strict=True)]
    lines = ["".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in [HEADER, *PEOPLE]]
    assert found(end.join(lines))[0] == [(HEADER, PEOPLE)]


def test_fixed_width_of_numbers_to_the_right_reads_like_csv() -> None:
    rows = [[row[0], row[1], row[4]] for row in PEOPLE]
    lines = ["".join(c.rjust(8) for c in row) for row in [["ref", "age", "salary"], *rows]]
    assert found("\n".join(lines))[0] == [(["ref", "age", "salary"], rows)]


def test_columns_to_the_right_keep_names_that_are_longer_than_their_values() -> None:
    names = ["participant", "surname", "first_assessment", "score"]
    rows = [[str(i % 90), f"Pryce, {'AB'[i % 2]}", str(i % 7), str(i * 13 % 900)] for i in range(120)]
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    lines = ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in [names, *rows]]
    assert found("\n".join(lines))[0] == [(names, rows)]


def test_a_last_value_that_is_missing_parts_no_table_between_bars() -> None:
    names = ["drug", "length", "before", "after"]
    rows = [["NY"[i % 2], str(i % 3), str(20 + i % 9), "" if i % 4 == 0 else str(i % 30)] for i in range(60)]
    assert found("\n".join(map("|".join, [names, *rows])) + "\n")[0] == [(names, rows)]


FORMS = {
    "LaTeX": ("\\begin{tabular}{lll}\n\\toprule\n", " & ", " \\\\\n", "\\bottomrule\n\\end{tabular}\n"),
    "ARFF": (
        "@relation x\n@attribute time real\n@attribute delta real\n@attribute type real\n@data\n",
        ",",
        "\n",
        "",
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_only_frames_a_table_is_no_text_around_it(form: str) -> None:
    before, between, end, behind = FORMS[form]
    rows = [["a\\_b" if form == "LaTeX" else "a_b", str(i % 2), str(i * 7 % 50)] for i in range(12)]
    header = [["time", "delta", "type"]] if form == "LaTeX" else []
    text = before + "".join(between.join(row) + end for row in [*header, *rows]) + behind
    contents = plain_text.read(io.BytesIO(text.encode()), "text/plain", ReadLimits())
    (table,) = [c for c in contents if isinstance(c, Table)]
    assert not table.loose and table.text_lines == 0
    assert found(text)[0] == [(["time", "delta", "type"], [["a_b", *row[1:]] for row in rows])]


@pytest.mark.parametrize("mark", [" ", ",", "\t", ";"])
@pytest.mark.parametrize("label", ["{}", "subject{}"])
def test_names_of_rows_have_none_themselves(mark: str, label: str) -> None:
    names = [f"variable_with_a_long_name_{k}" for k in range(12)]
    rows = [[label.format(i), *(str(i * k % 7) for k in range(1, 13))] for i in range(1, 41)]
    lines = [mark.join(f'"{name}"' for name in names)]
    lines += [mark.join([f'"{row[0]}"', *row[1:]]) for row in rows]
    contents = plain_text.read(io.BytesIO("\n".join(lines).encode()), "text/plain", ReadLimits())
    (table,) = [c for c in contents if isinstance(c, Table)]
    assert table.header == ["", *names] and not table.loose and table.text_lines == 0
    assert found("\n".join(lines))[0] == [(table.header, rows)]


def test_what_a_database_client_prints_of_few_columns_is_no_form() -> None:
    rows = [[["Leeds", "Hull"][i % 2], str(i % 9), str(i * 7 % 50)] for i in range(30)]
    lines = [" | ".join(cell.ljust(8) for cell in row) for row in [["town", "distance", "time"], *rows]]
    lines.insert(1, "---------+----------+---------")
    assert found("\n".join(lines))[0] == [(["town", "distance", "time"], rows)]


def test_what_declares_the_names_of_data_is_no_text_around_it() -> None:
    rows = "".join(f"{i},{i % 2},{i * 7 % 50}\n" for i in range(30))
    program = f"data one;\n  infile datalines dlm=',';\n  input z1 z2 t1;\ndatalines;\n{rows};\nrun;\n"
    contents = plain_text.read(io.BytesIO(program.encode()), "text/plain", ReadLimits())
    (table,) = [c for c in contents if isinstance(c, Table)]
    assert table.header == ["z1", "z2", "t1"] and not table.loose and table.text_lines == 2


def test_a_markdown_table_in_prose_is_found() -> None:
    lines = ["| " + " | ".join(row) + " |" for row in [HEADER, *PEOPLE]]
    lines.insert(1, "|---" * len(HEADER) + "|")
    tables, text = found("# Staff\n\nAs agreed, here they are.\n\n" + "\n".join(lines) + "\n\nRegards\n")
    assert tables == [(HEADER, PEOPLE)]
    assert "Regards" in text


def test_forms_that_repeat_are_records() -> None:
    forms = [f"Name: Jo Example{i}\nBorn: 0{1 + i % 9}/02/19{50 + i}\nBlood group: O-\n" for i in range(12)]
    tables, text = found("\n".join(forms))
    assert [t[0] for t in tables] == [["Name", "Born", "Blood group"]]
    assert len(tables[0][1]) == 12
    assert "Example7" in text


def test_pairs_in_a_log_are_records() -> None:
    lines = [
        f"2024-03-01 08:00:{i:02d},123 INFO svc - user=jo{i}@example.org dob=1990-01-{1 + i % 28:02d} ok"
        for i in range(30)
    ]
    tables, text = found("\n".join(lines))
    assert [t[0] for t in tables] == [["user", "dob"]]
    assert tables[0][1][4] == ["jo4@example.org", "1990-01-05"]
    assert len(text.split("\n")) == 30


def test_a_list_of_codes_is_a_table_of_one_column() -> None:
    codes = [f"AB{i:06d}C" for i in range(100, 140)]
    tables, _ = found("\n".join(codes))
    assert [rows for _, rows in tables] == [[[code] for code in codes]]


PROSE = """The board met on Tuesday, and it noted, as usual, that the returns were late.
Members, guests and staff, who had come from London, Leeds and York, agreed on this.
It was said that age, sex, and rank would be published, with rounding, in the spring.
The chair thanked them, and the meeting, which was short, closed at 16:00, as planned.

Next steps: the team will write to the units, ask for their figures, and check them.
"""
PROGRAM = """import csv, sys

def total(rows, start, end):
    for name, age, sex in rows:
        print(name, age, sex)
    return sum(row[1] for row in rows[start:end])

VALUES = {
    "a": [1, 2, 3],
    "b": [4, 5, 6],
    "c": [7, 8, 9],
}
"""


@pytest.mark.parametrize("text", [PROSE, PROGRAM], ids=["prose", "program"])
def test_prose_and_programs_are_text_and_no_table(text: str) -> None:
    assert found(text) == ([], text.rstrip("\n"))


def test_records_deep_in_a_text_are_found() -> None:
    data = PROSE * 600 + "\n" + written([HEADER, *PEOPLE]) + "\n" + PROSE
    tables, _ = found(data)
    assert (HEADER, PEOPLE) in tables


def test_records_of_another_dialect_deep_in_a_table_are_found() -> None:
    counts = [
        ["year", "area", "count"],
        *[[str(1990 + i % 30), f"E0{i}", str(1000 + i)] for i in range(20_000)],
    ]
    tables, _ = found(written(counts) + "\n\n" + written([HEADER, *PEOPLE], ";") + "\n" + PROSE)
    assert tables[0] == (counts[0], counts[1:])
    assert (HEADER, PEOPLE) in tables


def test_a_table_left_half_way_does_not_hide_the_next() -> None:
    data = (
        written([HEADER, *[person(i) for i in range(9_000)]])
        + PROSE * 20
        + "\n"
        + written([["town", "mayor", "men"], *[[f"T{i}", f"Jo B{i}", str(i)] for i in range(30)]], ";")
    )
    headers = []
    for content in plain_text.read(io.BytesIO(data.encode()), "text/plain", ReadLimits()):
        if isinstance(content, Table):
            headers.append(content.header)
            next(content.rows)
    assert headers == [HEADER, ["town", "mayor", "men"]]


def test_every_byte_can_be_read() -> None:
    data = written([HEADER, *PEOPLE]).encode().replace(b"Cymru", b"\x80\x81\xff\xe9")
    tables, _ = found(data)
    assert len(tables[0][1]) == len(PEOPLE)


def test_a_line_without_end_is_refused_in_bounded_memory() -> None:
    class Endless(io.RawIOBase):
        at = 0

        def seekable(self) -> bool:
            return True

        def seek(self, offset: int, whence: int = 0) -> int:
            self.at = offset if whence == 0 else 10**9 + offset
            return self.at

        def read(self, count: int = -1) -> bytes:
            self.at += count
            return b"12,3" * (count // 4)

    tracemalloc.start()
    with pytest.raises(Unreadable, match="limit_cell"):
        list(plain_text.read(Endless(), "text/plain", ReadLimits()))  # type: ignore[arg-type]
    assert tracemalloc.get_traced_memory()[1] < 64 * 1024**2
    tracemalloc.stop()


def test_a_million_columns_are_refused() -> None:
    data = "\n".join([",".join(["7"] * 200_000)] * 3)
    with pytest.raises(Unreadable, match="limit_columns"):
        found(data)


def test_a_long_table_streams_in_bounded_memory() -> None:
    data = written([HEADER]).encode() + written(PEOPLE).encode() * 1_000
    stream = io.BytesIO(data)
    tracemalloc.start()
    count = sum(
        1 for c in plain_text.read(stream, "text/csv", ReadLimits()) if isinstance(c, Table) for _ in c.rows
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 40_000
    assert peak < 24 * 1024**2


@pytest.mark.parametrize("believed", [1, 10**9], ids=["its_first_block_is_text", "no_block_is_as_it_looks"])
def test_a_stretch_whose_first_block_is_no_table_is_not_looked_at_for_ever(
    monkeypatch: pytest.MonkeyPatch, believed: int
) -> None:
    """A file of 4 MB was one table as a whole and text at its beginning, again and again."""
    lines = ["Words that say what is meant."] * 300 + [",".join(p) for p in PEOPLE]
    looks = 0

    def as_a_whole(seen: Sequence[str]) -> list[Segment]:
        nonlocal looks
        looks += 1
        assert looks < 50
        return [Segment(0, len(seen), Dialect(","))] if looks <= believed else segments(seen)

    monkeypatch.setattr(plain_text, "segments", as_a_whole)
    found = plain_text.read_text(io.BytesIO("\n".join(lines).encode()), ReadLimits())
    held = [
        list(c.rows) if isinstance(c, Table) else list(c.lines) for c in found if isinstance(c, Table | Text)
    ]
    assert sum(map(len, held)) >= 300


def test_rows_without_a_header_amid_text_and_rows_of_a_program_are_loose() -> None:
    def loose(text: str) -> list[bool]:
        content = plain_text.read(io.BytesIO(text.encode()), "text/plain", ReadLimits())
        return [c.loose for c in content if isinstance(c, Table)]

    pick = random.Random(3)
    rows = [[str(pick.randrange(9)), str(pick.randrange(90)), str(pick.randrange(5))] for _ in range(40)]
    assert loose("\n".join(map(" ".join, rows))) == [False]
    assert loose("\n".join(["Of the made-up survey:", "", *map(" ".join, rows)])) == [True]
    named = [["age", "ward", "score"], *rows]
    assert loose("\n".join(map(" ".join, named))) == [False]
    assert loose("\n".join(["Of the made-up survey:", "", *map(" ".join, named)])) == [True]
    assert loose("\n".join(map(",".join, rows))) == [False]
    assert loose("\n".join(map(" ".join, [["V1", "V2", "V3"], *rows]))) == [False]
    array = ["static const int part[] = {", *(f"    {', '.join(row)}," for row in rows), "};"] * 3
    assert all(loose("\n".join(["#include <parts.h>", *array])))


@pytest.mark.parametrize("cell", ['="{}"', "{}"])
def test_cells_that_keep_their_noughts_and_slashes_between_cells_are_cut(cell: str) -> None:
    rows = [
        [cell.format(value) for value in (f"00{i}", 20 + i, "MF"[i % 2], i % 4, i % 3)] for i in range(20)
    ]
    mark = "," if "=" in cell else "/"
    text = "\n".join(mark.join(row) for row in [["ref", "age", "sex", "q1", "q2"], *rows])
    contents = plain_text.read(io.BytesIO(text.encode()), "text/plain", ReadLimits())
    tables = [(c.header, list(c.rows)) for c in contents if isinstance(c, Table)]
    assert tables[0][0] == ["ref", "age", "sex", "q1", "q2"] and tables[0][1][1] == [
        "001",
        "21",
        "F",
        "1",
        "1",
    ]


def test_names_longer_than_the_values_below_them_are_not_torn() -> None:
    names = ["reference", "agelastb", "sexofresp", "workstat"]
    rows = [[str(100 + i), str(20 + i), "12"[i % 2], str(i % 5)] for i in range(30)]
    lines = ["  ".join(cell.ljust(len(name)) for name, cell in zip(names, row, strict=True)) for row in rows]
    text = "List\n\n" + " ".join(name.rjust(9) for name in names) + "\n\n" + "\n".join(lines) + "\n"
    assert (names, rows) in found(text)[0]
    shifted = "List\n\nreference  agelastb  sexofresp  workstat\n\n" + "".join(
        f"{a:>9}  {b:>8}  {c:>9}  {d:>8}\n" for a, b, c, d in rows
    )
    assert (names, rows) in found(shifted)[0]


def test_rows_in_brackets_have_the_names_of_the_list_before_them() -> None:
    body = ",\n".join(str([str(k + i) for k in range(4)]) for i in range(20))
    for before in ("names = ['ref', 'age', 'sex', 'job']", 'HEAD = ("ref", "age", "sex", "job")'):
        tables, _ = found(f"{before}\nrows = [\n{body}\n]\n")
        assert [(header, rows[:19]) for header, rows in tables] == [
            (["ref", "age", "sex", "job"], [[str(k + i) for k in range(4)] for i in range(19)])
        ]


def test_values_without_blanks_between_them_come_out_as_a_loose_table() -> None:
    r = random.Random(4)
    lines = [f"{7000 + i}{r.randint(16, 89)}" + "".join(r.choices("1234", k=9)) for i in range(90)]
    contents = plain_text.read(io.BytesIO("\n".join(lines).encode()), "text/plain", ReadLimits())
    found = [(c.loose, len(next(iter(c.rows)))) for c in contents if isinstance(c, Table)]
    assert len(found) == 1 and found[0][0] and found[0][1] >= 11


def test_the_line_end_of_a_mainframe_ends_a_line_of_utf_8_too() -> None:
    text = "\x85".join(";".join(row) for row in [HEADER, *PEOPLE])
    assert found(text)[0] == [(HEADER, PEOPLE)]


def test_names_on_a_marked_line_before_the_rows_are_a_header() -> None:
    rows = [[str(100 + i), str(20 + i), "12"[i % 2], str(i % 5)] for i in range(30)]
    body = "".join(",".join(row) + "\n" for row in rows)
    before = '.. csv-table:: X\n   :header: "ref", "age", "sex", "job"\n   :widths: auto\n\n'
    assert [header for header, _ in found(before + body)[0]] == [["ref", "age", "sex", "job"]]


def test_what_a_console_prints_is_a_table_and_no_program() -> None:
    rows = [[str(1 + i), str(20 + i), "12"[i % 2], str(i % 5)] for i in range(30)]
    body = "".join(" ".join(cell.rjust(3) for cell in row) + "\n" for row in rows)
    text = f"> print(x)\n    age sex job\n{body}> q()\n"
    contents = plain_text.read(io.BytesIO(text.encode()), "text/plain", ReadLimits())
    found = [(c.header, c.text_lines) for c in contents if isinstance(c, Table)]
    assert found == [(["", "age", "sex", "job"], found[0][1])] and found[0][1] < 5
