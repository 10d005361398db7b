"""Data written out in programs is found; a program's own tables are not taken for people."""

from __future__ import annotations

import io
import random

import pytest
from shipped import JUDGE

from detectors.engine.examine import examine
from detectors.engine.literals import (
    are_braced,
    braced,
    has_vector,
    in_brackets,
    stacked,
    vectors,
    without_brackets,
)
from detectors.engine.table import ReadLimits
from detectors.engine.verdict import Verdict

NAMES = ["caseid", "sex", "age", "marital", "health", "income"]
_pick = random.Random(5)
PEOPLE = [
    [
        str(1000 + 3 * i),
        _pick.choice(["Male", "Female"]),
        str(min(90, max(16, int(_pick.gauss(44, 17))))),
        _pick.choice(["Single", "Married", "Divorced", "Widowed"]),
        _pick.choice("12345"),
        str(int(_pick.lognormvariate(9.9, 0.6) / 100) * 100),
    ]
    for i in range(120)
]
COLUMNS = {name: [row[k] for row in PEOPLE] for k, name in enumerate(NAMES)}


def judged(text: str) -> Verdict:
    data = text.encode()
    return examine(io.BytesIO(data), len(data), JUDGE, ReadLimits())


def _r_vector(values: list[str]) -> str:
    if not values[0].isdecimal():
        levels = sorted(set(values))
        codes = ", ".join(f"{levels.index(v) + 1}L" for v in values)
        named = ", ".join(f'"{v}"' for v in levels)
        return f'structure(c({codes}), levels = c({named}), class = "factor")'
    return "c(" + ", ".join(f"{v}L" for v in values) + ")"


_VECTORS = ", ".join(f"{name} = {_r_vector(values)}" for name, values in COLUMNS.items())
DPUT = f"structure(list({_VECTORS}), row.names = c(NA, -120L))"
WRITTEN = {
    "dput on one line": f"people <- {DPUT}\n",
    "dput on many lines": "people <- " + DPUT.replace(", ", ",\n") + "\n",
    "dict of lists": "import pandas as pd\ndf = pd.DataFrame(" + repr(COLUMNS) + ")\n",
    "rows of tuples": "rows = [\n" + "".join(f"    {tuple(row)!r},\n" for row in PEOPLE) + "]\nshow(rows)\n",
    "rows of lists": "const rows = [\n" + "".join(f"  {row!r},\n" for row in PEOPLE) + "];\n",
    "rows of dicts": "people = [\n"
    + "".join(f"    {dict(zip(NAMES, row, strict=True))!r},\n" for row in PEOPLE)
    + "]\n",
    "objects on many lines": "export const people = [\n"
    + "".join(
        "  {\n"
        + "".join(f"    {k}: {v if v.isdecimal() else repr(v)},\n" for k, v in zip(NAMES, row, strict=True))
        + "  },\n"
        for row in PEOPLE
    )
    + "];\n",
    "rows of LaTeX": "\\begin{tabular}{llllll}\n"
    + "".join(" & ".join(row) + " \\\\\n" for row in [NAMES, *PEOPLE])
    + "\\end{tabular}\n",
    "rows of a wiki": "{| class='wikitable'\n! "
    + " !! ".join(NAMES)
    + "\n"
    + "".join(f"|-\n| {' || '.join(row)}\n" for row in PEOPLE)
    + "|}\n",
    "cells of a wiki": "{|\n"
    + "".join(f"! {name}\n" for name in NAMES)
    + "".join("|-\n" + "".join(f"| {cell}\n" for cell in row) for row in PEOPLE)
    + "|}\n",
    "attributes": "@relation survey\n"
    + "".join(f"@attribute {name} string\n" for name in NAMES)
    + "@data\n"
    + "\n".join(map(",".join, PEOPLE)),
    "attributes, and blanks behind commas": "@relation survey\n"
    + "".join(f"@attribute {name} string\n" for name in NAMES)
    + f"@inputs {', '.join(NAMES)}\n@data\n"
    + "\n".join(", ".join(cell.replace(" ", "-") for cell in row) for row in PEOPLE),
}


@pytest.mark.parametrize("way", WRITTEN)
def test_people_written_out_in_a_program_are_found(way: str) -> None:
    assert judged(WRITTEN[way]).flagged


def test_a_table_before_attributes_is_not_lost() -> None:
    table = "\n".join(map(",".join, [NAMES, *PEOPLE]))
    assert judged(f"{table}\n\n@relation x\n@attribute a real\n@attribute b real\n@data\n1,2\n").flagged


_things = random.Random(8)
MAP = [tuple(round(_things.random(), 4) for _ in range(3)) for _ in range(200)]
POINTS = [(f"0x{i:04X}", f"0x{i + 32:04X}", _things.choice(["Lu", "Ll", "Nd"])) for i in range(65, 300)]
PARTS = [
    {
        "sku": f"W{i:04d}",
        "colour": _things.choice(["red", "green"]),
        "width": _things.randint(1, 90),
        "stock": i * 7 % 40,
    }
    for i in range(120)
]
OTHERS = {
    "a colour map": "_data = [\n" + "".join(f"    [{r}, {g}, {b}],\n" for r, g, b in MAP) + "]\n",
    "code points": "TABLE = (\n" + "".join(f"    ({a}, {b}, '{c}'),\n" for a, b, c in POINTS) + ")\n",
    "a fixture of things": "PARTS = [\n" + "".join(f"    {part!r},\n" for part in PARTS) + "]\n",
    "curves": "plot(\n"
    + ",\n".join(
        f"    {name}=[{', '.join(str(m[k]) for m in MAP)}]" for k, name in enumerate(("x", "y", "z"))
    )
    + ",\n)\n",
    "a frame of a test": "df = DataFrame({'A': "
    + repr(list(range(60)))
    + ", 'B': "
    + repr([f"foo{i % 3}" for i in range(60)])
    + "})\nassert df.shape == (60, 2)\n",
    "statistics in LaTeX": "\\begin{tabular}{lrrr}\nVariable & Estimate & Error & p \\\\ \\hline\n"
    + "".join(f"{n} & {a} & {b} & {c} \\\\\n" for n, (a, b, c) in zip(NAMES * 8, MAP, strict=False))
    + "\\end{tabular}\n",
    "towns of a wiki": "{|\n! District !! Population !! Area\n"
    + "".join(f"|-\n| District {i} || {i * 7919 % 90000} || {m[0] * 100:.1f}\n" for i, m in enumerate(MAP))
    + "|}\n",
    "places of a wiki": "{|\n! Place\n! Height\n! Opened\n"
    + "".join(f"|-\n| Place {i}\n| {i * 7919 % 900}\n| {1900 + i % 90}\n" for i in range(120))
    + "|}\n",
    "rules of style": "".join(f".b{i} {{ color: red, margin: {i} }}\n" for i in range(60)),
}


