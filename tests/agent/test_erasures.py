"""When a removed original is overwritten: small ones before their outcome is told, large ones after it."""

from __future__ import annotations

import os

import pytest

from agent import erasures
from agent.erasures import Erasures
from agent.opening import RootFolder, open_untrusted
from agent.removal import Ending

MARK = b"id,sex,age\n1,2,34\n" * 100
GONE = Ending("quarantined")


@pytest.fixture
def removed(tmp_path):
    """A file that was opened, and has no name any more."""
    (tmp_path / "f").write_bytes(MARK)
    root = RootFolder.open(str(tmp_path), tmp_path.stat().st_dev)
    with root, open_untrusted(root, "f") as opened:
        (tmp_path / "f").unlink()
        yield opened


def content(opened):
    return os.pread(opened.fd, len(MARK), 0)


def test_a_small_one_is_overwritten_before_its_outcome_is_told(removed):
    told = []
    assert Erasures(True, lambda: None, told.append).erase("e", removed, GONE)()
    assert content(removed) == bytes(len(MARK)) and not told


def test_a_large_one_is_told_when_it_was_overwritten(removed, monkeypatch):
    monkeypatch.setattr(erasures, "SLICE_BYTES", 0)
    told = []
    work = Erasures(True, lambda: None, told.append)
    assert not work.erase("e", removed, GONE)() and content(removed) == MARK
    assert work.go_on() and told == ["e"] and content(removed) == bytes(len(MARK))
    assert not work.go_on()


@pytest.mark.parametrize(
    ("wanted", "ending"),
    [(False, GONE), (True, Ending("quarantined", "other_names")), (True, Ending("not_removed", "changed"))],
)
def test_what_is_not_wanted_not_gone_or_has_other_names_stays(removed, wanted, ending):
    assert not Erasures(wanted, lambda: None, print).erase("e", removed, ending)()
    assert content(removed) == MARK
