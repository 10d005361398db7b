"""SQL dumps: the rows of `INSERT … VALUES` and of `COPY … FROM stdin`, as tables; the rest as text.

Scanned, not parsed: any dialect's quoting of names and texts. A table goes on over statements for
the same name. Names of columns come from the statement, else from its `CREATE TABLE`. Lines that say one
row each in other ways (`SET name = value, …`; `SELECT value, … UNION ALL`) are tables, and text besides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from detectors.engine.sql_values import Buffer, Values, said_by_lines
from detectors.engine.table import Content, ReadLimits, Row, Table, Text, Unreadable
from detectors.engine.text import decoded
from detectors.engine.verdict import Reason

MEDIA_TYPES = frozenset({"application/sql"})
MAX_LINES = 1000
MAX_TABLES = 5000
MAX_CREATE_CHARS = 256 * 1024
_PART = r"(?:`[^`]+`|\"[^\"]+\"|\[[^\]]+\]|[^`\"\[\]\s(),;.]+)"
_NAME = rf"{_PART}(?:\.{_PART}){{0,3}}"
_INSERT = re.compile(
    rf"\s*+(?:INSERT|REPLACE)\s+(?:(?:LOW_PRIORITY|DELAYED|IGNORE|OR\s+\w+|INTO|TABLE)\s+)*+({_NAME})\s*+"
    r"(?:\(((?:[^()';]|\([^()]*\))*+)\))?\s*+(?:OVERRIDING\s+\w+\s+VALUE\s+)?VALUES?(?=\s*+\()",
    re.IGNORECASE,
)
_NAMED = re.compile(
    rf"\s*+WITH\s+({_NAME})\s*+\(([^()]*)\)\s+AS\s+(?:\w+\s+){{0,2}}?\(\s*+VALUES(?=\s*+\()", re.IGNORECASE
)
_BEGUN = re.compile(rf"\s*+(?:INSERT|REPLACE)\s[^(;']*\((?:{_PART}\s*+,\s*+){{500}}", re.IGNORECASE)
_COPY = re.compile(
    rf"\s*+COPY\s+({_NAME})\s*+(?:\(([^()]*)\))?\s*FROM\s+stdin\b[^;\n]*;?[ \t]*\n", re.IGNORECASE
)
_CREATE = re.compile(
    rf"\s*+CREATE\s+(?:[A-Z]+\s+){{0,6}}?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?({_NAME})\s*+(?=\()", re.IGNORECASE
)
_NO_COLUMN = re.compile(
    r"(?:PRIMARY|UNIQUE|KEY|CONSTRAINT|FOREIGN|CHECK|INDEX|FULLTEXT|SPATIAL|EXCLUDE|LIKE|PERIOD)\b",
    re.IGNORECASE,
)
_ESCAPED = re.compile(r"\\'(?!\s*[,);])")
_BETWEEN = re.compile(r"(?:\s++|;|--[^\n]*+\n|/\*(?:[^*]++|\*(?!/))*+\*/|GO\b)*+", re.IGNORECASE)


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """A table for each run of statements that fill the same table; statements that fill none as text."""
    yield from _Dump(stream, limits).contents()


class _Dump:
    """One dump under way; knows the columns of the tables that it has created."""

    def __init__(self, stream: BinaryIO, limits: ReadLimits) -> None:
        self._buffer = Buffer(decoded(stream), limits.max_line_bytes)
        self._limits = limits
        self._columns: dict[str, list[str]] = {}
        self._lines: list[str] = []
        self._other_lines = 0
        self._buffer.fill(64 * 1024)
        head = self._buffer.text
        self._values = Values(backslash=bool(_ESCAPED.search(head)) or ("`" in head and "\\" in head))

    def contents(self) -> Iterator[Content]:
        buffer = self._buffer
        while buffer.fill(1):
            created = buffer.match(_CREATE)
            if created is not None:
                self._create(_plain(created[1]))
            elif (insert := self._insert()) is not None:
                yield from self._told()
                yield from self._drained(self._inserted(insert))
            elif (copy := buffer.match(_COPY)) is not None:
                yield from self._told()
                yield from self._drained(self._copied(copy))
            else:
                line = buffer.line()
                statement, mark, rest = line.partition(";")
                if mark and rest.strip():
                    buffer.at -= len(rest) + (buffer.text[buffer.at - 1] == "\n")
                    line = statement + mark
                self._lines.append(line)
                if len(self._lines) >= MAX_LINES:
                    yield from self._told()
        yield from self._told()

    def _insert(self) -> re.Match[str] | None:
        found = self._buffer.match(_INSERT) or self._buffer.match(_NAMED)
        if found is None and _BEGUN.match(self._buffer.text, self._buffer.at):
            found = self._buffer.match(_INSERT, self._limits.max_line_bytes)
        return found

    def _told(self) -> Iterator[Content]:
        lines, self._lines = self._lines, []
        written = sum(bool(line.strip()) for line in lines)
        self._other_lines += written
        if written:
            yield Text(iter(lines))
            for header, rows in said_by_lines(lines, self._values):
                yield Table(header, iter(rows), text_lines=self._other_lines - len(rows), loose=True)

    def _drained(self, table: Table) -> Iterator[Content]:
        table.text_lines = self._other_lines
        yield table
        for _ in table.rows:  # a consumer may have left it half way
            pass

    def _create(self, name: str) -> None:
        """Remember a new table's columns. What stands between its brackets is text as well."""
        row = self._buffer.match(self._values.row, MAX_CREATE_CHARS)
        if row is None:
            return
        self._lines.extend(row[1].split("\n"))
        names: list[str] = []
        for part in self._values.cells(_no_comments(row[1])):
            first = re.match(_PART, part.strip())
            if first and not _NO_COLUMN.match(part.strip()):
                names.append(_plain(first[0]))
        if len(self._columns) < MAX_TABLES:
            self._columns[name.lower()] = names

    def _header(self, name: str, listed: str | None) -> list[str] | None:
        if listed is not None and listed.strip():
            return [_plain(part.strip()) for part in listed.split(",")]
        return self._columns.get(name.lower()) or None

    def _inserted(self, first: re.Match[str]) -> Table:
        name, listed = _plain(first[1]), first[2]
        header = self._header(name, listed)

        def rows() -> Iterator[Row]:
            buffer, values = self._buffer, self._values
            while True:
                row = buffer.match_all(values.row)
                if row is None:
                    return
                cells = values.cells(row[1])
                if len(cells) > self._limits.max_columns:
                    raise Unreadable(Reason.LIMIT_COLUMNS)
                yield cells
                if row[2] is None and not self._goes_on(name, listed):
                    return

        return Table(header, rows(), [name])

    def _goes_on(self, name: str, listed: str | None) -> bool:
        """Whether the next statement fills the same table; takes its beginning if so."""
        buffer = self._buffer
        buffer.match(_BETWEEN)
        start = buffer.at
        following = buffer.match(_INSERT)
        if following is not None and _plain(following[1]) == name and following[2] == listed:
            return True
        if following is not None:
            buffer.at = start
        return False

    def _copied(self, copy: re.Match[str]) -> Table:
        def rows() -> Iterator[Row]:
            while self._buffer.fill(1):
                line = self._buffer.line()
                if line == "\\.":
                    return
                cells = line.split("\t")
                if len(cells) > self._limits.max_columns:
                    raise Unreadable(Reason.LIMIT_COLUMNS)
                yield ["" if cell == "\\N" else cell for cell in cells]

        name = _plain(copy[1])
        return Table(self._header(name, copy[2]), rows(), [name])


def _plain(name: str) -> str:
    """A name without its schema and quotes."""
    return re.findall(_PART, name)[-1].strip('`"[] ') if re.search(_PART, name) else name


def _no_comments(text: str) -> str:
    return re.sub(r"--[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)
