r"""The one way in which text of others reaches a page or a line of the command.

Agents escape names before they send them (a backslash starts an escape); one that was taken over need not.
What steers or hides instead of showing becomes an escape here; backslashes stay, so that what was escaped is
not escaped twice. Markup is the templates' business, which escape everything.
"""

from __future__ import annotations

import unicodedata

_HIDING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def shown(untrusted: str) -> str:
    r"""`untrusted` as one line of visible characters; others as `\xNN`, `\uNNNN` or `\UNNNNNNNN`."""
    if untrusted.isascii() and untrusted.isprintable():
        return untrusted
    return "".join(_visible(char) for char in untrusted)


def paragraphs(untrusted: str) -> str:
    """The same for a note that somebody typed: line breaks stay."""
    return "\n".join(shown(line) for line in untrusted.splitlines())


def shortened(untrusted: str, width: int) -> str:
    """`shown()` cut in its middle to at most `width` characters."""
    text = shown(untrusted)
    if len(text) <= width:
        return text
    kept = max(width - 1, 1)
    return text[: kept // 2] + "…" + text[len(text) - (kept - kept // 2) :]


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category in _HIDING or (category == "Zs" and char != " "):
        code = ord(char)
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return char
