"""One JSON stream as steps over a growing shape: UTF-8 whatever it was in, bounded, again and again."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

import ijson

from detectors.engine.json_shape import ANY_KEY, ELEMENT, Place, Shape, Target
from detectors.engine.streams import read_at
from detectors.engine.table import ReadLimits, Unreadable
from detectors.engine.verdict import Reason
from detectors.engine.whole_texts import WholeTexts

MAX_DEPTH = 96
MAX_CONTEXT = 40
MAX_LONG_CHARS = 16 * 1024**2
_READ_BYTES = 64 * 1024
_NOT_JSON = re.compile(rb"(?:(?<=[:\[,\s])|\A)(?:-?Infinity|NaN)(?=[,\]}\s]|\Z)")


class _Utf8:
    """The document as UTF-8, whatever it is in; refuses a single value of more than the limit."""

    def __init__(self, stream: BinaryIO, limits: ReadLimits) -> None:
        self._stream, self._most = stream, limits.max_line_bytes
        head = read_at(stream, 0, 4096)
        self._position, encoding = _encoding(head)
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._plain = encoding == "utf-8"
        self._carried = b""
        self._idle = 0
        self.events = self._seen = 0

    def read(self, count: int) -> bytes:
        if count == 0:
            return b""
        if self.events == self._seen:
            self._idle += _READ_BYTES
            if self._idle > self._most:
                raise Unreadable(Reason.LIMIT_CELL)
        else:
            self._idle, self._seen = 0, self.events
        while True:
            chunk = read_at(self._stream, self._position, _READ_BYTES)
            self._position += len(chunk)
            text = chunk if self._plain and chunk.isascii() else self._decode(chunk)
            text = self._carried + text
            if not chunk:
                self._carried = b""
                return _NOT_JSON.sub(b"null", text)
            cut = max(text.rfind(b",", -64), text.rfind(b":", -64), text.rfind(b"[", -64)) + 1
            text, self._carried = text[: cut or None], text[cut:] if cut else b""
            if text:
                odd = b"NaN" in text or b"Infinity" in text
                return _NOT_JSON.sub(b"null", text) if odd else text

    def _decode(self, chunk: bytes) -> bytes:
        self._plain = False
        return self._decoder.decode(chunk, not chunk).encode("utf-8", "replace")


def _is_json(value: str) -> bool:
    """Whether a text may be a document of its own, as one that was put into another twice."""
    return value[:2] in ("[{", '{"', "[[") and value[-1] in "]}"


def _encoding(head: bytes) -> tuple[int, str]:
    """Where the text begins, and its encoding."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if head.startswith(mark):
            return len(mark), name
    if head[1:4] == bytes(3):
        return 0, "utf-32-le"
    if head[:3] == bytes(3):
        return 0, "utf-32-be"
    if head[1:2] == b"\0" and head[3:4] == b"\0" and head[2:3] != b"\0":
        return 0, "utf-16-le"
    if head[:1] == b"\0" and head[2:3] == b"\0":
        return 0, "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return 0, "cp1252"
    return 0, "utf-8"


class Document:
    """One JSON stream that can be walked again and again over one growing shape.

    A value too long for a cell is cut; the whole of it is kept in `long`, once. So are whole `texts`.
    """

    def __init__(self, stream: BinaryIO, limits: ReadLimits) -> None:
        self._stream, self._limits = stream, limits
        self.shape = Shape()
        self.counting = True
        self.context: list[str] = []
        self.long: list[str] = []
        self.texts = WholeTexts()

    def walk(self, target: Target | None = None) -> Iterator[tuple[Place, str, str | None]]:
        """Every step as (place, what, text): `value` with its text, `begin` and `end` of containers.

        With a `target`, objects directly below its place are all taken for one and the same place, and the
        text of such a `begin` is the object's own key.
        """
        source = _Utf8(self._stream, self._limits)
        shape, counting, texts = self.shape, self.counting, self.texts
        place, key = shape.root, ELEMENT
        within: list[tuple[Place, bool]] = [(place, False)]
        try:
            for event, value in ijson.basic_parse(source, multiple_values=True, buf_size=_READ_BYTES):
                source.events += 1
                if event == "map_key":
                    key = value
                elif event in ("end_map", "end_array"):
                    if texts.lines:
                        texts.end()
                    yield within.pop()[0], "end", None
                    place, is_map = within[-1]
                    key = "" if is_map else ELEMENT
                else:
                    is_object, is_array = event == "start_map", event == "start_array"
                    own = None
                    if is_object and target is not None and place is target.place and key != ELEMENT:
                        own, key = key, ANY_KEY
                    here = shape.member(place, key, is_object)
                    if is_object or is_array:
                        if counting:
                            here.objects += is_object
                            here.arrays += is_array
                        if len(within) > MAX_DEPTH:
                            raise Unreadable(Reason.LIMIT_DEPTH)
                        within.append((here, is_object))
                        place, key = here, "" if is_object else ELEMENT
                        yield here, "begin", own
                    else:
                        if counting:
                            here.scalars += 1
                            if event == "string" and (
                                "\n" in value or "<" in value or texts.lines or _is_json(value)
                            ):
                                texts.value(value, key == ELEMENT)
                        yield here, "value", self._text(value)
        except (ijson.JSONError, ValueError, ArithmeticError):  # the latter: endless numbers
            raise Unreadable(Reason.MALFORMED) from None
        self.counting = False

    def _text(self, value: object) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        text = str(value)
        most = self._limits.max_cell_chars
        if len(text) <= most:
            return text
        if self.counting:
            if sum(map(len, self.long)) + len(text) > MAX_LONG_CHARS:
                raise Unreadable(Reason.LIMIT_CELL)
            self.long.append(text)
        return text[:most]

    def look(self, events: int | None) -> bool:
        """Learn the shape from the first events (None: all); False if the document goes on."""
        steps = self.walk()
        for place, what, text in islice(steps, events):
            top = place.parent is self.shape.root.members.get(ELEMENT)
            if what == "value" and text and top and len(self.context) < MAX_CONTEXT:
                self.context.append(f"{place.label}: {text}"[:200])
        whole = next(steps, None) is None
        if self.shape.root.members and self.shape.root.members[ELEMENT].objects > 1:
            self.context.clear()  # these were values of records
        return whole
