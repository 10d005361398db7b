"""Lists of values as SQL writes them, scanned out of a text that streams by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from detectors.engine.table import Unreadable
from detectors.engine.verdict import Reason

LOOK_AHEAD = 64 * 1024
_KEEP = 256 * 1024
LEAST_SAID = 3
MOST_SAID_CHARS = 16 * 1024
_SET = re.compile(
    r"\s{0,9}(?:UPDATE|INSERT(?:\s{1,9}INTO)?|REPLACE(?:\s{1,9}INTO)?)\s{1,9}\S++\s{1,9}SET\s{1,9}(?=\S+\s{0,9}=)",
    re.IGNORECASE,
)
_SELECT = re.compile(r"(?:UNION\s{1,9}(?:ALL\s{1,9})?)?SELECT\s{1,9}(?=N?['\"\d.-])", re.IGNORECASE)
_BEHIND = re.compile(r"(?:\sFROM\s{1,9}dual)?(?:\sUNION(?:\s{1,9}ALL)?)?;?\Z", re.IGNORECASE)
_KEY = re.compile(r"\s{1,9}WHERE\s{1,9}", re.IGNORECASE)
_AS = re.compile(r"\s{1,9}AS\s{1,9}[`\"\[]?(\w{1,60})[`\"\]]?\Z", re.IGNORECASE)
_TEXT = re.compile(r"'[^']*+'")


class Buffer:
    """A stream of text with a place in it; matches patterns at that place.

    Matching what is not yet complete reads on, at most `most` characters ahead.
    """

    def __init__(self, pieces: Iterator[str], most: int) -> None:
        self._pieces, self._most = pieces, most
        self._ended = False
        self.text = ""
        self.at = 0

    def fill(self, chars: int) -> bool:
        """Have `chars` characters ahead if there are so many; False at the end of the text."""
        if len(self.text) - self.at < chars and not self._ended:
            parts = [self.text[self.at :]]
            length = len(parts[0])
            while length < chars and not self._ended:
                piece = next(self._pieces, None)
                self._ended = piece is None
                parts.append(piece or "")
                length += len(parts[-1])
            self.text, self.at = "".join(parts), 0
        return self.at < len(self.text)

    def match(self, pattern: re.Pattern[str], chars: int = LOOK_AHEAD) -> re.Match[str] | None:
        """What begins here, with at least `chars` characters in sight; takes it."""
        self.fill(chars)
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def match_all(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The same for something of any length: reads on until it matches or `most` is passed."""
        chars = 4096
        while True:
            self.fill(chars)
            found = pattern.match(self.text, self.at)
            if found is not None and (found.end() < len(self.text) or self._ended):
                self.at = found.end()
                return found
            if self._ended:
                if found is not None:
                    self.at = found.end()
                return found
            if len(self.text) - self.at > self._most:
                raise Unreadable(Reason.LIMIT_CELL)
            chars = 2 * max(chars, len(self.text) - self.at)

    def line(self) -> str:
        """The next line without its end; no more than `LOOK_AHEAD` of it."""
        self.fill(LOOK_AHEAD)
        end = self.text.find("\n", self.at, self.at + LOOK_AHEAD)
        stop = end if end >= 0 else min(len(self.text), self.at + LOOK_AHEAD)
        line, self.at = self.text[self.at : stop], stop + (end >= 0)
        return line


