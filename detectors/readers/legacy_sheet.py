"""Workbooks that are not Office Open XML: xls, xlsb and OpenDocument, by calamine (Rust).

calamine holds one sheet in memory, so what a file would unpack to is looked at first.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any, BinaryIO

import python_calamine

from detectors.engine import biff12
from detectors.engine.biff import largest_span
from detectors.engine.compound import is_legacy_encrypted
from detectors.engine.faults import malformed_if
from detectors.engine.grid import tables
from detectors.engine.streams import read_at, size_of
from detectors.engine.table import Budget, Content, Protected, ReadLimits, Row, Unreadable
from detectors.engine.verdict import Reason
from detectors.engine.xml_stream import feed, local, texts
from detectors.engine.zip_directory import entries, open_entry
from detectors.readers.plain_text import read_lines

MEDIA_TYPES = frozenset(
    {
        "application/vnd.ms-excel.sheet.binary.macroenabled.12",
        "application/vnd.oasis.opendocument.spreadsheet",
    }
)
_PIECE = 1024 * 1024
_ASIDES = (b":annotation", b":text-box")
_ASIDE_TAGS = frozenset({"annotation", "text-box"})
_ASIDE_BREAKS = frozenset({"p", "annotation", "text-box", "creator", "date"})
_SHEET = re.compile(r"/?xl/(?:work|macro|dialog)?sheets/[^/]*\.bin", re.IGNORECASE)
MAX_XLS = 128 * 1024**2
MAX_SPAN = 8_000_000
"""Cells of a sheet's rectangle; calamine keeps 32 bytes for each."""
MAX_UNPACKED = 160 * 1024**2
"""Bytes of XML; calamine takes about twice that. Binary records are four times as dense."""


def is_locked(stream: BinaryIO) -> bool:
    """Whether an .xls asks for a password (FilePass)."""
    return is_legacy_encrypted(stream)


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """Yield the tables of every sheet, hidden ones marked; an encrypted document is `Protected`."""
    if media_type.startswith("application/vnd.oasis.opendocument"):
        protected = _encrypted(stream, limits.spending())
        if protected is not None:
            yield protected
            return
    _check_size(stream, media_type, limits.spending())
    stream.seek(0)
    with malformed_if(python_calamine.CalamineError):
        workbook = python_calamine.load_workbook(stream)
        sheets = list(workbook.sheets_metadata)
    if not sheets:
        raise Unreadable(Reason.MALFORMED)  # calamine passes over what it cannot make out
    for number, sheet in enumerate(sheets):
        hidden = sheet.visible != python_calamine.SheetVisibleEnum.Visible
        loaded = _load(workbook, number)
        if loaded is not None:
            again = partial(_rows, loaded, limits)
            yield from tables(again(), [sheet.name[:100]], hidden, again=again)
    if media_type.startswith("application/vnd.oasis.opendocument"):
        yield from _asides(stream, limits)


def _asides(stream: BinaryIO, limits: ReadLimits) -> Iterator[Content]:
    """What was pasted into comments and text boxes of an OpenDocument sheet."""
    budget = limits.spending()
    for entry in entries(stream, budget):
        if entry.untrusted_name == "content.xml":
            content = open_entry(stream, entry, budget)
            if any(mark in piece for piece in iter(partial(content.read, _PIECE), b"") for mark in _ASIDES):
                content = open_entry(stream, entry, budget)
                yield from read_lines(texts(content, _ASIDE_TAGS, _ASIDE_BREAKS), limits)


def _encrypted(stream: BinaryIO, budget: Budget) -> Protected | None:
    """How OpenDocument says that its content is encrypted (ODF 1.3 part 2, 3.4); settings do not count."""
    found = {entry.untrusted_name: entry for entry in islice(entries(stream, budget), 200)}
    manifest = found.get("META-INF/manifest.xml")
    if manifest is None:
        raise Unreadable(Reason.MALFORMED)
    path = ""
    ciphers: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal path
        if local(tag) == "file-entry":
            path = next((v for k, v in attributes.items() if local(k) == "full-path"), "")
        elif local(tag) == "algorithm" and path in ("content.xml", "encrypted-package"):
            ciphers.extend(v.lower() for k, v in attributes.items() if local(k) == "algorithm-name")

    for _ in feed(open_entry(stream, manifest, budget), start, None, None):
        pass
    if not ciphers:
        return None
    strong = "aes" in ciphers[0]
    return Protected("odf_aes" if strong else "odf_blowfish", strong)


def _check_size(stream: BinaryIO, media_type: str, budget: Budget) -> None:
    if media_type == "application/vnd.ms-excel" or media_type == "application/x-ole-storage":
        if size_of(stream) > MAX_XLS or largest_span(stream) > MAX_SPAN:
            raise Unreadable(Reason.LIMIT_MEMORY)
        return
    parts = list(entries(stream, Budget(0, 20_000)))
    sizes = [entry.size for entry in parts]
    budget.expand(sum(sizes))
    largest = max(sizes, default=0)
    dense = 1 if media_type.startswith("application/vnd.oasis") else 4
    if largest * dense > MAX_UNPACKED:
        raise Unreadable(Reason.LIMIT_MEMORY)
    for part in parts:
        if dense > 1 and _SHEET.fullmatch(part.untrusted_name):
            data = read_at(open_entry(stream, part, budget), 0, MAX_UNPACKED)
            if biff12.span(data) > MAX_SPAN:
                raise Unreadable(Reason.LIMIT_MEMORY)


def _load(workbook: Any, number: int) -> Any:
    """One sheet, in calamine's memory; None if it holds no cells, as a chart does."""
    with malformed_if(python_calamine.CalamineError):
        try:
            return workbook.get_sheet_by_index(number)
        except python_calamine.WorksheetNotFound:
            return None


def _rows(sheet: Any, limits: ReadLimits) -> Iterator[Row]:
    if sheet.width > limits.max_columns:
        raise Unreadable(Reason.LIMIT_COLUMNS)
    for row in sheet.iter_rows():
        yield [_text(cell, limits) for cell in row]


def _text(cell: object, limits: ReadLimits) -> str:
    if isinstance(cell, str):
        if len(cell) > limits.max_cell_chars:
            raise Unreadable(Reason.LIMIT_CELL)
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else f"{cell:.12g}"
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(" ").removesuffix(" 00:00:00")
    return "" if cell is None else str(cell)
