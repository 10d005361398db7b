"""What is written is what tomllib reads."""

from __future__ import annotations

import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.commands.toml import write

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_SCALAR = (
    _TEXT
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
)
_TABLE = st.recursive(
    st.dictionaries(_TEXT, _SCALAR | st.lists(_SCALAR, max_size=3), max_size=3),
    lambda inner: st.dictionaries(_TEXT, inner | st.lists(inner, min_size=1, max_size=2), max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(_TABLE)
def test_any_settings_come_back_as_they_were(plain):
    assert tomllib.loads("\n".join(write(plain))) == plain


def test_what_would_steer_a_terminal_is_written_by_its_number():
    (line,) = write({"a": "\x1b[2J\u202e é"})
    assert line == r'a = "\U0000001b[2J\U0000202e é"'


def test_what_is_not_set_is_left_out():
    assert list(write({"a": None, "b": 1})) == ["b = 1"]
