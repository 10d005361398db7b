"""Text that is base64 and nothing else: what it decodes to is a part, for base64 protects nothing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from detectors.engine.streams import unpacked
from detectors.engine.table import Content, Part, ReadLimits, Unreadable
from detectors.engine.text import decoded
from detectors.engine.verdict import Reason

MEDIA_TYPES = frozenset({"text/x-base64"})
_FROM_URL_SAFE = str.maketrans("-_", "+/")


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """One part: the decoded bytes. Bytes that are no base64 make it `malformed` where they stand."""
    budget = limits.spending()
    budget.enter()
    yield Part(0, partial(unpacked, partial(_decoded, stream), budget))


def _decoded(stream: BinaryIO) -> Iterator[bytes]:
    held = ""
    for piece in decoded(stream):
        lines = piece.split("\n") if "-----" in piece else [piece]
        text = "".join(line for line in lines if not line.startswith("-----"))
        held += "".join(text.split()).translate(_FROM_URL_SAFE)
        whole = len(held) // 4 * 4
        if held.endswith("="):
            whole = len(held)
        yield _bytes(held[:whole])
        held = held[whole:]
    yield _bytes(held)


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable(Reason.MALFORMED) from None
