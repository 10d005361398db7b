"""Settings written as TOML: the standard library only reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from agent.escape import escape


def write(
    plain: Mapping[str, Any], above: str = "", remarks: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Lines of TOML for plain JSON values; keys that are None are left out. `remarks`: by dotted key."""

    def remark(name: str) -> str:
        said = (remarks or {}).get(name)
        return f"  # {escape(said)}" if said else ""

    for key, value in plain.items():
        if value is not None and not isinstance(value, Mapping) and not _is_tables(value):
            yield f"{_key(key)} = {_value(value)}{remark(above + key)}"
    for key, value in plain.items():
        name = f"{above}{_key(key)}"
        if isinstance(value, Mapping):
            yield ""
            yield f"[{name}]"
            yield from write(value, name + ".", remarks)
        elif _is_tables(value):
            for table in value:
                yield ""
                yield f"[[{name}]]{remark(above + key)}"
                yield from write(table, name + ".")


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, Mapping) for v in value)


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if bare else _string(key)


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_value(v) for v in value)}]"
    if isinstance(value, str):
        return _string(value)
    return json.dumps(value)


def _string(text: str) -> str:
    """A basic string; what does not show as itself on a terminal is written by its number."""
    return f'"{"".join(_char(char) for char in text)}"'


def _char(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    return char if escape(char) == char else f"\\U{ord(char):08x}"
