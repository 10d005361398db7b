"""Files of statistical packages by pyreadstat (C): SPSS, Stata, SAS. Labels first, then rows in chunks.

Variable labels and value labels come with the table: they say what a coded file is about.
"""

from __future__ import annotations

import ctypes
import datetime
import io
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, BinaryIO, cast

from detectors.engine.faults import PARSER_FAULTS
from detectors.engine.streams import size_of
from detectors.engine.table import Budget, Content, ReadLimits, Row, Table, Unreadable
from detectors.engine.verdict import Reason

MEDIA_TYPES = frozenset(
    {
        "application/x-spss-sav",
        "application/x-spss-zsav",
        "application/x-spss-por",
        "application/x-stata-dta",
        "application/x-sas-data",
        "application/x-sas-xport",
    }
)
HEAVY = ("numpy", "pyreadstat")

_READERS = {
    "application/x-spss-sav": "read_sav",
    "application/x-spss-zsav": "read_sav",
    "application/x-spss-por": "read_por",
    "application/x-stata-dta": "read_dta",
    "application/x-sas-data": "read_sas7bdat",
    "application/x-sas-xport": "read_xport",
}
FIRST_ROWS = 500
CHUNK_CELLS = 500_000
MAX_LABEL_CHARS = 200
MAX_VALUE_LABELS = 60
XPORT_RECORD = 80
_ENCODINGS = (None, "latin1")

_CHARSETS = (
    "WINDOWS-1250 WINDOWS-1251 WINDOWS-1252 WINDOWS-1253 WINDOWS-1254 WINDOWS-1255 WINDOWS-1256 WINDOWS-1257 "
    "WINDOWS-1258 WINDOWS-874 ISO-8859-1 ISO-8859-2 ISO-8859-3 ISO-8859-4 ISO-8859-5 ISO-8859-6 ISO-8859-7 "
    "ISO-8859-8 ISO-8859-9 ISO-8859-10 ISO-8859-11 ISO-8859-13 ISO-8859-14 ISO-8859-15 US-ASCII MACINTOSH "
    "CP437 CP850 CP852 CP857 CP858 CP862 CP864 CP866 CP874 CP932 CP936 CP949 CP950 KOI8-R GB18030 GBK GB2312 "
    "BIG5 EUC-JP EUC-KR EUC-TW SHIFT_JIS ISO-2022-JP UTF-16 UTF-16LE UTF-16BE"
)  # fmt: skip

Take = Callable[[int, int], tuple[Any, Any]]


def warm_up() -> None:
    """Have the C library load its character conversions, which a worker cannot; they stay open."""
    library = ctypes.CDLL(None)
    library.iconv_open.restype = ctypes.c_void_p
    for charset in _CHARSETS.split():
        library.iconv_open(b"UTF-8", charset.encode())


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """Yield the one table of the file. A broken or an oddly compressed file is `malformed`."""
    take, meta = _open(stream, _READERS[media_type])
    names = [str(name) for name in meta.column_names]
    if len(names) > limits.max_columns:
        raise Unreadable(Reason.LIMIT_COLUMNS)
    labels = {
        i: label[:MAX_LABEL_CHARS]
        for i, label in enumerate(meta.column_labels or [])
        if isinstance(label, str) and label.strip()
    }
    value_labels = {}
    for i, name in enumerate(names):
        coded = (meta.variable_value_labels or {}).get(name)
        if coded:
            value_labels[i] = [str(x)[:MAX_LABEL_CHARS] for x in islice(coded.values(), MAX_VALUE_LABELS)]
    context = [str(text)[:MAX_LABEL_CHARS] for text in (meta.file_label, *(meta.notes or [])[:20]) if text]
    total = meta.number_rows if isinstance(meta.number_rows, int) and meta.number_rows >= 0 else None
    rows = _rows(take, names, limits, limits.spending())
    if media_type == "application/x-sas-xport" and size_of(stream) % XPORT_RECORD:
        rows = _then_broken(rows)
    yield Table(names, rows, context, labels, value_labels, total)


def _then_broken(rows: Iterator[Row]) -> Iterator[Row]:
    """The rows of a file that was cut: the format does not say how many there should be."""
    yield from rows
    raise Unreadable(Reason.MALFORMED)


def _open(stream: BinaryIO, reader: str) -> tuple[Take, Any]:
    """A function that takes rows (offset, count), and what the file says of itself."""
    import pyreadstat

    function = getattr(pyreadstat, reader)
    for encoding in _ENCODINGS:

        def take(offset: int, count: int, encoding: str | None = encoding) -> tuple[Any, Any]:
            stream.seek(0)
            extra = {} if encoding is None else {"encoding": encoding}
            return cast(
                tuple[Any, Any],
                function(
                    _Seekable(stream),
                    output_format="dict",
                    row_offset=offset,
                    row_limit=count,
                    **extra,
                ),
            )

        try:
            return take, take(0, 1)[1]
        except (*PARSER_FAULTS, pyreadstat.ReadstatError, pyreadstat.PyreadstatError):
            continue
    raise Unreadable(Reason.MALFORMED)


class _Seekable(io.RawIOBase):
    """The stream without its name or descriptor, so that C code reads it through Python only."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._size = size_of(stream)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, count: int | None = -1, /) -> bytes:
        """Never more than is there, whatever length a header claims."""
        left = max(0, self._size - self._stream.tell())
        return self._stream.read(left if count is None or count < 0 else min(count, left))

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()


def _rows(take: Take, names: list[str], limits: ReadLimits, budget: Budget) -> Iterator[Row]:
    import pyreadstat

    offset, count = 0, FIRST_ROWS
    most = max(100, CHUNK_CELLS // max(1, len(names)))
    while True:
        count = min(count, most)
        try:
            data, _ = take(offset, count)
            columns = [data[name] for name in names]
        except (*PARSER_FAULTS, pyreadstat.ReadstatError, pyreadstat.PyreadstatError):
            raise Unreadable(Reason.MALFORMED) from None
        got = len(columns[0]) if columns else 0
        texts = [_texts(column, limits) for column in columns]
        budget.expand(sum(sum(map(len, column)) for column in texts))
        yield from zip(*texts, strict=True)
        offset += got
        if got < count:
            return
        count *= 8


def _texts(column: Any, limits: ReadLimits) -> list[str]:
    cells = []
    for value in column.tolist() if hasattr(column, "tolist") else column:
        if value is None or value != value:
            cells.append("")
        elif type(value) is str:
            if len(value) > limits.max_cell_chars:
                raise Unreadable(Reason.LIMIT_CELL)
            cells.append(value)
        else:
            cells.append(_text(value))
    return cells


def _text(value: object) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.12g}"
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ").removesuffix(" 00:00:00")
    return str(value)