class Values:
    """Patterns for one dialect; `backslash` is whether a backslash escapes in texts."""

    def __init__(self, backslash: bool) -> None:
        text = r"'(?:[^'\\]++|\\.|'')*+'" if backslash else r"'(?:[^']++|'')*+'"
        named = r'"(?:[^"\\]++|\\.|"")*+"' if backslash else r'"(?:[^"]++|"")*+"'
        inner = rf"\((?:[^()'\"]++|{text}|{named}|\((?:[^()'\"]++|{text}|{named})*+\))*+\)"
        self._backslash = backslash
        self.row = re.compile(rf"\s*+\(((?:[^()'\"]++|{text}|{named}|{inner})*+)\)(\s*+,)?", re.DOTALL)
        self._part = re.compile(rf"(?:[^,()'\"]++|{text}|{named}|{inner})++", re.DOTALL)
        self._value = re.compile(
            rf"\s*+(?:(?:[A-Za-z_]\w*+\s?)?({text}|{named})(?:::[\w \[\]]++)?\s*+(?=,|\Z)"
            rf"|((?:[^,()'\"]++|{text}|{named}|{inner})*+))(,|\Z)",
            re.DOTALL,
        )

    def parts(self, inside: str) -> list[str]:
        """What stands between the commas of a list, as it is written."""
        return [part.strip() for part in self._part.findall(inside)]

    def cells(self, inside: str) -> list[str]:
        """The values between the brackets of one row as text; NULL is blank."""
        if "'" not in inside and '"' not in inside and "(" not in inside:
            return ["" if v in ("NULL", "null") else v for v in map(str.strip, inside.split(","))]
        cells: list[str] = []
        at = 0
        while (found := self._value.match(inside, at)) is not None:
            quoted, bare, comma = found.groups()
            cells.append(self._unquoted(quoted) if quoted is not None else self._bare(bare))
            at = found.end()
            if not comma:
                break
        return cells

    def _unquoted(self, quoted: str) -> str:
        mark, text = quoted[0], quoted[1:-1]
        if mark * 2 in text:
            text = text.replace(mark * 2, mark)
        if self._backslash and "\\" in text:
            text = re.sub(
                r"\\(.)",
                lambda m: {"n": "\n", "t": "\t", "r": "\r", "0": ""}.get(m[1], m[1]),
                text,
                flags=re.S,
            )
        return text

    def _bare(self, text: str) -> str:
        text = text.strip()
        if text.upper() == "NULL":
            return ""
        if "'" in text and text.endswith(")"):
            first = re.search(r"'((?:[^']|'')*)'", text)
            return first[1].replace("''", "'") if first else text
        return text


def said_by_lines(lines: Sequence[str], values: Values) -> Iterator[tuple[list[str] | None, list[list[str]]]]:
    """(names, rows) of the lines that set named values each, and of those that select nothing but values."""
    records: list[dict[str, str]] = []
    selected: list[list[str]] = []
    for line in lines:
        if len(line) > MOST_SAID_CHARS:
            continue
        if (begun := _SET.match(line)) is not None:
            said = values.parts(_KEY.sub(",", line[begun.end() :], 1).rstrip("; \t\r"))
            pairs = [part.partition("=") for part in said if "=" in part]
            records.append({name.strip(' `"[]'): _first(values, value) for name, _, value in pairs})
        elif (select := _SELECT.match(line.strip())) is not None:
            selected.append(values.parts(_BEHIND.sub("", line.strip()[select.end() :])))
    names = list(dict.fromkeys(name for record in records for name in record))
    if len(records) >= LEAST_SAID and len(names) > 1:
        yield names, [[record.get(name, "") for name in names] for record in records]
    yield from _selected(selected, values)


def _selected(rows: list[list[str]], values: Values) -> Iterator[tuple[list[str] | None, list[list[str]]]]:
    if len(rows) < LEAST_SAID or len(set(map(len, rows))) > 1:
        return
    named = [found[1] for cell in rows[0] if (found := _AS.search(cell))]
    bare = [[_AS.sub("", cell) for cell in row] for row in rows]
    plain = [row for row in bare if not any(" " in _TEXT.sub("", cell) for cell in row)]
    if len(plain) == len(bare):
        header = named if len(named) == len(rows[0]) else None
        yield header, [[_first(values, cell) for cell in row] for row in plain]


def _first(values: Values, written: str) -> str:
    return next(iter(values.cells(written)), "")
