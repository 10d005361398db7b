"""Data within the scripts of a page: JSON documents, rows in brackets, named vectors."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence

from detectors.engine.header import kind
from detectors.engine.literals import bare_value, has_vector, vectors
from detectors.engine.table import Table
from detectors.engine.turned import are_columns

LEAST_ROWS = 10
LEAST_WIDTH = 3
MOST_CELLS = 500_000
MOST_LISTS = 50
MOST_BETWEEN = 100
MOST_JSON = 2 * 1024 * 1024
_ROW = re.compile(r"\[([^\[\]{}()]{5,4000}+)\]")
_GIVEN = re.compile(r"[^={\[\"']{0,200}+=\s*+(?=[{\[])")


def document(script: str) -> str | None:
    """The JSON document that a script is, or the one value that it gives a name; None if it is a program."""
    text = script.strip()
    given = _GIVEN.match(text)
    text = text[given.end() if given else 0 :].rstrip("; \n\t")
    if not text.startswith(("{", "[")) or len(text) > MOST_JSON:
        return None
    try:
        json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None
    return text


def in_scripts(script: str) -> Iterator[Table]:
    """Runs of rows in brackets, named by the one list of as many texts elsewhere; vectors of equal length."""
    found: list[list[list[str]]] = []
    lists: list[list[str]] = []
    for run in _runs(script):
        if are_columns(run):
            found.append([list(row) for row in zip(*run, strict=True)])
        elif len(run) >= LEAST_ROWS and len(run[0]) >= LEAST_WIDTH:
            found.append(run)
        elif len(run) == 1 and len(lists) < MOST_LISTS and _are_names(run[0]):
            lists += run
    for rows in found:
        named = [names for names in lists if len(names) == len(rows[0])]
        if not named and _are_names(rows[0]):
            named, rows = rows[:1], rows[1:]
        yield Table(named[0] if len(named) == 1 else None, iter(rows), loose=True)
    if has_vector(script):
        yield from (Table(names, iter(rows), loose=True) for names, rows in vectors([script]))


def _runs(script: str) -> Iterator[list[list[str]]]:
    """Rows of one width with nothing but commas between them."""
    run: list[list[str]] = []
    end = cells = 0
    for match in _ROW.finditer(script):
        row = _cells(match.group(1))
        cells += len(row)
        if cells > MOST_CELLS:
            break
        between = script[end : match.start()] if match.start() - end < MOST_BETWEEN else "?"
        if run and (between.strip(", \n\r\t") or len(run[0]) != len(row)):
            yield run
            run = []
        run.append(row)
        end = match.end()
    if run:
        yield run


def _cells(body: str) -> list[str]:
    quote = "'" if body.count("'") > body.count('"') else '"'
    reader = csv.reader([" ".join(body.split())], quotechar=quote, skipinitialspace=True, escapechar="\\")
    try:
        return [bare_value(cell) for cell in next(reader)]
    except csv.Error:
        return []


def _are_names(row: Sequence[str]) -> bool:
    return len(row) >= LEAST_WIDTH and len(set(row)) == len(row) and all(kind(cell) == "t" for cell in row)
