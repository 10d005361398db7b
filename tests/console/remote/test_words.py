"""How commands to a console speak (console.remote.words)."""

from __future__ import annotations

import pytest

from console.remote.words import plain


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("updated", 1_790_000_000.4, "2026-09-21T14:13:20Z"),
        ("updated", 1e300, "1e+300"),
        ("records", 1_790_000_000, "1790000000"),
        ("roles", ["a", "b\n"], "a b\\x0a"),
        ("faults", [{"x": "\x1b"}], '[{"x": "\\u001b"}]'),
        ("path", "a\tb\x9b", "a\\x09b\\x9b"),
        ("note", None, ""),
    ],
)
def test_a_cell_is_visible_characters_only(name, value, told):
    assert plain(name, value) == told
