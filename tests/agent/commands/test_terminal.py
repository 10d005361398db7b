"""Columns, JSON and words: nothing untrusted gets through, nothing is lost."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

from agent.commands.terminal import bytes_text, count, say_fields, say_json, say_table, time_text

HOSTILE = "a\x1b[2J\u202e\n[bold]b[/bold]"


def test_cells_are_escaped_and_columns_aligned(capsys):
    say_table(("name", "n"), [(HOSTILE, 1), ("plain", 22)])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert "\x1b" not in "".join(lines) and r"\x1b[2J\u202e\n[bold]b[/bold]" in lines[1]
    assert {line.rstrip().rfind(last) for line, last in zip(lines, ("n", "1", "22"), strict=True)} == {
        lines[0].rfind("n")
    }


def test_on_a_terminal_a_cell_is_no_markup_and_no_escape():
    ours, theirs = pty.openpty()
    code = f"from agent.commands.terminal import say_table; say_table(('name',), [({HOSTILE!r},)])"
    subprocess.run(
        [sys.executable, "-c", code], stdout=theirs, check=True, env={**os.environ, "TERM": "xterm"}
    )
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert "[bold]b[/bold]" in shown and "\x1b[2J" not in shown and "\u202e" not in shown


def test_fields_are_escaped(capsys):
    say_fields([("path", HOSTILE), ("nothing", None)])
    out = capsys.readouterr().out
    assert "\x1b" not in out and len(out.splitlines()) == 2


def test_json_keeps_any_name_exactly(capsys):
    name = os.fsdecode(b"\xff\x1b\n\xe2\x80\xae")
    say_json({"path": name})
    out = capsys.readouterr().out
    assert out.isascii() and len(out.splitlines()) == 1
    assert json.loads(out)["path"] == name


def test_numbers_for_people():
    assert count(1, "file") == "1 file"
    assert count(2000, "entry", "entries") == "2,000 entries"
    assert [bytes_text(n) for n in (0, 999, 1000, 59_012, 10**13)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "59.0 kB",
        "10.0 TB",
    ]
    assert time_text(0.0) == "1970-01-01T00:00:00Z" and time_text(None) == ""
