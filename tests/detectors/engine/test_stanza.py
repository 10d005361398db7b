"""Options are plain values, checked one by one, and an error says which and why."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from detectors.engine.stanza import Bounds, StanzaError, options_from


@dataclass(frozen=True)
class Made:
    on: bool = True
    share: float = field(default=0.5, metadata={"bounds": Bounds(0, 1)})
    rows: int = 3
    words: tuple[str, ...] = ()
    how: str = field(default="a", metadata={"choices": ("a", "b")})


def test_values_are_taken_and_numbers_made_of_one_kind() -> None:
    assert options_from(Made, "d", {"share": 1, "rows": 5.0, "words": ["x"], "how": "b"}) == Made(
        True, 1.0, 5, ("x",), "b"
    )


@pytest.mark.parametrize(
    ("stanza", "key"),
    [
        ({"share": 2}, "d.share"),
        ({"on": "yes"}, "d.on"),
        ({"rows": 1.5}, "d.rows"),
        ({"words": "x"}, "d.words"),
        ({"how": "c"}, "d.how"),
        ({"shar": 1}, "d.shar"),
    ],
)
def test_a_wrong_value_is_named(stanza: dict[str, object], key: str) -> None:
    with pytest.raises(StanzaError) as wrong:
        options_from(Made, "d", stanza)
    assert wrong.value.key == key


def test_a_near_miss_gets_a_hint() -> None:
    with pytest.raises(StanzaError) as wrong:
        options_from(Made, "d", {"shar": 1})
    assert "share" in wrong.value.hint
