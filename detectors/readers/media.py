"""Pictures, sound, film, fonts and programs: formats that hold no tables, though pictures may show them.

That is believed of the format's own bytes only. What lies behind its end (found by its own
structure where that is cheap to walk) is a `Part` of its own, for anything can be appended to a
picture; so is text at the very end of any of them. Comments inside a picture are text.
(A zip behind any of these is told by `sniff` and never comes here.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO

from detectors.engine import media_types
from detectors.engine.media_types import Family
from detectors.engine.sniff import sniff
from detectors.engine.streams import read_at, size_of, window
from detectors.engine.table import Content, Part, ReadLimits, Text, Unreadable
from detectors.engine.text import looks_like_text
from detectors.engine.verdict import Reason

_FAMILIES = {Family.PICTURE, Family.SOUND, Family.FILM, Family.FONT, Family.PROGRAM}
MEDIA_TYPES = frozenset(
    t for t, family in media_types.MEDIA_TYPES.items() if family in _FAMILIES and not t.endswith("x-other")
)
"""Not what libmagic takes for some other picture or sound: its weak signatures fit almost anything."""

EDGE_BYTES = 64 * 1024
LEAST_TEXT = 256
"""Less text than this at the end is a format's own trailer."""
LEAST_PIXELS, LEAST_PICTURE = 10_000, 1024
"""A picture of fewer pixels (or bytes, where pixels are not known) shows no list of people."""
_JPEG_FRAME = re.compile(rb"\xff[\xc0-\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf]\0.\x08(..)(..)", re.DOTALL)
MOST_UNKNOWN = 256 * 1024
"""More than this of unknown content behind the end is not passed over: cameras append less."""
_MOST_STEPS = 200_000
_TEXT_STEP = 64 * 1024

Walk = Callable[[BinaryIO, int], tuple[int, list[tuple[int, int]]]]
"""From stream and size to where the format ends, and where it holds comments (offset, length)."""


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """Yield comments as text and what is appended as parts; a picture that may show text is `unsupported`."""
    size = size_of(stream)
    budget = limits.spending()
    walk = _WALKS.get(media_type)
    end, comments = walk(stream, size) if walk else (size, [])
    for offset, length in comments:
        yield Text(iter(read_at(stream, offset, length).decode("utf-8", "replace").splitlines()))
    if end >= size or _is_padding(stream, end, size):
        end = _start_of_last_text(stream, size)
    if end < size and _deserves_a_look(stream, end, size):
        budget.enter()
        yield Part(0, partial(window, stream, end, size - end))
    if media_types.MEDIA_TYPES[media_type] is Family.PICTURE and _may_show_text(stream, size, media_type):
        raise Unreadable(Reason.UNSUPPORTED)


def _may_show_text(stream: BinaryIO, size: int, media_type: str) -> bool:
    """Whether a picture is large enough to show a legible list: text in pictures is not read."""
    head = read_at(stream, 0, EDGE_BYTES)
    match media_type:
        case "image/x-icon":
            return False
        case "image/png" if len(head) >= 24:
            wide, high = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
        case "image/gif" if len(head) >= 10:
            wide, high = int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
        case "image/bmp" if len(head) >= 26:
            wide, high = int.from_bytes(head[18:22], "little"), int.from_bytes(head[22:26], "little")
        case "image/jpeg" if (frame := _JPEG_FRAME.search(head)) is not None:
            wide, high = int.from_bytes(frame[2], "big"), int.from_bytes(frame[1], "big")
        case _:
            return size >= LEAST_PICTURE
    return wide * high >= LEAST_PIXELS


def _deserves_a_look(stream: BinaryIO, start: int, size: int) -> bool:
    """Whether what is appended is more than a camera's or an encoder's own small trailer."""
    head = read_at(stream, start, EDGE_BYTES)
    tail = read_at(stream, max(start, size - EDGE_BYTES), EDGE_BYTES)
    if sniff(head, tail, size - start) != media_types.UNKNOWN:
        return size - start >= LEAST_TEXT or not looks_like_text(head)
    return size - start > MOST_UNKNOWN


def _is_padding(stream: BinaryIO, start: int, size: int) -> bool:
    return (
        not read_at(stream, start, min(size - start, EDGE_BYTES)).strip(b"\0") and size - start < EDGE_BYTES
    )


def _start_of_last_text(stream: BinaryIO, size: int) -> int:
    """Where the text begins with which the file ends; `size` when it ends in something else."""
    start = size
    while start > 0:
        step = min(_TEXT_STEP, start)
        block = read_at(stream, start - step, step)
        if looks_like_text(block):
            start -= step
            continue
        # The text begins within this block: behind the last byte that no text holds.
        strange = max(block.rfind(bytes([b])) for b in _CONTROLS)
        start = start - step + strange + 1
        break
    return start if start > 0 and size - start >= LEAST_TEXT else size


_CONTROLS = [b for b in range(32) if b not in (9, 10, 12, 13, 27)] + [0x7F]


def _png(stream: BinaryIO, size: int) -> tuple[int, list[tuple[int, int]]]:
    """PNG: chunks to IEND; uncompressed text chunks are comments."""
    position = 8
    comments: list[tuple[int, int]] = []
    for _ in range(_MOST_STEPS):
        head = read_at(stream, position, 8)
        if len(head) < 8:
            break
        length = int.from_bytes(head[:4], "big")
        if head[4:] in (b"tEXt", b"iTXt"):
            comments.append((position + 8, min(length, 1 << 20)))
        position += 12 + length
        if head[4:] == b"IEND":
            break
    return min(position, size), comments


