"""How much room the cells of a binary sheet span, before a parser makes that room."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from binary_writers import as_xls, as_xlsb

from detectors.engine.biff import largest_span
from detectors.engine.biff12 import span
from detectors.engine.table import ReadLimits, Unreadable
from detectors.readers import legacy_sheet

XLSB = "application/vnd.ms-excel.sheet.binary.macroenabled.12"
BOOK = as_xlsb(["id", "age"], [["1", "30"], ["2", "41"]])


def sheet() -> bytes:
    with zipfile.ZipFile(io.BytesIO(BOOK)) as package:
        return package.read("xl/worksheets/sheet1.bin")


def with_sheet(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(BOOK)) as package, zipfile.ZipFile(out, "w") as target:
        for name in package.namelist():
            target.writestr(name, data if name.endswith("sheet1.bin") else package.read(name))
    return out.getvalue()


def test_the_rectangle_of_all_cells_is_found() -> None:
    assert span(sheet()) == 6
    assert span(b"") == 0
    with pytest.raises(Unreadable, match="malformed"):
        span(sheet()[:-2] + b"\x80")


def test_one_cell_far_away_once_killed_the_worker() -> None:
    """Found by fuzzing: the parser asked for 687 GB."""
    far = sheet().replace(struct.pack("<2I", 1, 0), struct.pack("<2I", 16_000_000, 0))
    assert span(far) > 40_000_000
    with pytest.raises(Unreadable, match="limit_memory"):
        list(legacy_sheet.read(io.BytesIO(with_sheet(far)), XLSB, ReadLimits()))
    assert len(list(legacy_sheet.read(io.BytesIO(with_sheet(sheet())), XLSB, ReadLimits()))) == 1


def test_what_a_sheet_says_of_its_size_once_killed_the_worker() -> None:
    """Found by fuzzing: the parser asked for 19 TB, for the DIMENSIONS of three rows."""
    data = as_xls(["id", "age"], [["1", "30"], ["2", "41"]])
    said = struct.pack("<2I3H", 0, 3, 0, 2, 0)
    assert data.count(said) == 1 and largest_span(io.BytesIO(data)) == 6
    assert largest_span(io.BytesIO(data.replace(said, struct.pack("<2I3H", 0, 1 << 31, 0, 2, 0)))) == 1 << 32
    with pytest.raises(Unreadable, match="malformed"):
        largest_span(io.BytesIO(data.replace(said, struct.pack("<2I3H", 9, 3, 0, 2, 0))))
