"""Names of others, made visible."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.shown import paragraphs, shortened, shown


@given(st.text())
def test_whatever_comes_in_one_visible_line_comes_out(text):
    out = shown(text)
    assert out.isprintable() and "\n" not in out and shown(out) == out


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"), ("\u202egnp.exe", "\\u202egnp.exe"),
        ("a\u200bb", "a\\u200bb"),
        ("already\\x1b", "already\\x1b"),
        ("Größe 統計", "Größe 統計"), ("\udc80", "\\udc80"), ("a\xa0b", "a\\xa0b"),
    ],
)  # fmt: skip
def test_what_steers_or_hides_is_written_out(text, out):
    assert shown(text) == out


@given(st.text(min_size=50), st.integers(2, 40))
def test_shortened_keeps_to_its_width(text, width):
    assert len(shortened(text, width)) <= width


def test_a_note_keeps_its_lines():
    assert paragraphs("a\nb\x1b") == "a\nb\\x1b"
