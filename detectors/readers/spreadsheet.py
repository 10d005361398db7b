"""Workbooks in Office Open XML: every sheet, the hidden ones too, and the caches behind them.

Read with the standard library only and row by row: a sheet of a million rows costs no more memory
than its shared strings, and its first rows cost next to nothing.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from detectors.engine.grid import tables
from detectors.engine.table import Budget, Content, Part, ReadLimits, Row, Table, Unreadable
from detectors.engine.verdict import Reason
from detectors.engine.xml_stream import feed, local, texts
from detectors.engine.zip_directory import Entry, entries, open_entry
from detectors.readers.plain_text import read_lines
from detectors.readers.sheet_rows import sheet_rows
from detectors.readers.sheet_xml import CellText, Strings, cache_fields, cache_rows, date_styles

MEDIA_TYPES = frozenset(
    {
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.template",
        "application/vnd.ms-excel.sheet.macroenabled.12",
        "application/vnd.ms-excel.template.macroenabled.12",
    }
)
MAX_SHEETS = 4096
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
_CACHE = re.compile(r"xl/pivotcache/pivotcacherecords[^/]*\.xml", re.IGNORECASE)
_EXTERNAL = re.compile(r"xl/externallinks/[^/]+\.xml", re.IGNORECASE)
_PROSE = re.compile(
    r"xl/(comments[^/]*|threadedcomments/[^/]+|drawings/[^/]+|comments/[^/]+)\.xml", re.IGNORECASE
)
_NO_CONTENT = re.compile(
    r"""\[content_types\]\.xml|(.*/)?_rels/[^/]*\.rels|docprops/.*|xl/(workbook|styles|sharedstrings|calcchain
    |metadata|connections|volatiledependencies)[^/]*\.xml|xl/(theme|tables|pivottables|printersettings|charts
    |chartsheets|richdata|persons|querytables|slicers|slicercaches|ctrlprops|activex|pivotcache|drawings|diagrams)/.*
    |customxml/.*|.*/|xl/vbaproject.*\.bin|(xl/media|docprops)/.*\.(png|jpe?g|gif|emf|wmf|bmp|tiff?|svg|wdp)
    |mimetype|xl/(customproperty|webextensions)[^/]*/.*""".replace("\n    ", ""),
    re.IGNORECASE,
)
_TEXT_TAGS = frozenset({"t", "text"})
_TEXT_BREAKS = frozenset({"p", "comment", "threadedComment", "si"})


@dataclass(slots=True)
class _Sheet:
    name: str
    path: str
    hidden: bool


class Package:
    """The named parts of an Office Open XML file."""

    def __init__(self, stream: BinaryIO, budget: Budget) -> None:
        self._stream, self._budget = stream, budget
        self.parts: dict[str, Entry] = {}
        self.others: list[Entry] = []
        self.fault: Reason | None = None
        """Why the list of parts may lack some."""
        try:
            for entry in entries(stream, budget):
                key = entry.untrusted_name.replace("\\", "/").lstrip("/").lower()
                if entry.encrypted or key in self.parts:
                    self.others.append(entry)
                else:
                    self.parts[key] = entry
        except Unreadable as fault:
            self.fault = fault.reason

    def open(self, path: str) -> BinaryIO:
        """One part's content."""
        entry = self.parts.get(path.lower())
        if entry is None:
            raise Unreadable(Reason.MALFORMED)
        return self.open_entry(entry)

    def open_entry(self, entry: Entry) -> BinaryIO:
        return open_entry(self._stream, entry, self._budget)

    def relations(self, path: str) -> dict[str, str]:
        """Relation ids of one part, to the paths of other parts."""
        folder, name = posixpath.split(path.lower())
        found: dict[str, str] = {}

        def start(tag: str, attributes: dict[str, str]) -> None:
            if local(tag) == "Relationship" and attributes.get("TargetMode") != "External":
                target = attributes.get("Target", "")
                joined = target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
                found[attributes.get("Id", "")] = posixpath.normpath(joined).lower()

        relations = f"{folder}/_rels/{name}.rels".lstrip("/")
        if relations in self.parts:
            for _ in feed(self.open(relations), start, None, None):
                pass
        return found

    def matching(self, pattern: re.Pattern[str]) -> list[str]:
        """Paths of parts, in the order of the file."""
        return [path for path in self.parts if pattern.fullmatch(path)]