@pytest.mark.parametrize("way", OTHERS)
def test_a_programs_own_tables_are_no_people(way: str) -> None:
    assert not judged(OTHERS[way]).flagged


def test_codes_are_put_into_words_where_their_levels_follow() -> None:
    codes = ", ".join(["1L", "NA", "2L"] * 4)
    text = f'list(kind = structure(c({codes}), .Label = c("a", "b, c")), n = c({", ".join("1" * 12)}))'
    assert list(vectors([text])) == [(["kind", "n"], [["a", "1"], ["NA", "1"], ["b, c", "1"]] * 4)]


def test_vectors_may_be_cut_anywhere_between_lines() -> None:
    values = ",\n".join(str(i % 50) for i in range(40_000))
    text = "".join(f"{name} = c({values}),\n" for name in ("sex", "age"))
    lines = text.splitlines(keepends=True)
    blocks = ["".join(lines[i : i + 9_000]) for i in range(0, len(lines), 9_000)]
    (names, rows), *others = vectors(blocks)
    assert (names, len(rows), others) == (["sex", "age"], 40_000, [])


def test_vectors_of_other_lengths_or_of_more_than_values_make_no_table() -> None:
    ten, more = "[" + "1, " * 10 + "]", "[" + "1, " * 11 + "]"
    assert has_vector(f"a = {ten}") and not has_vector("a = [1, 2, 3]; b: [4, 5]; c = f(1, 2)")
    assert list(vectors([f"a = {ten}\nb = {more}\n"])) == []
    assert list(vectors(["a = [" + "f(x), " * 12 + "]\nb = [" + "x: 1, " * 12 + "]\n"])) == []
    assert list(vectors(["".join(f"{k} = [{'0x10, ' * 12}]\n" for k in "ab")])) == []
    assert len(list(vectors([f"a = {ten}\nb = {ten}\na = {ten}\nb = {ten}\n"]))) == 2


def test_brackets_and_quotes_around_rows_and_cells_are_taken_off() -> None:
    row = ["   ('1'", "Male", '"x"', "44)", ""]
    assert in_brackets([row] * 5) and not in_brackets([row] * 4) and not in_brackets([*[row] * 5, ["a", "b"]])
    assert without_brackets(row) == ["1", "Male", "x", "44"]
    assert without_brackets(["[1L", "None", "a]"]) == ["1", "", "a"]


def test_braces_hold_a_record_only_if_they_hold_nothing_but_pairs() -> None:
    lines = ["{'a': '1', \"b\": 2.5},", "{ a: 'x: y', b => null }"]
    assert braced(lines * 5) == [{"a": "1", "b": "2.5"}, {"a": "x: y", "b": ""}] * 5
    assert braced(lines * 4) == []
    others = ["if (x) { return 1; }", "{1, 2, 3}", ".a { color: red; margin: 0 }", "{'a': f(1), 'b': 2}"]
    assert braced(others * 10) == []


def test_cells_of_a_wiki_may_have_a_line_each() -> None:
    table = ["{|", "! id", "! style=x | age", *["|-", "| 1", "| align=right | 44"] * 10, "|}", "| no row"]
    assert stacked(table)[:9] == [{"id": "1", "age": "44"}] * 9
    assert stacked(["|-", "| 1"] * 20) == stacked(["| 1", "| 2"] * 20) == []


def test_records_in_square_brackets_are_those_of_php() -> None:
    lines = ["return [", *["    ['age' => 44, 'sex' => 'F'],"] * 12, "];"]
    assert braced(lines) == [{"age": "44", "sex": "F"}] * 12 and are_braced(lines)
    assert not are_braced(["[1, 2]"] * 20) and not are_braced(["{a: 1}"] * 12 + ["words"] * 12)


HOSTILE = [
    "[",
    "{",
    "{a:",
    "a=[",
    "a=c(",
    "a=['",
    'a=[\\"',
    "{'a': '\\",
    "a=np.array(np.array(",
    "a=[\n",
    "'",
    "a=[1,",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_megabyte_of_brackets_is_passed_once(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    assert not has_vector(text) and list(vectors([text, text])) == [] and braced([text]) == []


def test_records_of_edn_and_values_in_the_clothes_of_their_types_are_read() -> None:
    edn = [f'{{:id {i} :full-name "A, B" :sex :f}}' for i in range(12)]
    assert are_braced(edn) and braced(edn)[1] == {"id": "1", "full-name": "A, B", "sex": ":f"}
    shell = [f'{{ "_id" : ObjectId("ab{i}"),\n "age" : NumberInt({i}) }}' for i in range(12)]
    assert braced(shell)[2] == {"_id": "ab2", "age": "2"}
