"""Man pages from the commands themselves: `python packaging/debian/man_pages.py FOLDER VERSION`.

One page for the program and one for each command, `recordwarden-scan(1)` and so on; commands of groups are
sections of their group's page. Sources of the format: man-pages(7), groff_man(7).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from agent.cli import EXIT_CODES, Program, program

_NAME = "recordwarden"


def main(folder: Path, version: str) -> None:
    """Write all pages; their date is SOURCE_DATE_EPOCH, so that the same source gives the same bytes."""
    when = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), UTC).date().isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    context = click.Context(program, info_name=_NAME)
    names = program.list_commands(context)
    for path, command in [((), program), *(((name,), program.get_command(context, name)) for name in names)]:
        assert command is not None
        page = "-".join((_NAME, *path))
        text = "\n".join(_page(page, path, command, when, version, names)) + "\n"
        (folder / f"{page}.1").write_text(text, "utf-8")


def _page(
    page: str, path: tuple[str, ...], command: click.Command, when: str, version: str, names: list[str]
) -> Iterator[str]:
    yield f'.TH "{page.upper()}" 1 "{when}" "{_NAME} {version}" "User commands"'
    yield f".SH NAME\n{_text(page)} \\- {_text(command.get_short_help_str(200))}"
    yield f".SH SYNOPSIS\n{_synopsis(path, command)}"
    yield f".SH DESCRIPTION\n{_paragraphs(command.help or '')}"
    yield from _options(command)
    if path and isinstance(command, click.Group):
        yield ".SH COMMANDS"
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield f".SS {_synopsis((*path, name), inner)}\n{_paragraphs(inner.help or '')}"
                yield from (line for line in _options(inner) if not line.startswith(".SH"))
    others = [_NAME] if path else [f"{_NAME}-{name}" for name in names]
    if not path:
        codes = ", ".join(sorted({str(code) for code in EXIT_CODES.values() if code > 3}))
        yield ".SH EXIT STATUS\n0: success. 1: something needs a person. 2: it was called wrongly."
        yield f"3: not all was examined. {codes}: as in sysexits.h(3head)."
        yield f".SH FILES\n.I /etc/{_NAME}/config.toml\n.br\n.I /var/lib/{_NAME}"
    yield ".SH SEE ALSO\n" + ",\n".join(f".BR {_text(other)} (1)" for other in others).replace(",\n", "\n")


def _synopsis(path: tuple[str, ...], command: click.Command) -> str:
    pieces = command.collect_usage_pieces(click.Context(command))
    return f"\\fB{_text(' '.join((_NAME, *path)))}\\fR {_text(' '.join(pieces))}"


def _options(command: click.Command) -> Iterator[str]:
    records = [
        record
        for parameter in command.params
        if (record := parameter.get_help_record(click.Context(command)))
    ]
    if records:
        yield ".SH OPTIONS"
        for flags, told in records:
            yield f".TP\n\\fB{_text(flags)}\\fR\n{_text(told)}"


def _paragraphs(text: str) -> str:
    """Click's help text: `\\b` keeps the lines of a paragraph as they are."""
    out = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in paragraph.splitlines()]
        if lines and lines[0] == "\b":
            out.append(".nf\n" + "\n".join(map(_text, lines[1:])) + "\n.fi")
        else:
            out.append(_text(" ".join(lines)))
    return "\n.PP\n".join(out)


def _text(text: str) -> str:
    """Plain text as roff: no character of it is a command."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^(?=[.'])", "\\&", escaped)


if __name__ == "__main__":
    assert issubclass(type(program), Program)
    main(Path(sys.argv[1]), sys.argv[2])
