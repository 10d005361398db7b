"""Text that stands for bytes (base64, base32, hexadecimal, uuencode) and nothing else: it protects nothing.

What it decodes to is a part of its own.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO

from detectors.engine.streams import unpacked
from detectors.engine.table import Content, Part, ReadLimits, Unreadable
from detectors.engine.text import decoded
from detectors.engine.verdict import Reason

MEDIA_TYPES = frozenset({"text/x-base64", "text/x-base32", "text/x-hex", "text/x-uuencode"})
MAX_LINE = 200
_FROM_URL_SAFE = str.maketrans("-_", "+/")


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """One part: the decoded bytes. Text that stands for none makes it `malformed` where it is."""
    budget = limits.spending()
    budget.enter()
    make = partial(_decoded, stream, *_BLOCKS[media_type]) if media_type in _BLOCKS else partial(_uu, stream)
    yield Part(0, partial(unpacked, make, budget))


def _decoded(stream: BinaryIO, block: int, decode: Callable[[str], bytes]) -> Iterator[bytes]:
    """`block` characters stand for a whole number of bytes; line ends and armor mean nothing."""
    held = ""
    for piece in decoded(stream):
        lines = piece.split("\n") if "-----" in piece else [piece]
        text = "".join(line for line in lines if not line.startswith("-----"))
        held += "".join(text.split())
        whole = len(held) // block * block
        if held.endswith("="):
            whole = len(held)
        yield _bytes(decode, held[:whole])
        held = held[whole:]
    yield _bytes(decode, held)


def _uu(stream: BinaryIO) -> Iterator[bytes]:
    """uuencode: between `begin` and `end`, each line with its length."""
    held, begun = "", False
    for piece in decoded(stream):
        *lines, held = (held + piece).split("\n")
        if len(held) > MAX_LINE:
            raise Unreadable(Reason.MALFORMED)
        for line in lines:
            if line.rstrip() == "end":
                return
            if begun:
                yield _bytes(binascii.a2b_uu, line)
            begun = begun or line.startswith("begin ")
    raise Unreadable(Reason.MALFORMED)


def _bytes(decode: Callable[[str], bytes], text: str) -> bytes:
    try:
        return decode(text)
    except (binascii.Error, ValueError):
        raise Unreadable(Reason.MALFORMED) from None


def _base64(text: str) -> bytes:
    return base64.b64decode(text.translate(_FROM_URL_SAFE) + "=" * (-len(text) % 4), validate=True)


_BLOCKS: dict[str, tuple[int, Callable[[str], bytes]]] = {
    "text/x-base64": (4, _base64),
    "text/x-base32": (8, base64.b32decode),
    "text/x-hex": (2, bytes.fromhex),
}
