"""Workbooks: every sheet, what is hidden, and the caches behind a published table."""

from __future__ import annotations

import datetime
import io
import resource
import zipfile

import pytest
import xlsxwriter

from detectors.engine.table import Part, ReadLimits, Row, Table, Text, Unreadable
from detectors.readers.spreadsheet import read

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
NS = f'xmlns="{MAIN}"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Found = tuple[Table, list[Row]]


def found(data: bytes, limits: ReadLimits | None = None) -> tuple[list[Found], list[str], list[str]]:
    """Tables with their rows, lines, names of parts."""
    kept: list[Found] = []
    lines: list[str] = []
    parts: list[str] = []
    for content in read(io.BytesIO(data), XLSX, limits or ReadLimits()):
        if isinstance(content, Table):
            kept.append((content, list(content.rows)))
        elif isinstance(content, Text):
            lines += content.lines
        elif isinstance(content, Part):
            parts.append(content.untrusted_name)
    return kept, lines, parts


def package(parts: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name, text in {"[Content_Types].xml": "<Types/>", **parts}.items():
            target.writestr(name, text)
    return out.getvalue()


def workbook(sheet: str, space: str = MAIN, **more: str) -> bytes:
    return package(
        {
            "xl/workbook.xml": f'<workbook xmlns="{space}" xmlns:r="{RELATIONS}"><sheets>'
            '<sheet name="One" sheetId="1" r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="r1" '
            'Target="worksheets/sheet1.xml"/></Relationships>',
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{space}"><sheetData>{sheet}'
            "</sheetData></worksheet>",
            **{name.replace("__", "/") + ".xml": text for name, text in more.items()},
        }
    )


NUMBERS = "".join(
    f'<row r="{i}"><c r="A{i}"><v>{i}</v></c><c r="B{i}"><v>{i * 2}</v></c></row>' for i in range(1, 9)
)


def test_every_sheet_is_read_and_hidden_ones_are_marked() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        for name in ("Shown", "Hidden", "Very"):
            sheet = book.add_worksheet(name)
            for i, row in enumerate([["id", "age"], [1, 30], [2, 40]]):
                sheet.write_row(i, 0, row)
            if name == "Hidden":
                sheet.hide()
            if name == "Very":
                sheet.very_hidden()
    kept, _, _ = found(out.getvalue())
    assert [(t.context[0], t.hidden) for t, _ in kept] == [("Shown", False), ("Hidden", True), ("Very", True)]
    assert all((t.header, rows) == (["id", "age"], [["1", "30"], ["2", "40"]]) for t, rows in kept)


def test_dates_booleans_and_numbers_read_as_people_see_them() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write_row(0, 0, ["born", "member", "pay", "ref"])
        for i in range(1, 5):
            sheet.write_datetime(i, 0, datetime.datetime(1980, 1, i), day)
            sheet.write_boolean(i, 1, True)
            sheet.write_number(i, 2, 0.1 + 0.2)
            sheet.write_number(i, 3, 4_123_456_789_012)
    ((_, rows),), _, _ = found(out.getvalue())
    assert rows[0] == ["1980-01-01", "TRUE", "0.3", "4123456789012"]


def test_a_pivot_cache_gives_the_records_behind_the_pivot() -> None:
    kept, _, _ = found(
        workbook(
            NUMBERS,
            xl__pivotCache__pivotCacheDefinition1=f"<pivotCacheDefinition {NS}><cacheFields>"
            '<cacheField name="name"><sharedItems><s v="Ann"/><s v="Bob"/></sharedItems></cacheField>'
            '<cacheField name="age"><sharedItems/></cacheField></cacheFields></pivotCacheDefinition>',
            xl__pivotCache__pivotCacheRecords1=f"<pivotCacheRecords {NS}>"
            '<r><x v="0"/><n v="30"/></r><r><x v="1"/><n v="41"/></r></pivotCacheRecords>',
        )
        + b""
    )
    assert [t.hidden for t, _ in kept] == [False, True]
    assert kept[1][0].header is None  # no relation names the definition
    assert kept[1][1] == [["", "30"], ["", "41"]]


def test_a_pivot_cache_finds_its_fields_by_relation() -> None:
    data = package(
        {
            "xl/workbook.xml": f"<workbook {NS}><sheets/></workbook>",
            "xl/worksheets/sheet1.xml": f"<worksheet {NS}><sheetData>{NUMBERS}</sheetData></worksheet>",
            "xl/pivotCache/pivotCacheDefinition1.xml": f'<d {NS}><cacheField name="name"><sharedItems>'
            '<s v="Ann"/><s v="Bob"/></sharedItems></cacheField><cacheField name="age"/></d>',
            "xl/pivotCache/_rels/pivotCacheDefinition1.xml.rels": '<Relationships><Relationship Id="r1" '
            'Target="pivotCacheRecords1.xml"/></Relationships>',
            "xl/pivotCache/pivotCacheRecords1.xml": f'<d {NS}><r><x v="1"/><n v="41"/></r></d>',
        }
    )
    kept, _, _ = found(data)
    assert (kept[1][0].header, kept[1][1]) == (["name", "age"], [["Bob", "41"]])


def test_cached_cells_of_other_workbooks_are_a_hidden_table() -> None:
    cells = "".join(
        f'<row r="{i}"><cell r="A{i}" t="str"><v>n{i}</v></cell><cell r="B{i}"><v>{i}</v></cell></row>'
        for i in range(1, 6)
    )
    link = f'<externalLink {NS}><externalBook><sheetDataSet><sheetData sheetId="0">{cells}</sheetData>'
    kept, _, _ = found(
        workbook(
            NUMBERS, xl__externalLinks__externalLink1=link + "</sheetDataSet></externalBook></externalLink>"
        )
    )
    assert kept[1][0].hidden
    assert kept[1][1][0] == ["n1", "1"]


def test_sheets_that_no_list_names_are_read_as_hidden() -> None:
    kept, _, _ = found(
        workbook(NUMBERS, xl__worksheets__sheet9=f"<w {NS}><sheetData>{NUMBERS}</sheetData></w>")
    )
    assert [t.hidden for t, _ in kept] == [False, True]


def test_comments_are_text_and_strangers_are_parts() -> None:
    comment = "<comment><text><r><t>a note</t></r></text></comment>"
    note = f"<comments {NS}><commentList>{comment}</commentList></comments>"
    out = io.BytesIO(workbook(NUMBERS, xl__comments1=note))
    with zipfile.ZipFile(out, "a") as target:
        target.writestr("xl/embeddings/oleObject1.bin", b"inner")
        target.writestr("staff.csv", b"id,age\n1,2\n")
    _, lines, parts = found(out.getvalue())
    assert lines == ["a note"]
    assert parts == ["xl/embeddings/oleObject1.bin", "staff.csv"]


@pytest.mark.parametrize("space", [MAIN, STRICT, ""])
def test_namespaces_do_not_matter(space: str) -> None:
    ((_, rows),), _, _ = found(workbook(NUMBERS, space))
    assert len(rows) == 8


def test_inline_strings_errors_and_gaps_keep_their_places() -> None:
    sheet = (
        '<row r="2"><c r="C2" t="inlineStr"><is><t>x</t><rPh><t>no</t></rPh></is></c>'
        '<c r="D2" t="e"><v>#N/A</v></c></row>'
        '<row r="9"><c r="A9" t="str"><v>far</v></c><c r="D9"><v>1</v></c></row>'
    )
    kept, lines, _ = found(workbook(sheet))
    cells = [cell for t, rows in kept for row in [t.header or [], *rows] for cell in row] + lines
    assert {"x", "#N/A", "far", "1"} <= set(cells)


def test_a_declaration_of_entities_is_refused() -> None:
    data = package(
        {"xl/workbook.xml": '<!DOCTYPE w [<!ENTITY a "b">]><workbook/>', "xl/worksheets/sheet1.xml": "<w/>"}
    )
    with pytest.raises(Unreadable, match="malformed"):
        found(data)


def test_one_long_string_in_many_cells_is_counted() -> None:
    strings = f"<sst {NS}><si><t>{'x' * 30_000}</t></si></sst>"
    rows = "".join(
        f'<row r="{i}"><c r="A{i}" t="s"><v>0</v></c><c r="B{i}"><v>1</v></c></row>' for i in range(1, 500)
    )
    with pytest.raises(Unreadable, match="limit_expanded"):
        found(workbook(rows, xl__sharedStrings=strings), ReadLimits(max_expanded_bytes=2_000_000))


def test_a_column_far_to_the_right_is_refused_without_making_room_for_it() -> None:
    with pytest.raises(Unreadable, match="limit_columns"):
        found(workbook('<row r="1"><c r="ZZZZZZZZZ1"><v>1</v></c></row>'))


def test_the_first_rows_of_a_large_sheet_come_without_reading_the_rest() -> None:
    count = 60_000
    rows = "".join(
        f'<row r="{i}"><c r="A{i}" t="s"><v>{i}</v></c><c r="B{i}"><v>{i}</v></c></row>'
        for i in range(1, count)
    )
    strings = f"<sst {NS}>" + "".join(f"<si><t>name {i}</t></si>" for i in range(count)) + "</sst>"
    limits = ReadLimits(max_expanded_bytes=1_500_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    content = next(read(io.BytesIO(workbook(rows, xl__sharedStrings=strings)), XLSX, limits))
    assert isinstance(content, Table)
    assert [next(content.rows)[0] for _ in range(400)][-1] == "name 400"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000


def test_a_table_in_a_comment_or_a_text_box_is_a_table() -> None:
    out = io.BytesIO()
    rows = [["ref", "age", "sex"], *([str(i), str(20 + i), "12"[i % 2]] for i in range(30))]
    text = "\n".join(",".join(row) for row in rows)
    with xlsxwriter.Workbook(out) as book:
        book.add_worksheet("One").write_comment(0, 0, text)
        book.add_worksheet("Two").insert_textbox(2, 2, text)
    kept, _, _ = found(out.getvalue())
    assert [(t.header, [list(row) for row in read]) for t, read in kept] == [(rows[0], rows[1:])] * 2
