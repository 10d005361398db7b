"""The settings of the notice that is left where a file was, and of asking for it back: `[notice]`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from config.section import Section

Language = Literal["en", "cy"]


class Notice(Section):
    """In which languages, in whose words, and where its reader can ask for the file."""

    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = ("en",)
    template_file: Path | None = None
    rule: Annotated[str, Field(max_length=200)] = ""
    request_socket: Path | None = None
    desktop: bool = False

    @field_validator("languages")
    @classmethod
    def _each_once(cls, languages: tuple[Language, ...]) -> tuple[Language, ...]:
        if len(set(languages)) != len(languages):
            raise ValueError("names a language twice")
        return languages

    @field_validator("request_socket")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_absolute():
            raise ValueError("must be an absolute path")
        return path
