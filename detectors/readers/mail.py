"""E-mail (eml, mbox): the subject as text; bodies and attachments as parts, decoded as they are read.

MIME (RFC 2045, 2046) by offsets, so that a mail of any size costs no memory. What stands before the
first and after the last boundary is read as well: mail programs hide it, people do not look there.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from functools import partial
from typing import BinaryIO

from detectors.engine.faults import PARSER_FAULTS
from detectors.engine.streams import CHUNK, chunks_of, read_at, size_of, unpacked, window
from detectors.engine.table import Budget, Content, Part, ReadLimits, Text, Unreadable
from detectors.engine.verdict import Reason

MEDIA_TYPES = frozenset({"message/rfc822", "application/mbox"})
MAX_HEADER = 256 * 1024
MAX_DEPTH = 20

_FAULTS: tuple[type[Exception], ...] = (*PARSER_FAULTS, MessageError)
_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
_WHITE = b" \t\r\n"
_SEPARATOR = re.compile(rb"(?:\A|\n)From [^\n]+\n")


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """Yield each message's subject as `Text` and each leaf of its MIME tree as a `Part`."""
    budget = limits.spending()
    size = size_of(stream)
    mail = _Mail(stream, budget)
    if media_type == "application/mbox":
        for start, end in _messages(stream, size):
            yield from mail.entity(start, end, 0)
    else:
        yield from mail.entity(0, size, 0)
    if mail.unfinished:
        raise Unreadable(Reason.MALFORMED)


def _messages(stream: BinaryIO, size: int) -> Iterator[tuple[int, int]]:
    """Where each message of a mailbox lies, its "From " line left out."""
    start: int | None = None
    for first, last in _matches(stream, 0, size, _SEPARATOR):
        if start is not None:
            yield start, first
        start = last
    if start is None:
        raise Unreadable(Reason.MALFORMED)
    yield start, size


def _matches(stream: BinaryIO, start: int, end: int, pattern: re.Pattern[bytes]) -> Iterator[tuple[int, int]]:
    """Places that match a pattern of at most 4 kB, each given once."""
    carried, position, done = b"", start, -1
    for chunk in chunks_of(stream, start, end - start):
        block = carried + chunk
        origin, more = position - len(carried), position + len(chunk) < end
        for found in pattern.finditer(block):
            first, last = origin + found.start(), origin + found.end()
            if more and found.end() == len(block):
                continue  # it may go on in the next piece, which begins with this one's end
            if first > done and (origin == start or found.start() or block[:1] == b"\n"):
                yield first, last
                done = first
        position += len(chunk)
        carried = block[-4096:]


class _Mail:
    """One file's MIME tree, walked by offsets; numbers its leaves."""

    def __init__(self, stream: BinaryIO, budget: Budget) -> None:
        self._stream, self._budget = stream, budget
        self._leaves = 0
        self.unfinished = False
        """A boundary was never closed: the end of the mail is missing."""

    def entity(self, start: int, end: int, depth: int) -> Iterator[Content]:
        """A message, or a part of one, between two offsets."""
        if depth > MAX_DEPTH:
            raise Unreadable(Reason.LIMIT_DEPTH)
        self._budget.enter()
        head = read_at(self._stream, start, min(MAX_HEADER, end - start))
        split = re.search(rb"\r?\n\r?\n|\A\r?\n", head)
        if split is None and len(head) == MAX_HEADER:
            raise Unreadable(Reason.MALFORMED)
        body = start + (split.end() if split else len(head))
        about = _Headers(head[: split.start()] if split else head)
        if about.subject:
            yield Text(iter([about.subject]))
        if about.boundary:
            yield from self._parts(about.boundary, body, end, depth)
        elif about.kind == "message/rfc822" and about.encoding in ("", "7bit", "8bit", "binary"):
            yield from self.entity(body, end, depth + 1)
        elif body < end:
            yield self._leaf(about, body, end)

    def _parts(self, boundary: bytes, start: int, end: int, depth: int) -> Iterator[Content]:
        mark = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\r?\n|\Z)")
        position, inside = start, False
        for first, last in _matches(self._stream, start, end, mark):
            yield from self._between(position, first, inside, depth)
            closing = read_at(self._stream, first, last - first).rstrip().endswith(boundary + b"--")
            position, inside = last, not closing
        yield from self._between(position, end, inside, depth)
        if inside:
            self.unfinished = True

    def _between(self, start: int, end: int, inside: bool, depth: int) -> Iterator[Content]:
        if inside:
            yield from self.entity(start, end, depth + 1)
        elif end - start > 2 and any(chunk.strip() for chunk in chunks_of(self._stream, start, end - start)):
            yield self._leaf(_Headers(b""), start, end)

    def _leaf(self, about: _Headers, start: int, end: int) -> Part:
        number, self._leaves = self._leaves, self._leaves + 1
        decode = {"base64": from_base64, "quoted-printable": from_quoted}.get(about.encoding)
        opened = partial(window, self._stream, start, end - start)
        if decode is not None:
            packed = partial(chunks_of, self._stream, start, end - start)
            opened = partial(unpacked, lambda: decode(packed()), self._budget)
        return Part(number, opened, about.name)


class _Headers:
    """What one entity says of itself, as far as it can be made out."""

    def __init__(self, raw: bytes) -> None:
        self.kind, self.boundary, self.encoding, self.name, self.subject = "text/plain", b"", "", "", ""
        try:
            message: Message = BytesHeaderParser().parsebytes(raw)
            self.kind = message.get_content_type()
            self.encoding = str(message.get("Content-Transfer-Encoding", "")).strip().lower()
            boundary = message.get_boundary() if message.get_content_maintype() == "multipart" else None
            self.boundary = (boundary or "")[:200].encode("utf-8", "surrogateescape")
            self.subject = str(make_header(decode_header(message.get("Subject", ""))))[:1000]
            self.name = str(message.get_filename() or "")[:255]
        except _FAULTS:
            pass  # what was made out so far stands; the body is read all the same


def from_base64(packed: Iterator[bytes]) -> Iterator[bytes]:
    """Base64, leniently: strange characters are passed over, unless there are so many that it is none."""
    carried, first = b"", True
    for chunk in packed:
        solid = chunk.translate(None, _WHITE)
        letters = chunk.translate(None, _BASE64)
        if first and len(letters) < 0.95 * len(solid):
            yield chunk
            yield from packed
            return
        first = False
        *whole, carried = re.split(rb"=+", carried + letters)
        for piece in whole:
            yield _decoded(piece)
        count = len(carried) // 4 * 4
        yield _decoded(carried[:count])
        carried = carried[count:]
    yield _decoded(carried)


def _decoded(letters: bytes) -> bytes:
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def from_quoted(packed: Iterator[bytes]) -> Iterator[bytes]:
    """Quoted-printable, whole lines at a time."""
    carried = b""
    for chunk in packed:
        block = carried + chunk
        cut = block.rfind(b"\n") + 1
        if not cut and len(block) > CHUNK:
            mark = block.rfind(b"=", len(block) - 3)
            cut = len(block) if mark < 0 else mark
        carried = block[cut:]
        yield binascii.a2b_qp(block[:cut])
    yield binascii.a2b_qp(carried)
