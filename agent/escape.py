"""The one way in which untrusted text reaches a terminal, a log line or a page of ours.

File names are chosen by anybody: they may hold escape sequences that steer a terminal, line breaks
that forge a second log line, marks that reverse the reading direction, or bytes that are no text.
"""

from __future__ import annotations

import os
import unicodedata

_HIDING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that steer or hide instead of showing: controls, formats (bidirectional and
zero-width marks), lone surrogates, private use, unassigned, line and paragraph separators."""


def escape(untrusted: str | bytes | os.PathLike[str]) -> str:
    r"""`untrusted` as one line of visible characters.

    Everything else is written as `\n`, `\t`, `\xNN`, `\uNNNN` or `\UNNNNNNNN`, and a backslash as
    `\\`, so that two different names never look the same. Bytes that are not UTF-8 show as `\xNN`.
    """
    return "".join(_visible(char) for char in os.fsdecode(untrusted))


def shorten(untrusted: str, width: int) -> str:
    """`escape()` cut in its middle to at most `width` characters, for columns and progress lines."""
    text = escape(untrusted)
    if len(text) <= width:
        return text
    kept = max(width - 1, 1)
    return text[: kept // 2] + "…" + text[len(text) - (kept - kept // 2) :]


def _visible(char: str) -> str:
    if char == "\\":
        return "\\\\"
    if " " <= char <= "~":
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that os.fsdecode could not read
        return f"\\x{code - 0xDC00:02x}"
    category = unicodedata.category(char)
    if category in _HIDING or (category == "Zs" and char != " "):
        short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char)
        if short:
            return short
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return char
