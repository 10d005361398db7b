"""Which layouts of one made-up survey are missed: `python benchmarks/odd_layouts.py [--people 80]`.

The same coded records of people, without names of anybody, as statistical programs, databases, programs,
markup and spreadsheets write them. Each layout that is not flagged is printed with what is said of it.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import random
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pandas
import xlsxwriter

from detectors.engine.examine import examine
from detectors.engine.judge import Judge
from detectors.engine.table import ReadLimits
from detectors.engine.verdict import Tier

NAMES = ["serial", "age", "sex", "region", "marital", "health", "hours", "income"]
REGIONS = ["North", "South", "East", "West"]
TOTALS = [["Region", "Total"], ["North", "1200"], ["South", "900"], ["East", "400"], ["All", "2500"]]
Row = list[str]
Layout = Callable[[list[Row]], str | bytes]
LAYOUTS: dict[str, Layout] = {}


def survey(people: int) -> list[Row]:
    """So many made-up people, shuffled."""
    r = random.Random(5)
    rows = [
        [str(10_000 + 7 * i), str(r.randint(16, 90)), r.choice("12"), r.choice(REGIONS),
         str(r.randint(1, 5)), str(r.choice([1, 2, 3, 4, 5, -9])), str(r.choice([0, 37, 38, 20])),
         str(50 * r.randint(80, 900))]
        for i in range(people)
    ]  # fmt: skip
    r.shuffle(rows)
    return rows


def layout(function: Layout) -> Layout:
    LAYOUTS[function.__name__] = function
    return function


def number(cell: str) -> int | str:
    return int(cell) if cell.lstrip("-").isdigit() else cell


def quoted(cell: str, mark: str = '"') -> str:
    return cell if cell.lstrip("-").isdigit() else f"{mark}{cell}{mark}"


def widths(rows: Sequence[Row]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def padded(rows: Sequence[Row], gap: str, left: bool = False) -> list[str]:
    wide = widths(rows)
    return [
        gap.join(c.ljust(w) if left else c.rjust(w) for c, w in zip(row, wide, strict=True)) for row in rows
    ]


def records(rows: Sequence[Row]) -> list[dict[str, int | str]]:
    return [dict(zip(NAMES, map(number, row), strict=True)) for row in rows]


def frame(rows: Sequence[Row]) -> pandas.DataFrame:
    return pandas.DataFrame(records(rows))


def delimited(mark: str, before: str = "", behind: str = "", end: str = "\n") -> Layout:
    return lambda rows: end.join(before + mark.join(row) + behind for row in [NAMES, *rows])


def blocks(title: str, between: str, gap: str = "\n") -> Layout:
    """A line for each value."""
    return lambda rows: gap.join(
        "\n".join([title.format(i + 1), *(f"{n}{between}{c}" for n, c in zip(NAMES, row, strict=True))])
        for i, row in enumerate(rows)
    )


def each(start: str, pair: str, between: str, stop: str, before: str = "", behind: str = "") -> Layout:
    """A line for each record, with a name beside each value."""
    return lambda rows: (
        before
        + "\n".join(
            start + between.join(pair.format(n, quoted(c), c) for n, c in zip(NAMES, row, strict=True)) + stop
            for row in rows
        )
        + behind
    )


LAYOUTS |= {
    **{f"cut at {mark!r}": delimited(mark) for mark in ["!", "#", "/", "~~", "||", " ", "§", "*"]},
    "carriage returns": delimited(",", end="\r"),
    "blank lines between": delimited(",", end="\n\n"),
    "indented": delimited(",", before="\t\t"),
    "delimiter at the end": delimited(",", behind=","),
    "quoted in a mail": delimited(",", before="> "),
    "added in a patch": delimited(",", before="+"),
    "client's expanded rows": blocks("-[ RECORD {} ]---", " | "),
    "client's vertical rows": blocks("*********** {}. row ***********", ": "),
    "sections of settings": blocks("\n[person{}]", "="),
    "TOML": blocks("\n[[person]]", " = "),
    "forms with dots": blocks("QUESTIONNAIRE", " ........ ", "\n\n"),
    "YAML in lines": each("- {", "{0}: {2}", ", ", "}"),
    "logfmt": each("ts=2025-03-01T10:00:00Z level=info ", "{0}={2}", " ", ""),
    "names and values": each("", "{0}={2}", ", ", ""),
    "Perl": each("{", "{0} => '{2}'", ", ", "},", "my @d = (\n", "\n);"),
    "PHP": each("['", "{0}' => {1}", ", '", "],", "<?php\nreturn [\n", "\n];"),
    "JavaScript": each("{", "{0}: {1}", ", ", "},", "export default [\n", "\n];"),
    "EDN": each("{", ":{0} {1}", " ", "}", "[", "]"),
    "attributes of XML": each("<row ", '{0}="{2}"', " ", "/>", "<data>", "</data>"),
    "cards of a page": each(
        "<div class='card'><dl>", "<dt>{0}</dt><dd>{2}</dd>", "", "</dl></div>", "<html>", "</html>"
    ),
    "two pairs a line": lambda rows: "\n\n".join(
        "\n".join(
            "    ".join(f"{n}: {c:8}" for n, c in [*zip(NAMES, row, strict=True)][k : k + 2])
            for k in (0, 2, 4, 6)
        )
        for row in rows
    ),
    "two lines a record": lambda rows: "\n".join(
        ",".join(part) for row in rows for part in (row[:4], row[4:])
    ),
    "set by statements": each("UPDATE s SET ", "{0} = {1}", ", ", ";"),
    "RDF": each("<http://made.up/p> ", '<http://made.up/{0}> "{2}"', " ; ", " ."),
}


@layout
def psql(rows: list[Row]) -> str:
    lines = padded([NAMES, *rows], " | ")
    rule = "-+-".join("-" * w for w in widths([NAMES, *rows]))
    return "\n".join([lines[0], rule, *lines[1:], f"({len(rows)} rows)"])


def _boxed(rows: list[Row], marks: str) -> str:
    side, dash, *corners = marks
    lines = [f"{side} {line} {side}" for line in padded([NAMES, *rows], f" {side} ", left=True)]
    rules = [
        left + cross.join(dash * (w + 2) for w in widths([NAMES, *rows])) + right
        for left, cross, right in (corners[:3], corners[3:6], corners[6:])
    ]
    return "\n".join([rules[0], lines[0], rules[1], *lines[1:], rules[2]])


@layout
def mysql(rows: list[Row]) -> str:
    return _boxed(rows, "|-+++++++++")


@layout
def drawn_box(rows: list[Row]) -> str:
    return _boxed(rows, "│─┌┬┐├┼┤└┴┘")


@layout
def wrapped_print(rows: list[Row]) -> str:
    return frame(rows).to_string(line_width=40)


@layout
def pages_of_a_listing(rows: list[Row]) -> str:
    lines = padded([["Obs", *NAMES], *([str(i + 1), *row] for i, row in enumerate(rows))], "   ")

    def page(at: int) -> str:
        title = f"             The Made Up System       12:01 Monday, March 3, 2025   {at // 20 + 1}"
        return "\n".join([title, "", lines[0], "", *lines[at + 1 : at + 21], ""])

    return "\f".join(page(at) for at in range(0, len(rows), 20))


@layout
def boxed_list(rows: list[Row]) -> str:
    lines = [f"{i or '':>4}. | {line} |" for i, line in enumerate(padded([NAMES, *rows], "   "))]
    rule = "      +" + "-" * 60 + "+"
    return "\n".join([rule, lines[0].replace(".", " "), rule, *lines[1:], rule])


@layout
def data_within_a_program(rows: list[Row]) -> str:
    given = " ".join(n + (" $" if n == "region" else "") for n in NAMES)
    data = "\n".join(map(" ".join, rows))
    return f"data survey;\n input {given};\n datalines;\n{data}\n;\nrun;\nproc means; run;\n"


@layout
def declared_list(rows: list[Row]) -> str:
    return (
        f"DATA LIST FREE / {' '.join(NAMES)}.\nBEGIN DATA\n"
        + "\n".join(map(" ".join, rows))
        + "\nEND DATA.\n"
    )


@layout
def rows_of_tuples(rows: list[Row]) -> str:
    return "DATA = [\n" + ",\n".join(f"    {tuple(map(number, row))!r}" for row in rows) + "\n]\n"


@layout
def statement_for_each_row(rows: list[Row]) -> str:
    given = ", ".join(NAMES)
    return "\n".join(
        f"INSERT INTO s ({given}) VALUES ({', '.join(quoted(c, chr(39)) for c in row)});" for row in rows
    )


@layout
def statement_for_each_cell(rows: list[Row]) -> str:
    return "\n".join(
        f"Cells({i}, {j}) = {quoted(c)}" for i, row in enumerate(rows) for j, c in enumerate(row)
    )


@layout
def columns_of_yaml(rows: list[Row]) -> str:
    return "\n".join(
        f"{n}: [{', '.join(column)}]" for n, column in zip(NAMES, zip(*rows, strict=True), strict=True)
    )


@layout
def fixed_width_without_blanks(rows: list[Row]) -> str:
    return "\n".join("".join(c.rjust(w, "0") for c, w in zip(row, widths(rows), strict=True)) for row in rows)


@layout
def one_value_a_line(rows: list[Row]) -> str:
    return "\n".join(cell for row in [NAMES, *rows] for cell in row)


@layout
def label_and_indexes(rows: list[Row]) -> str:
    return "\n".join(
        " ".join([row[2], *(f"{j}:{c}" for j, c in enumerate(row) if j not in (2, 3))]) for row in rows
    )


@layout
def sylk(rows: list[Row]) -> str:
    cells = (
        f"C;Y{i};X{j};K{quoted(c)}" for i, row in enumerate([NAMES, *rows], 1) for j, c in enumerate(row, 1)
    )
    return "\n".join(["ID;PWXL;N;E", *cells, "E", ""])


@layout
def dif(rows: list[Row]) -> str:
    def cell(c: str) -> str:
        return f"0,{c}\nV" if isinstance(number(c), int) else f'1,0\n"{c}"'

    body = "\n".join("\n".join(["-1,0\nBOT", *map(cell, row)]) for row in [NAMES, *rows])
    return f'TABLE\n0,1\n"MADE UP"\nDATA\n0,0\n""\n{body}\n-1,0\nEOD\n'


for orient in ("split", "index", "columns", "values", "table"):
    LAYOUTS[f"JSON by {orient}"] = lambda rows, orient=orient: frame(rows).to_json(orient=orient)


@layout
def json_in_a_log(rows: list[Row]) -> str:
    return "\n".join(f"2025-03-01T10:00:00Z INFO app saved {json.dumps(record)}" for record in records(rows))


@layout
def json_in_a_column(rows: list[Row]) -> str:
    cells = (json.dumps(record).replace('"', '""') for record in records(rows))
    return "id,payload\n" + "\n".join(f'{i},"{cell}"' for i, cell in enumerate(cells))


@layout
def page_of_divisions(rows: list[Row]) -> str:
    def line(row: Row) -> str:
        return "<div class='r'>" + "".join(f"<span>{cell}</span>" for cell in row) + "</div>"

    return "<html><body><div>" + "".join(map(line, [NAMES, *rows])) + "</div></body></html>"


@layout
def page_with_a_script(rows: list[Row]) -> str:
    data = json.dumps([list(map(number, row)) for row in rows])
    return f"<html><script>var rows = {data}; var names = {json.dumps(NAMES)};</script></html>"


@layout
def base_85(rows: list[Row]) -> bytes:
    return base64.b85encode("\n".join(map(",".join, [NAMES, *rows])).encode())


@layout
def preformatted_on_a_page(rows: list[Row]) -> str:
    return "<html><body><p>Check</p><pre>" + "\n".join(padded([NAMES, *rows], "   ")) + "</pre></body></html>"


@layout
def placed_by_a_program(rows: list[Row]) -> str:
    places, at = "", 1
    for name, wide in zip(NAMES, widths(rows), strict=True):
        places += f" {name} {at}-{at + wide - 1}"
        at += wide
    return f"data survey;\ninput{places};\ncards;\n" + "\n".join(padded(rows, "")) + "\n;\n"


@layout
def names_and_values_in_lists(rows: list[Row]) -> str:
    answers = [[{"question": n, "answer": c} for n, c in zip(NAMES, row, strict=True)] for row in rows]
    return json.dumps({"returns": [{"id": f"r{i}", "answers": a} for i, a in enumerate(answers)]})


@layout
def a_file_for_each_person(rows: list[Row]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for i, record in enumerate(records(rows)):
            archive.writestr(f"{i}.json", json.dumps(record))
    return out.getvalue()


def _put(sheet: xlsxwriter.worksheet.Worksheet, rows: Sequence[Row], y: int = 0, x: int = 0) -> None:
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            sheet.write(y + i, x + j, number(cell))


def workbook(fill: Callable[[xlsxwriter.Workbook, list[Row]], None]) -> None:
    def write(rows: list[Row]) -> bytes:
        out = io.BytesIO()
        with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
            fill(book, rows)
        return out.getvalue()

    LAYOUTS[f"workbook: {fill.__name__}"] = write


@workbook
def under_and_beside_totals(book: xlsxwriter.Workbook, rows: list[Row]) -> None:
    sheet = book.add_worksheet()
    _put(sheet, TOTALS)
    _put(sheet, [NAMES, *rows], 20, 4)


@workbook
def a_form_on_each_sheet(book: xlsxwriter.Workbook, rows: list[Row]) -> None:
    for row in rows[:60]:
        _put(book.add_worksheet(), [[name, cell] for name, cell in zip(NAMES, row, strict=True)])


@workbook
def set_on_its_side(book: xlsxwriter.Workbook, rows: list[Row]) -> None:
    _put(book.add_worksheet(), [list(column) for column in zip(NAMES, *rows, strict=True)])


@workbook
def lines_that_were_not_cut(book: xlsxwriter.Workbook, rows: list[Row]) -> None:
    _put(book.add_worksheet(), [[",".join(row)] for row in [NAMES, *rows]])


@workbook
def in_a_comment_and_a_text_box(book: xlsxwriter.Workbook, rows: list[Row]) -> None:
    sheet = book.add_worksheet()
    _put(sheet, TOTALS)
    sheet.write_comment(0, 0, "\n".join(map(",".join, [NAMES, *rows[:60]])))
    sheet.insert_textbox(4, 4, "\n".join(map(",".join, [NAMES, *rows[:60]])))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=80, help="how many people the survey has")
    rows = survey(parser.parse_args().people)
    judge, missed = Judge(), 0
    for name, write in LAYOUTS.items():
        written = write(rows)
        data = written if isinstance(written, bytes) else written.encode()
        found = examine(io.BytesIO(data), len(data), judge, ReadLimits())
        if found.tier not in (Tier.LIKELY, Tier.CONFIRMED):
            missed += 1
            print(f"{name:32} {found.outcome.value}, {found.tier.value}, {found.confidence:.2f}")
    print(f"{len(LAYOUTS)} layouts, {missed} missed")


if __name__ == "__main__":
    main()
