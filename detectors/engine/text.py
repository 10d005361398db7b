"""Bytes to text, in bounded memory: encodings told by content, and blocks of whole lines.

No byte ever fails to decode: what is not valid UTF-8 is taken for Windows-1252.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from detectors.engine.streams import chunks_of, read_at, size_of
from detectors.engine.table import ReadLimits, Unreadable
from detectors.engine.verdict import Reason

HEAD_BYTES = 64 * 1024
MAX_BLOCK_CHARS = 256 * 1024
_SAMPLE = 8 * 1024
MAINFRAME = "cp037"
"""EBCDIC. Its letters, digits, blanks and line ends are the same in all code pages of the West."""

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\v\x1a\x1b")) + b"\x7f"
_OTHER_WESTERN = "recordwarden.cp1252"


def _western(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are not UTF-8, as Windows-1252; the five it leaves out as Latin-1."""
    assert isinstance(error, UnicodeDecodeError)
    bad = error.object[error.start : error.end]
    return "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in bad), error.end


codecs.register_error(_OTHER_WESTERN, _western)


def encoding_of(head: bytes) -> tuple[str, int]:
    """The codec for a text with these first bytes, and the length of its byte order mark."""
    for mark, codec in _BOMS:
        if head.startswith(mark):
            return codec, len(mark)
    sample = head[:_SAMPLE]
    if sample.isascii() and b"\0" not in sample:
        return "utf-8", 0
    return _wide(sample) or (MAINFRAME if _is_mainframe(sample) else "utf-8"), 0


_EBCDIC_WORDS = bytes(
    b for b in range(256) if bytes([b]).decode(MAINFRAME).isascii() and bytes([b]).decode(MAINFRAME).isalnum()
)
_EBCDIC_MARKS = " ,;|\t.-:/'\"()+_&\n\r".encode(MAINFRAME) + b"\x15"


def _is_mainframe(sample: bytes) -> bool:
    """Whether nearly all bytes are EBCDIC's letters, digits and marks, and hardly any are ASCII's."""
    if len(sample) < 64:
        return False
    words = len(sample) - len(sample.translate(None, _EBCDIC_WORDS))
    if words <= 0.4 * len(sample):
        return False
    marks = len(sample) - len(sample.translate(None, _EBCDIC_MARKS))
    ends = sample.count(b"\x15") + sample.count(b"\x25")
    return words + marks > 0.98 * len(sample) and 0 < ends < 0.2 * len(sample)


def _as_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _ends(text: str, codec: str) -> str:
    """The text with "\\n" for the mainframe's line end, which Windows-1252 has not."""
    return text if text.isascii() else text.replace("\x85", "\n")


