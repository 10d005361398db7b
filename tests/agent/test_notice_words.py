"""The notice's words in each language, and in a department's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent.notice import text
from agent.notice_words import BadTemplate, fill, template, template_now
from config.notice import Notice

ZONES = ("removable", "shared", "local", "website")
SOCKET = Path("/run/recordwarden/request.sock")


def shown(notice: Notice, zone: str = "removable") -> str:
    return text(template(notice, zone, "data protection, room 4"), "returns.csv", "entry-1")


@pytest.mark.parametrize("language", ["en", "cy"])
@pytest.mark.parametrize("zone", [*ZONES, "unknown"])
def test_every_language_says_all_that_is_needed_in_every_place(language: str, zone: str) -> None:
    words = shown(Notice(languages=(language,), rule="Policy 4.2", request_socket=SOCKET), zone)  # type: ignore[arg-type]
    for part in (
        "returns.csv",
        "entry-1",
        "data protection, room 4",
        "Policy 4.2",
        "recordwarden request entry-1",
    ):
        assert part in words
    assert not re.search(r"\{\w*\}", words)
    assert max(len(line) for line in words.splitlines()) < 120


def test_it_says_what_why_how_to_get_it_back_and_how_to_do_it_right() -> None:
    words = shown(Notice())
    for part in (
        "on a removable drive",
        "What happened",
        "Why",
        "get it back",
        "do it right",
        "Data Access Agreement",
    ):
        assert part in words
    assert "your department's policy on microdata" in words


def test_languages_differ_in_more_than_their_names() -> None:
    english, welsh = (shown(Notice(languages=(one,))) for one in ("en", "cy"))  # type: ignore[arg-type]
    assert "ar yriant symudadwy" in welsh and "Gymraeg" not in welsh
    assert english.count("\n\n") == welsh.count("\n\n")
    assert not {line.strip() for line in english.splitlines()} & {
        line.strip() for line in welsh.splitlines() if line.strip()
    }


def test_several_languages_stand_one_below_the_other_in_the_order_given() -> None:
    words = shown(Notice(languages=("cy", "en")))
    assert words.index("Beth ddigwyddodd") < words.index("What happened")
    assert words.count("entry-1") == 2


def test_who_cannot_ask_here_is_not_told_to() -> None:
    assert "recordwarden request" not in shown(Notice())


def test_a_department_has_its_own_words(tmp_path: Path) -> None:
    own = tmp_path / "notice.txt"
    own.write_text("Taken: {file} ({place}). {contact}, {reference}. {rule} {request} { } {}")
    words = shown(Notice(template_file=own, rule="R"))
    assert words == "Taken: returns.csv (on a removable drive). data protection, room 4, entry-1. R  { } {}"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{file} {reference} {secret}", "unknown placeholder {secret}"),
        ("{file}", "must hold {reference}"),
        ("{reference}", "must hold {file}"),
        ("{file} {reference}" + "x" * 9000, "at most"),
    ],
)
def test_a_template_that_would_mislead_is_refused(tmp_path: Path, content: str, why: str) -> None:
    own = tmp_path / "notice.txt"
    own.write_text(content)
    with pytest.raises(BadTemplate, match=re.escape(why)):
        template(Notice(template_file=own), "local", "us")


def test_one_that_is_gone_is_replaced_and_that_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    notice = Notice(template_file=tmp_path / "gone")
    with pytest.raises(BadTemplate):
        template(notice, "local", "us")
    assert template_now(notice, "local", "us", said.append) == template(Notice(), "local", "us")
    assert len(said) == 1 and "notice.template_file" in said[0]


def test_what_stands_in_a_value_is_no_placeholder() -> None:
    assert fill("{a} {b} {c}", {"a": "{b}", "b": "1"}) == "{b} 1 {c}"


def test_a_contact_cannot_break_a_line() -> None:
    assert "\x1b" not in template(Notice(), "local", "us\n\x1b[2J")
