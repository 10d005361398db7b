"""The notice's words: shipped ones in several languages (`agent/notices/*.toml`), or a department's own.

A template holds `{file}`, `{place}`, `{contact}`, `{reference}`, `{rule}` and `{request}`. The supervisor
fills in what it knows, the keeper `{file}` and `{reference}`. A notice is told by its reference, so each must
hold it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.destinations import read_file
from agent.escape import escape
from config.load import ConfigError
from config.notice import Notice
from config.settings import Settings

_FOLDER = Path(__file__).with_name("notices")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_KNOWN = frozenset({"file", "place", "contact", "reference", "rule", "request"})
_MOST_CHARS = 8000
_BETWEEN = "\n" + "-" * 72 + "\n\n"


class BadTemplate(ValueError):
    """A template that cannot be used; the text says why."""


def template(notice: Notice, zone: str, contact: str) -> str:
    """The notice for files in a zone, with `{file}` and `{reference}` still in it; raises `BadTemplate`."""
    shipped = [words_of(language) for language in notice.languages]
    if notice.template_file is not None:
        own = _own(notice.template_file)
        return _filled(own, shipped[0], notice, zone, contact)
    return _BETWEEN.join(_filled(words["text"], words, notice, zone, contact) for words in shipped)


def check_notice(settings: Settings, source: str) -> None:
    """Whether the notice's words can be used; raises `ConfigError`."""
    try:
        template(settings.notice, "local", "")
    except BadTemplate as error:
        raise ConfigError.about(source, "notice.template_file", str(error)) from None


def template_now(notice: Notice, zone: str, contact: str, say: Callable[[str], None]) -> str:
    """The same while the service runs: a template that was good at its start and is gone is replaced by the
    shipped words, and that is said."""
    try:
        return template(notice, zone, contact)
    except BadTemplate as error:
        say(f"notice.template_file: {error}: the shipped words are used")
        return template(notice.model_copy(update={"template_file": None}), zone, contact)


def _filled(text: str, words: dict[str, Any], notice: Notice, zone: str, contact: str) -> str:
    known = {
        "place": words["places"].get(zone, words["elsewhere"]),
        "contact": escape(contact),
        "rule": escape(notice.rule or words["rule"]),
        "request": words["request"] if notice.request_socket else "",
    }
    return fill(text, known)


def fill(text: str, known: dict[str, str]) -> str:
    """Each known placeholder replaced, once: what stands in a value is no placeholder."""
    return _PLACEHOLDER.sub(lambda found: known.get(found[1], found[0]), text)


def words_of(language: str) -> dict[str, Any]:
    """The shipped words of one language."""
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text("utf-8"))


def _own(file: Path) -> str:
    try:
        text = read_file(file, private=False)
    except OSError as error:
        raise BadTemplate((error.strerror or "cannot be read").lower()) from None
    except ValueError as error:
        raise BadTemplate(str(error)) from None
    found = set(_PLACEHOLDER.findall(text))
    if unknown := sorted(found - _KNOWN):
        raise BadTemplate(f"unknown placeholder {{{unknown[0]}}}: there are {_listed()}")
    for needed in ("file", "reference"):
        if needed not in found:
            raise BadTemplate(f"must hold {{{needed}}}")
    if len(text) > _MOST_CHARS:
        raise BadTemplate(f"must have at most {_MOST_CHARS} characters")
    return text


def _listed() -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(_KNOWN))
