"""dBase tables: every kind of field, deleted records, code pages, and counts that lie."""

from __future__ import annotations

import io
import struct

import pytest
from table_writers import as_dbf

from detectors.engine.sniff import sniff
from detectors.engine.table import ReadLimits, Table, Unreadable
from detectors.readers import dbase

DBF = "application/x-dbf"


def found(data: bytes) -> tuple[list[str], list[list[str]]]:
    (table,) = dbase.read(io.BytesIO(data), DBF, ReadLimits())
    assert isinstance(table, Table) and table.header is not None
    return table.header, [list(row) for row in table.rows]


def written(version: int, fields: list[tuple[str, str, int]], records: list[bytes], driver: int = 0) -> bytes:
    length = 1 + sum(width for _, _, width in fields)
    head = struct.pack("<BBBBIHH", version, 126, 11, 28, len(records), 33 + 32 * len(fields), length)
    described = b"".join(
        name.encode().ljust(11, b"\0") + kind.encode() + bytes(4) + bytes([width]) + bytes(15)
        for name, kind, width in fields
    )
    return head + bytes(17) + bytes([driver]) + bytes(2) + described + b"\r" + b"".join(records) + b"\x1a"


def test_every_kind_of_field_is_text() -> None:
    fields = [("WHO", "C", 6), ("PAY", "N", 8), ("BORN", "D", 8), ("YES", "L", 1), ("N", "I", 4),
              ("X", "B", 8), ("COST", "Y", 8), ("AT", "T", 8), ("MEMO", "M", 10)]  # fmt: skip
    record = b" " + b"Beth  " + b" 1200.50" + b"19840229" + b"T" + struct.pack("<i", -7)
    record += struct.pack("<d", 2.5) + struct.pack("<q", 123_450)
    record += struct.pack("<iI", 2_451_545, 45_296_000) + b"         3"
    header, rows = found(written(0x30, fields, [record]))
    assert header == [name for name, _, _ in fields]
    assert rows == [["Beth", "1200.50", "1984-02-29", "T", "-7", "2.5", "12.345", "2000-01-01 12:34:56", ""]]


def test_deleted_records_and_those_that_the_count_leaves_out_are_read() -> None:
    data = bytearray(written(3, [("A", "C", 2)], [b" aa", b"*bb", b" cc"]))
    assert found(bytes(data))[1] == [["aa"], ["bb"], ["cc"]]
    data[4:8] = bytes(4)
    assert found(bytes(data))[1] == [["aa"], ["bb"], ["cc"]]
    data[4:8] = struct.pack("<I", 9)
    with pytest.raises(Unreadable, match="malformed"):
        found(bytes(data))


def test_code_pages_are_heeded() -> None:
    name = "Siân"
    for driver, codec in ((0, "utf-8"), (0, "cp1252"), (2, "cp850"), (3, "cp1252")):
        coded = name.encode(codec).ljust(8)
        assert found(written(3, [("A", "C", 8)], [b" " + coded], driver))[1] == [[name]]


def test_one_that_breaks_off_is_still_known_for_what_it_is() -> None:
    data = as_dbf(["sex", "age"], [["1", str(i % 60)] for i in range(400)])
    cut = data[: len(data) // 2]
    assert sniff(cut, cut, len(cut), "notes.txt") == DBF
    assert sniff(data, data, len(data), "") == DBF