def _jpeg(stream: BinaryIO, size: int) -> tuple[int, list[tuple[int, int]]]:
    """JPEG: segments with lengths; after a scan's start, up to the next marker that is no filler."""
    position = 2
    comments: list[tuple[int, int]] = []
    for _ in range(_MOST_STEPS):
        head = read_at(stream, position, 4)
        if len(head) < 2 or head[0] != 0xFF:
            break
        marker = head[1]
        if marker == 0xD9:
            return position + 2, comments
        if marker == 0xFF:
            position += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            position += 2
            continue
        length = int.from_bytes(head[2:4], "big")
        if marker == 0xFE:
            comments.append((position + 4, max(0, length - 2)))
        position += 2 + length
        if marker == 0xDA:
            position = _after_scan(stream, position, size)
    return size, comments


def _after_scan(stream: BinaryIO, position: int, size: int) -> int:
    """The next marker in entropy-coded data: FF, then neither 00 nor a restart."""
    while position < size:
        block = read_at(stream, position, EDGE_BYTES)
        at = block.find(b"\xff")
        while 0 <= at < len(block) - 1:
            if block[at + 1] != 0 and not 0xD0 <= block[at + 1] <= 0xD7:
                return position + at
            at = block.find(b"\xff", at + 2)
        position += max(1, len(block) - 1) if at == len(block) - 1 and len(block) > 1 else max(1, len(block))
    return size


def _gif(stream: BinaryIO, size: int) -> tuple[int, list[tuple[int, int]]]:
    """GIF: colour tables by their flags, then blocks of sub-blocks, to the trailer."""
    screen = read_at(stream, 0, 13)
    position = 13 + _colours(screen[10]) if len(screen) == 13 else size
    comments: list[tuple[int, int]] = []
    for _ in range(_MOST_STEPS):
        block = read_at(stream, position, 10)
        if block[:1] == b";":
            return position + 1, comments
        if block[:1] == b"!":
            start = position + 2
            position = _after_sub_blocks(stream, start, size)
            if block[1:2] == b"\xfe":
                comments.append((start, position - start))
        elif block[:1] == b"," and len(block) == 10:
            position = _after_sub_blocks(stream, position + 10 + _colours(block[9]) + 1, size)
        else:
            break
    return size, comments


def _colours(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_sub_blocks(stream: BinaryIO, position: int, size: int) -> int:
    while position < size:
        block = read_at(stream, position, EDGE_BYTES)
        at = 0
        while at < len(block):
            if block[at] == 0:
                return position + at + 1
            at += 1 + block[at]
        position += at
    return size


def _riff(stream: BinaryIO, size: int) -> tuple[int, list[tuple[int, int]]]:
    """RIFF (WebP, WAV, AVI): one length, padded to even; long films have several such chunks."""
    position = 0
    for _ in range(_MOST_STEPS):
        head = read_at(stream, position, 8)
        if head[:4] != b"RIFF" or len(head) < 8:
            break
        length = int.from_bytes(head[4:], "little")
        if length in (0, 0xFFFFFFFF):
            return size, []  # written as a stream: has no end of its own
        position += 8 + length + length % 2
    return min(position, size), []


def _boxes(stream: BinaryIO, size: int) -> tuple[int, list[tuple[int, int]]]:
    """ISO base media (MP4, QuickTime, HEIC): boxes, each with its length."""
    position = 0
    while position < size:
        head = read_at(stream, position, 16)
        length = int.from_bytes(head[:4], "big")
        if not (len(head) >= 8 and head[4:8].isascii() and all(b >= 32 for b in head[4:8])):
            break
        if length == 0:
            return size, []
        if length == 1 and len(head) == 16:
            length = int.from_bytes(head[8:], "big")
        if length < 8:
            break
        position += length
    return min(position, size), []


def _bmp(stream: BinaryIO, size: int) -> tuple[int, list[tuple[int, int]]]:
    length = int.from_bytes(read_at(stream, 2, 4), "little")
    return length if 26 <= length <= size else size, []


def _elf(stream: BinaryIO, size: int) -> tuple[int, list[tuple[int, int]]]:
    """ELF: the section headers and what they point at; without any, nothing is known of its end."""
    head = read_at(stream, 0, 64)
    if len(head) < 64:
        return size, []
    wide, order = head[4] == 2, "little" if head[5] == 1 else "big"

    def number(data: bytes, at: int, width: int) -> int:
        return int.from_bytes(data[at : at + width], "little" if order == "little" else "big")

    table = number(head, 0x28, 8) if wide else number(head, 0x20, 4)
    each, count = number(head, 0x3A if wide else 0x2E, 2), number(head, 0x3C if wide else 0x30, 2)
    if not table or not count or each < (64 if wide else 40) or table + each * count > size:
        return size, []
    headers = read_at(stream, table, each * count)
    end = table + len(headers)
    for at in range(0, len(headers) - each + 1, each):
        place, width = (at + 0x18, 8) if wide else (at + 0x10, 4)
        if number(headers, at + 4, 4) != _NOBITS:
            end = max(end, number(headers, place, width) + number(headers, place + width, width))
    return end if 64 < end <= size else size, []


_NOBITS = 8
_WALKS: dict[str, Walk] = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/gif": _gif,
    "image/webp": _riff,
    "audio/wav": _riff,
    "video/x-msvideo": _riff,
    "image/heic": _boxes,
    "image/avif": _boxes,
    "audio/mp4": _boxes,
    "video/mp4": _boxes,
    "video/quicktime": _boxes,
    "image/bmp": _bmp,
    "application/x-elf": _elf,
}
