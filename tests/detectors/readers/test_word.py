"""Word: tables as tables, the rest as a plain text part."""

from __future__ import annotations

import io
import zipfile

import pytest

from detectors.engine.table import Part, ReadLimits, Row, Table, Unreadable
from detectors.readers.word import read

NS = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def table(*rows: list[str]) -> str:
    lines = ("".join(f"<w:tc>{cell}</w:tc>" for cell in row) for row in rows)
    return "<w:tbl>" + "".join(f"<w:tr>{line}</w:tr>" for line in lines) + "</w:tbl>"


def document(body: str, **more: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        target.writestr("[Content_Types].xml", "<Types/>")
        target.writestr("word/document.xml", f"<w:document {NS}><w:body>{body}</w:body></w:document>")
        for name, text in more.items():
            target.writestr(f"word/{name.replace('__', '/')}", text)
    return out.getvalue()


def found(data: bytes) -> tuple[list[tuple[Table, list[Row]]], list[bytes]]:
    kept: list[tuple[Table, list[Row]]] = []
    parts: list[bytes] = []
    for content in read(io.BytesIO(data), DOCX, ReadLimits()):
        if isinstance(content, Table):
            kept.append((content, list(content.rows)))
        elif isinstance(content, Part):
            assert content.position == len(parts)
            parts.append(content.open().read())
    return kept, parts


PEOPLE = [[paragraph(c) for c in row] for row in (["id", "age"], ["1", "30"], ["2", "41"], ["3", "25"])]


def test_a_table_comes_with_its_header_and_what_stands_before_it() -> None:
    kept, parts = found(document(paragraph("Annex A") + table(*PEOPLE) + paragraph("End")))
    ((people, rows),) = kept
    assert (people.header, people.context) == (["id", "age"], ["Annex A"])
    assert rows == [["1", "30"], ["2", "41"], ["3", "25"]]
    assert parts == [b"Annex A\nEnd\n"]


def test_deleted_text_notes_and_headers_are_read() -> None:
    body = "<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>"
    note = f"<w:footnotes {NS}>{paragraph('a note')}</w:footnotes>"
    _, parts = found(document(body, **{"footnotes.xml": note, "header1.xml": note}))
    assert parts == [b"gone\n", b"a note\n", b"a note\n"]


def test_a_table_inside_a_table_is_a_table_too() -> None:
    kept, _ = found(document(table([table(*PEOPLE) + paragraph("")], [paragraph("x")])))
    assert any(t.header == ["id", "age"] and len(rows) == 3 for t, rows in kept)


def test_merged_cells_keep_their_columns() -> None:
    wide = '<w:tcPr><w:gridSpan w:val="2"/></w:tcPr>' + paragraph("wide")
    rows = [["a", "b", "c"], *([["1", "2", "3"]] * 4)]
    cells = [[paragraph(c) for c in row] for row in rows]
    kept, _ = found(document(table(*cells, [wide, paragraph("9")])))
    assert kept[0][1][-1] == ["wide", "", "9"]


def test_embedded_files_are_parts() -> None:
    _, parts = found(document(paragraph("x"), embeddings__book1=""))
    assert parts == [b"x\n", b""]


def test_a_package_without_a_document_is_malformed() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        target.writestr("word/styles.xml", "<a/>")
    with pytest.raises(Unreadable, match="malformed"):
        found(out.getvalue())