def _workbook(package: Package) -> tuple[list[_Sheet], bool]:
    """The sheets in their order, those that no list names last; and whether days count from 1904."""
    sheets: list[_Sheet] = []
    from_1904 = False
    path = next((p for p in ("xl/workbook.xml", "xl/workbook2.xml") if p in package.parts), None)
    if path is not None:
        relations = package.relations(path)

        def start(tag: str, attributes: dict[str, str]) -> None:
            nonlocal from_1904
            tag = local(tag)
            if tag == "workbookPr":
                from_1904 = attributes.get("date1904") in ("1", "true")
            elif tag == "sheet" and len(sheets) < MAX_SHEETS:
                ids = [v for k, v in attributes.items() if local(k) == "id"]
                target = relations.get(ids[0] if ids else "", "")
                hidden = attributes.get("state", "visible") != "visible"
                if _SHEET.fullmatch(target) or (target in package.parts and "worksheet" in target):
                    sheets.append(_Sheet(attributes.get("name", ""), target, hidden))

        for _ in feed(package.open(path), start, None, None):
            pass
    known = {sheet.path for sheet in sheets}
    sheets += [_Sheet("", path, True) for path in package.matching(_SHEET) if path not in known]
    return sheets, from_1904


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """Yield the tables of every sheet, then of the caches, then comments and embedded files."""
    budget = limits.spending()
    package = Package(stream, budget)
    fault = package.fault
    for content in (_sheets, _caches, _links, _prose, _leftovers):
        steps = content(package, limits, budget)
        while True:
            try:
                item = next(steps)
            except StopIteration:
                break
            except Unreadable as stopped:
                fault = fault or stopped.reason
                break
            yield item
    if fault is not None:
        raise Unreadable(fault)


def _sheets(package: Package, limits: ReadLimits, budget: Budget) -> Iterator[Content]:
    sheets, from_1904 = _workbook(package)
    if not sheets:
        raise Unreadable(Reason.MALFORMED)
    dates = date_styles(package.open("xl/styles.xml")) if "xl/styles.xml" in package.parts else {}
    shared = "xl/sharedstrings.xml"
    strings = Strings(partial(package.open, shared) if shared in package.parts else None, limits)
    cells = CellText(strings, dates, from_1904, budget)
    for sheet in sheets:

        def rows(path: str = sheet.path) -> Iterator[Row]:
            return sheet_rows(package.open(path), cells, limits, budget)

        yield from tables(rows(), [sheet.name] if sheet.name else [], sheet.hidden, again=rows)


def _caches(package: Package, limits: ReadLimits, _: Budget) -> Iterator[Content]:
    """Pivot caches hold the records that a published pivot table was made from."""
    definitions = {
        target: path
        for path in package.parts
        if path.startswith("xl/pivotcache/pivotcachedefinition") and path.endswith(".xml")
        for target in package.relations(path).values()
    }
    for path in package.matching(_CACHE):
        names: list[str] = []
        items: list[list[str]] = []
        if path in definitions:
            names, items = cache_fields(package.open(definitions[path]))
        rows = cache_rows(package.open(path), items, limits)
        yield Table(names or None, rows, hidden=True)


def _links(package: Package, limits: ReadLimits, budget: Budget) -> Iterator[Content]:
    """What Excel keeps of cells of other workbooks."""
    cells = CellText(Strings(None, limits), {}, False, budget)
    for path in package.matching(_EXTERNAL):

        def rows(path: str = path) -> Iterator[Row]:
            return sheet_rows(package.open(path), cells, limits, budget)

        yield from tables(rows(), hidden=True, again=rows)


def _prose(package: Package, limits: ReadLimits, _: Budget) -> Iterator[Content]:
    """Comments and text boxes, into which a table may have been pasted."""
    for path in package.matching(_PROSE):
        yield from read_lines(texts(package.open(path), _TEXT_TAGS, _TEXT_BREAKS), limits)


def _leftovers(package: Package, limits: ReadLimits, _: Budget) -> Iterator[Content]:
    """Whatever else lies in the package: embedded files, a data model, strangers."""
    read_already = (_SHEET, _CACHE, _EXTERNAL, _PROSE, _NO_CONTENT)
    rest = [e for p, e in package.parts.items() if not any(x.fullmatch(p) for x in read_already)]
    for position, entry in enumerate([*rest, *package.others]):
        yield Part(position, partial(package.open_entry, entry), entry.untrusted_name)