def _wide(sample: bytes) -> str | None:
    """UTF-32 or UTF-16 without a mark, by where the zero bytes stand."""
    sample = sample[: len(sample) // 4 * 4]
    if len(sample) < 8 or not 0.2 * len(sample) <= sample.count(0) <= 0.8 * len(sample):
        return None
    zeros = [sample[i::4].count(0) * 4 / len(sample) for i in range(4)]
    if min(zeros[1:]) > 0.9 > zeros[0]:
        return "utf-32-le"
    if min(zeros[:3]) > 0.9 > zeros[3]:
        return "utf-32-be"
    even, odd = (zeros[0] + zeros[2]) / 2, (zeros[1] + zeros[3]) / 2
    if odd > 0.7 and even < 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > 0.7 and odd < 0.05 else None


def looks_like_text(head: bytes) -> bool:
    """Whether bytes are text in any encoding that `encoding_of` tells, a few stray ones allowed."""
    if not head:
        return False
    codec, mark = encoding_of(head)
    if codec != "utf-8":
        decoded = head[mark : mark + _SAMPLE].decode(codec, "replace")
        odd = sum((c < " " and c not in "\t\n\r\f") or c == "\ufffd" for c in decoded)
        return odd <= 0.02 * len(decoded) + 1
    sample = head[mark:]
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if controls > 0.02 * len(sample):
        return _is_separated(sample)
    high = len(sample) - len(sample.translate(None, bytes(range(128, 256))))
    if high <= 0.3 * len(sample) or _is_utf8(sample):
        return True
    return not controls and len(sample) >= 64


def _is_separated(sample: bytes) -> bool:
    """Lines of text cut by a control character (of Hive, or the unit separator), each as often."""
    lines = sample.split(b"\n")[:-1]
    for mark in (b"\x01", b"\x1f"):
        counts = {line.count(mark) for line in lines}
        if len(lines) >= 3 and len(counts) == 1 and counts.pop() > 0:
            return len(sample.translate(None, _CONTROLS)) + sample.count(mark) >= 0.98 * len(sample)
    return False


def _is_utf8(sample: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def decode_head(head: bytes) -> str:
    """The first bytes of a text as text, line ends as "\\n"."""
    codec, mark = encoding_of(head)
    decoder = codecs.getincrementaldecoder(codec)(_errors(codec))
    return _as_lines(_ends(decoder.decode(head[mark:]), codec))


def decode_tail(stream: BinaryIO, count: int) -> str:
    """About the last `count` bytes of a text as text, line ends as "\\n"."""
    codec, mark = encoding_of(read_at(stream, 0, _SAMPLE))
    start = max(mark, (size_of(stream) - count) // 4 * 4)
    text = read_at(stream, start, count + 4).decode(codec, _errors(codec))
    return _as_lines(_ends(text, codec))


def _errors(codec: str) -> str:
    return _OTHER_WESTERN if codec == "utf-8" else "replace"


def decoded(stream: BinaryIO) -> Iterator[str]:
    """The whole stream as text in pieces of no particular length, line ends as "\\n"."""
    codec, mark = encoding_of(read_at(stream, 0, _SAMPLE))
    decoder = codecs.getincrementaldecoder(codec)(_errors(codec))
    held = ""
    for chunk in chunks_of(stream, mark, None):
        text = held + _ends(decoder.decode(chunk), codec)
        held = "\r" if text.endswith("\r") else ""
        if "\r" in text:
            text = _as_lines(text[:-1] if held else text)
        yield text.replace("\n\f", "\n\n") if "\f" in text else text  # a page ends a paragraph
    rest = held + decoder.decode(b"", True)
    yield rest.replace("\r", "\n")


def text_blocks(stream: BinaryIO, limits: ReadLimits) -> Iterator[str]:
    """The whole stream as blocks of whole lines, each line with its end ("\\n" whatever it was).

    A block is longer than a chunk read only where one line is. A line longer than `max_line_bytes`
    raises `Unreadable(limit_cell)`; a last line without an end gets none.
    """
    rest: list[str] = []
    length = 0
    for text in decoded(stream):
        cut = text.rfind("\n") + 1
        if cut:
            yield "".join([*rest, text[:cut]])
            rest, length = [], 0
        if cut < len(text):
            rest.append(text[cut:])
            length += len(text) - cut
            if length > limits.max_line_bytes:
                raise Unreadable(Reason.LIMIT_CELL)
    if rest:
        yield "".join(rest)


class Source:
    """A text's blocks with a look ahead; what is put back comes again.

    A fault of the stream is kept until all text before it was taken.
    """

    def __init__(self, blocks: Iterator[str]) -> None:
        self._blocks = blocks
        self._held = ""
        self._fault: Unreadable | None = None
        self.ended = False
        self.lines_taken = 0

    def _more(self) -> str:
        try:
            block = next(self._blocks, "")
        except Unreadable as fault:
            self._fault, block = fault, ""
        self.ended = self.ended or not block
        return block

    def window(self, chars: int, lines: int = 0, most: int = 0) -> str:
        """At least `chars` characters of whole lines, or all that is left; nothing is taken.

        Where lines are long, more: `lines` of them as long as that is no more than `most`
        characters, and two in any case if `lines` is asked for.
        """
        parts = [self._held]
        size, ends = len(self._held), self._held.count("\n") if lines else 0
        while not self.ended and (size < chars or ends < min(lines, 2) or (ends < lines and size < most)):
            part = self._more()
            parts.append(part)
            size += len(part)
            ends += part.count("\n") if lines else 0
        self._held = "".join(parts)
        return self._held

    def skip(self, chars: int) -> None:
        """Take the first `chars` characters of the window: whole lines."""
        self.lines_taken += self._held.count("\n", 0, chars)
        self._held = self._held[chars:]

    def take(self, lines: int = 0) -> str:
        """The next block of whole lines, no more than `lines` if that is given; "" at the end."""
        block, self._held = self._held or self._more(), ""
        cut = 0
        for _ in range(lines):
            cut = block.find("\n", cut) + 1
            if not cut:
                break
        if len(block) > MAX_BLOCK_CHARS and not 0 < cut <= MAX_BLOCK_CHARS:
            cut = block.rfind("\n", 0, MAX_BLOCK_CHARS) + 1 or block.find("\n", MAX_BLOCK_CHARS) + 1
        if cut:
            block, self._held = block[:cut], block[cut:]
        self.lines_taken += block.count("\n")
        return block

    def ahead(self) -> str:
        """The next block, not taken."""
        block = self.take()
        self.put_back(block)
        return block

    def put_back(self, text: str) -> None:
        """Give back the last of what was taken: whole lines."""
        self.lines_taken -= text.count("\n")
        self._held = text + self._held

    def finish(self) -> None:
        """Raise the fault that ended the stream, once, when all text before it was taken."""
        if self._fault is not None and not self._held:
            fault, self._fault = self._fault, None
            raise Unreadable(fault.reason)


def skip_lines(blocks: Iterator[str], count: int) -> Iterator[str]:
    """The blocks without their first `count` lines."""
    for block in blocks:
        if count:
            ends = block.count("\n")
            if ends <= count:
                count -= ends
                continue
            at = 0
            for _ in range(count):
                at = block.index("\n", at) + 1
            block, count = block[at:], 0
        yield block
