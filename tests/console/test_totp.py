"""One-time codes, by the test vectors of RFC 6238 (appendix B, SHA-1, the last six digits)."""

from __future__ import annotations

import base64

import pytest

from console import totp

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_the_vectors_of_the_rfc(seconds, code):
    assert totp.code(SECRET, seconds // 30) == code
    assert totp.matching_step(SECRET, code, seconds, 0) == seconds // 30


def test_a_neighbouring_step_counts_and_one_further_away_does_not():
    now = 1_000_000 * 30
    assert totp.matching_step(SECRET, totp.code(SECRET, 999_999), now, 0) == 999_999
    assert totp.matching_step(SECRET, totp.code(SECRET, 999_998), now, 0) is None


def test_no_code_counts_twice():
    now = 1_000_000 * 30
    assert totp.matching_step(SECRET, totp.code(SECRET, 1_000_000), now, 1_000_000) is None


@pytest.mark.parametrize("given", ["", "12345", "abcdef", "१२३४५६", "1234567"])
def test_what_is_no_code_does_not_count(given):
    assert totp.matching_step(SECRET, given, 59, 0) is None


def test_the_picture_needs_no_style_of_its_own():
    made = totp.picture(SECRET, "ann")
    assert made.startswith("<svg") and "style" not in made and "<script" not in made
