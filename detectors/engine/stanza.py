"""Checking of the detectors' configuration stanzas by hand, so that an error names its key.

Each detector has a frozen dataclass of options whose defaults are what is shipped. Only plain
values (truth, number, text, tuples of text, mappings) occur in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
from difflib import get_close_matches
from typing import Any, TypeVar

T = TypeVar("T")


class StanzaError(ValueError):
    """A stanza is wrong. Carries the dotted key, what is wrong and how to mend it."""

    def __init__(self, key: str, message: str, hint: str = "") -> None:
        super().__init__(f"{key}: {message}" + (f" ({hint})" if hint else ""))
        self.key, self.message, self.hint = key, message, hint


@dataclass(frozen=True, slots=True)
class Bounds:
    """The range a number must lie in; kept in a field's metadata as `bounds`."""

    least: float
    most: float


def options_from(kind: type[T], key: str, untrusted_stanza: Mapping[str, Any]) -> T:
    """Build `kind` from a stanza; an unknown key or a wrong value raises `StanzaError`."""
    if not isinstance(untrusted_stanza, Mapping):
        raise StanzaError(key, "must be a table")
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    for name in untrusted_stanza:
        if name not in known:
            near = get_close_matches(str(name), known, 1)
            hint = f"did you mean {near[0]}?" if near else "known keys: " + ", ".join(sorted(known))
            raise StanzaError(f"{key}.{name}", "unknown key", hint)
    values = {name: _value(f"{key}.{name}", known[name], v) for name, v in untrusted_stanza.items()}
    return kind(**values)


def _default(field: Field[Any]) -> Any:
    factory: Any = field.default_factory
    return field.default if field.default is not MISSING else factory()


def _value(key: str, field: Field[Any], value: Any) -> Any:
    default = _default(field)
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise StanzaError(key, "must be true or false")
        return value
    if isinstance(default, int | float):
        return _number(key, field, value, type(default))
    if isinstance(default, str):
        allowed = field.metadata.get("choices")
        if not isinstance(value, str) or (allowed and value not in allowed):
            raise StanzaError(key, "must be text" + (f", one of: {', '.join(allowed)}" if allowed else ""))
        return value
    if isinstance(default, tuple):
        if not isinstance(value, list | tuple):
            raise StanzaError(key, "must be a list")
        if field.metadata.get("tables"):
            if not all(isinstance(v, Mapping) for v in value):
                raise StanzaError(key, "must be a list of tables")
        elif not all(isinstance(v, str) for v in value):
            raise StanzaError(key, "must be a list of texts")
        return tuple(value)
    if isinstance(default, Mapping):
        if not isinstance(value, Mapping):
            raise StanzaError(key, "must be a table")
        return dict(value)
    raise StanzaError(key, "cannot be set")


def _number(key: str, field: Field[Any], value: Any, kind: type) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or (kind is int and value != int(value)):
        raise StanzaError(key, "must be a whole number" if kind is int else "must be a number")
    bounds: Bounds | None = field.metadata.get("bounds")
    if bounds and not bounds.least <= value <= bounds.most:
        raise StanzaError(key, f"must be between {bounds.least:g} and {bounds.most:g}")
    return kind(value)
