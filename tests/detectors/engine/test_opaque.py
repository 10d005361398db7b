"""Cipher text, text, and content that could be either."""

from __future__ import annotations

import io
import random

from detectors.engine.opaque import is_opaque, is_text, looks_random

CSV = b"name,age\n" + b"Bob,3\n" * 400
NOISE = random.Random(5).randbytes(4000)


def test_cipher_text_is_not_taken_for_text() -> None:
    assert is_opaque(io.BytesIO(NOISE), 0, len(NOISE))
    assert not is_opaque(io.BytesIO(NOISE + CSV), 0, len(NOISE) + len(CSV))
    assert is_text(CSV)
    assert not is_text(bytes(512))


def test_only_what_is_even_all_over_and_long_enough_looks_random() -> None:
    noise = random.Random(7).randbytes(400_000)
    assert looks_random(io.BytesIO(noise), len(noise))
    holed = noise[:200_000] + CSV * 30 + noise[200_000:]
    assert not looks_random(io.BytesIO(holed), len(holed))
    for other in (noise[:100_000], bytes(400_000), CSV * 200, b""):
        assert not looks_random(io.BytesIO(other), len(other))
