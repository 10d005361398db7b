"""What all sinks share: one line, masks, and failures without anybody's text in them."""

from __future__ import annotations

import errno

import pytest

from agent.sinks.sink import DeliveryError, masked, one_line, slim

RECORD = {
    "file": {"name": "n", "path": "/p/n", "size": 1},
    "data_security": {"status_id": 1, "discovery_details": [1]},
    "unmapped": {"restored_to": "/p", "findings": [1], "zone": "shared"},
}


def test_a_line_is_one_line_of_ascii() -> None:
    line = one_line({"x": "a\nb\r\u2028\udcff\x00é"})
    assert line.isascii() and line.isprintable()


@pytest.mark.parametrize("value", [float("inf"), object(), {1, 2}])
def test_what_is_no_json_is_a_permanent_failure(value: object) -> None:
    with pytest.raises(DeliveryError) as caught:
        one_line({"x": value})
    assert caught.value.permanent


def test_a_failure_carries_the_kind_and_nothing_of_its_text() -> None:
    error = DeliveryError.of(OSError(errno.ECONNREFUSED, "secret.csv"))
    assert (error.code, error.permanent, str(error)) == ("ECONNREFUSED", False, "ECONNREFUSED")
    assert DeliveryError.of(TimeoutError("secret")).code == "ETIMEDOUT"


def test_masks_hide_every_path_and_leave_the_rest() -> None:
    hidden = masked(RECORD)
    assert "/p" not in one_line(hidden)
    assert hidden["file"]["size"] == 1 and hidden["unmapped"]["zone"] == "shared"
    assert RECORD["file"]["path"] == "/p/n"


def test_slim_leaves_out_the_evidence_only() -> None:
    told = slim(RECORD)
    assert told["data_security"] == {"status_id": 1}
    assert "findings" not in told["unmapped"] and told["file"] == RECORD["file"]
