r"""What anybody can put into a file name, and what of it may reach a terminal."""

from __future__ import annotations

import os
import unicodedata

import pytest

from agent.escape import escape, shorten

HOSTILE = {
    "\x1b[2J\x1b[31mowned": r"\x1b[2J\x1b[31mowned",
    "\x9b31m one byte CSI": r"\x9b31m one byte CSI",
    "\x1b]0;title\x07": r"\x1b]0;title\x07",
    "a\nrecordwarden: all clear": r"a\nrecordwarden: all clear",
    "a\r\tb": r"a\r\tb",
    "harmless\u202efdp.exe": r"harmless\u202efdp.exe",
    "iso\u2066late\u2069": r"iso\u2066late\u2069",
    "zero\u200bwidth\ufeff": r"zero\u200bwidth\ufeff",
    "line\u2028separator": r"line\u2028separator",
    "no\u00a0break": r"no\xa0break",
    "nul\x00byte": r"nul\x00byte",
    "back\\slash": r"back\\slash",
    "tag\U000e0041": r"tag\U000e0041",
    "\ud800 lone": r"\ud800 lone",
    os.fsdecode(b"latin\xe9"): r"latin\xe9",
}


@pytest.mark.parametrize(("untrusted", "shown"), HOSTILE.items())
def test_a_hostile_name_shows_what_it_is(untrusted, shown):
    assert escape(untrusted) == shown


def test_every_character_comes_out_printable_and_encodable():
    for code in range(0x110000):
        if code < 0x3000 or code % 61 == 0 or 0xD7F0 <= code < 0xF900 or 0xFE00 <= code < 0x10000:
            shown = escape(chr(code))
            shown.encode("utf-8")
            assert all(unicodedata.category(char)[0] != "C" for char in shown), hex(code)
            assert "\n" not in shown


def test_ordinary_names_of_any_language_stay_readable():
    for name in ("Umfrage 2024 (Änderung).csv", "調査.xlsx", "données_été.csv", "отчёт.docx", "📊.csv"):
        assert escape(name) == name


def test_two_names_never_look_the_same():
    assert escape("a\nb") != escape(r"a\nb")


def test_bytes_and_paths_are_taken_too(tmp_path):
    assert escape(b"\xff.csv") == r"\xff.csv"
    assert escape(tmp_path) == str(tmp_path)


def test_shortened_names_keep_both_ends_and_the_width():
    shown = shorten("a" * 50 + "\x1b" + "z" * 50, 21)
    assert len(shown) == 21
    assert shown.startswith("aaa") and shown.endswith("zzz")
    assert shorten("short", 21) == "short"
