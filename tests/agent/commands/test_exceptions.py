"""Exceptions from the command line: signed by two, handed in, listed with what they are, revoked by one."""

from __future__ import annotations

import json
import time

import pytest

from agent.cli import run
from agent.statements import as_text


@pytest.fixture
def running(own_service):
    return own_service


def test_an_exception_is_signed_handed_in_listed_and_revoked(running, typed, agreed, tmp_path):
    file = tmp_path / "exception.json"
    file.write_text(as_text(agreed.exception(time.time(), days=10, content=("ab" * 32,))))
    for person in (agreed.owner, agreed.officer):
        key = str(person.key_file(tmp_path))
        assert run(["exceptions", "approve", str(file), "--key", key, "--yes"]) == 0
    code, out, err = typed("exceptions", "add", str(file))
    assert code == 0 and "EXC-made-up-1 is in_force" in out, err
    (row,) = [json.loads(line) for line in typed("exceptions", "list", "--json")[1].splitlines()]
    assert (row["standing"], row["here"], row["files"], row["days_left"]) == ("in_force", True, 0, 10)
    shown = typed("exceptions", "list")[1]
    assert "this content" in shown and "codes" in shown and "ENDS SOON" in shown and "ann" in shown
    assert "1 exception; end soon: EXC-made-up-1" in typed("status")[1]
    assert typed("agreements", "list")[1].strip() == "no agreement was ever handed in"
    assert typed("exceptions", "revoke", "EXC-other", "--key", key, "--reason", "x")[0] == 1
    out_file = tmp_path / "end.json"
    code, out, err = typed(
        "exceptions", "revoke", "EXC-made-up-1", "--key", key, "--reason", "x", "--out", str(out_file)
    )
    assert code == 0 and "revoked" in out and out_file.is_file(), err
    assert json.loads(typed("exceptions", "list", "--json")[1])["standing"] == "revoked"
