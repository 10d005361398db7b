"""Whether bytes could be cipher text: where they must be, and where nothing is known of them."""

from __future__ import annotations

from typing import BinaryIO

from detectors.engine.streams import read_at

LEAST_RANDOM = 256 * 1024
_WINDOW = 64 * 1024
_PROBE = 512


def is_opaque(stream: BinaryIO, first: int, last: int) -> bool:
    """Whether no place between `first` and `last` shows plain text where cipher text should be."""
    length = last - first
    if length < 16:
        return False
    places = {first, first + length // 3, first + 2 * length // 3, max(first, last - _PROBE)}
    return not any(is_text(read_at(stream, place, min(_PROBE, last - place))) for place in places)


def is_text(data: bytes) -> bool:
    """Whether bytes are text for certain: of random ones, one in 2**64 would look so."""
    return len(data) >= 64 and max(data) < 0x80 and any(data)


def looks_random(stream: BinaryIO, size: int) -> bool:
    """Whether content of no known kind is as even as random bytes: five windows, byte counts by chi square.

    Says nothing of encryption; some compression looks like this too.
    """
    if size < LEAST_RANDOM:
        return False
    step = (size - _WINDOW) // 4
    return all(_is_even(read_at(stream, i * step, _WINDOW)) for i in range(5))


def _is_even(window: bytes) -> bool:
    expected = len(window) / 256
    chi_square = sum((count - expected) ** 2 / expected for count in map(window.count, range(256)))
    return bool(window) and 170 <= chi_square <= 350
