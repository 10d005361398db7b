"""PDF by pdfium (C++): the text of each page by its place, as rows of cells; attached files as parts.

A page that shows pictures and no text was not examined. A file that opens without a password is not
protected, whatever its owner has forbidden.
"""

from __future__ import annotations

import ctypes
import io
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from math import pi
from typing import Any, BinaryIO

from detectors.engine.grid import tables
from detectors.engine.page_layout import Columns, Letter, lines
from detectors.engine.streams import chunks_of, size_of
from detectors.engine.table import Budget, Content, Part, Protected, ReadLimits, Row, Unreadable
from detectors.engine.verdict import Reason

MEDIA_TYPES = frozenset({"application/pdf"})
HEAVY = ("pypdfium2", "pypdfium2.raw")

MOST_LETTERS_A_PAGE = 500_000
LETTER_BYTES = 40
"""What a letter costs of the budget: about what it weighs in a page's description."""
MOST_ATTACHMENT = 64 * 1024**2
_PASSWORD = 4  # FPDF_ERR_PASSWORD
_PICTURES = (3, 5)  # FPDF_PAGEOBJ_IMAGE, FPDF_PAGEOBJ_FORM
_AES = re.compile(rb"/CFM\s*/AESV[23]")


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """Yield the tables and the text of all pages, then the attached files."""
    import pypdfium2 as pdfium

    budget = limits.spending()
    size = size_of(stream)
    # whole, because reading piece by piece takes a callback, whose code a worker may not make
    if not budget.keep(size):
        raise Unreadable(Reason.LIMIT_MEMORY)
    try:
        document = pdfium.PdfDocument(b"".join(chunks_of(stream, 0, size)))
        pages = len(document)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == _PASSWORD:
            strong = _names_aes(stream)
            yield Protected("pdf_aes" if strong else "pdf_rc4", strong)
            return
        raise Unreadable(Reason.MALFORMED) from None
    seen = _Seen()
    yield from tables(_rows(document, pages, limits, budget, seen))
    yield from _attachments(document, budget)
    if not pages:
        raise Unreadable(Reason.MALFORMED)
    if seen.pictures:
        raise Unreadable(Reason.UNSUPPORTED)


class _Seen:
    """What of the pages could not be read."""

    pictures = False


def _names_aes(stream: BinaryIO) -> bool:
    """Whether the dictionary of encryption, which is never encrypted itself, names AES.

    Source: ISO 32000-2, 7.6.
    """
    tail = b""
    for chunk in chunks_of(stream, 0, size_of(stream)):
        if _AES.search(tail + chunk):
            return True
        tail = chunk[-64:]
    return False


def _rows(document: Any, pages: int, limits: ReadLimits, budget: Budget, seen: _Seen) -> Iterator[Row]:
    import pypdfium2 as pdfium

    columns = Columns()
    for number in range(pages):
        budget.enter()
        try:
            page = document[number]
        except pdfium.PdfiumError:
            raise Unreadable(Reason.MALFORMED) from None
        try:
            letters = list(_letters(page, budget))
            seen.pictures |= not letters and any(o.type in _PICTURES for o in page.get_objects(max_depth=1))
        except pdfium.PdfiumError:
            raise Unreadable(Reason.MALFORMED) from None
        finally:
            page.close()
        for row in columns.rows(lines(letters)):
            if len(row) > limits.max_columns:
                raise Unreadable(Reason.LIMIT_COLUMNS)
            yield row


def _letters(page: Any, budget: Budget) -> Iterator[Letter]:
    """Every letter, turned so that most of them stand upright."""
    import pypdfium2.raw as raw

    text = page.get_textpage()
    count = text.count_chars()
    if count > MOST_LETTERS_A_PAGE:
        raise Unreadable(Reason.LIMIT_CELL)
    budget.expand(count * LETTER_BYTES)
    # pdfium measures clockwise
    angles = [raw.FPDFText_GetCharAngle(text.raw, i) for i in range(0, count, 1 + count // 200)]
    turn = Counter(round(-angle / (pi / 2)) % 4 for angle in angles).most_common(1)[0][0] if angles else 0
    box = raw.FS_RECTF()
    where = ctypes.byref(box)
    try:
        for index in range(count):
            code = raw.FPDFText_GetUnicode(text.raw, index)
            if code <= 32 or code == 160 or not raw.FPDFText_GetLooseCharBox(text.raw, index, where):
                continue
            if code > 0x10FFFF or 0xD800 <= code < 0xE000:
                code = 0xFFFD
            yield Letter(chr(code), *_turned(turn, box.left, box.right, box.bottom, box.top))
    finally:
        text.close()


def _turned(
    turn: int, left: float, right: float, bottom: float, top: float
) -> tuple[float, float, float, float]:
    """The box once text that runs at `turn` quarters, counter-clockwise, is laid level."""
    if turn == 1:
        return bottom, top, -right, -left
    if turn == 2:
        return -right, -left, -top, -bottom
    if turn == 3:
        return -top, -bottom, left, right
    return left, right, bottom, top


def _attachments(document: Any, budget: Budget) -> Iterator[Part]:
    import pypdfium2 as pdfium

    for number in range(document.count_attachments()):
        budget.enter()
        with suppress(pdfium.PdfiumError):
            attached = document.get_attachment(number)
            yield Part(number, partial(_attached, attached, budget), attached.get_name())


def _attached(attached: Any, budget: Budget) -> BinaryIO:
    """The bytes of an attached file; raises `Unreadable`."""
    import pypdfium2.raw as raw

    size = ctypes.c_ulong()
    if not raw.FPDFAttachment_GetFile(attached.raw, None, 0, size):
        raise Unreadable(Reason.MALFORMED)
    budget.expand(size.value)
    if size.value > MOST_ATTACHMENT:
        raise Unreadable(Reason.LIMIT_MEMORY)
    data = ctypes.create_string_buffer(size.value)
    if not raw.FPDFAttachment_GetFile(attached.raw, data, size.value, size):
        raise Unreadable(Reason.MALFORMED)
    return io.BytesIO(data.raw)
