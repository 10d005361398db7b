"""Settings written as TOML: the standard library only reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def write(plain: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Lines of TOML for plain JSON values; keys that are None are left out."""
    for key, value in plain.items():
        if value is not None and not isinstance(value, Mapping) and not _is_tables(value):
            yield f"{_key(key)} = {_value(value)}"
    for key, value in plain.items():
        name = f"{above}{_key(key)}"
        if isinstance(value, Mapping):
            yield ""
            yield f"[{name}]"
            yield from write(value, name + ".")
        elif _is_tables(value):
            for table in value:
                yield ""
                yield f"[[{name}]]"
                yield from write(table, name + ".")


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, Mapping) for v in value)


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if bare else json.dumps(key)


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_value(v) for v in value)}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)
