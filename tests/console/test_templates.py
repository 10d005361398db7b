"""Templates escape everything, and say what a time or a size is."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from console.templates import environment, size, when


def test_text_of_others_is_harmless_wherever_it_stands():
    made = environment().from_string(
        "{{ x }}<i title='{{ x }}'>{{ x|lines }}{{ x|short(9) }}{{ x|raw_lines }}</i>"
    )
    out = made.render(x="<script>'\"\x1b\u202e</script>")
    assert "<script" not in out and "\x1b" not in out and "\u202e" not in out and out.count("'") == 2


def test_an_unknown_name_is_an_error():
    with pytest.raises(UndefinedError):
        environment().from_string("{{ nothing }}").render()


def test_times_and_sizes():
    assert when(1_790_000_000) == "2026-09-21 14:13"
    assert when(None) == "–"
    assert [size(n) for n in (0, 999, 1500, 2_500_000)] == ["0 B", "999 B", "1.5 kB", "2.5 MB"]
