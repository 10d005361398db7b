"""What a walking keeper asks, and what becomes durable of it."""

from __future__ import annotations

import pytest

from agent.ledger import Ledger
from agent.policy import RootFacts
from agent.protocol import Cursor, Done, Doubted, Folders, FoldersAnswer, FoldersKnown, folder_key
from agent.volume_facts import VolumeFacts
from agent.volumes import WatchedRoot
from agent.walk_answer import cursor_key, walk_answer
from config.settings import Handling, Mode, Zone

ROOT = WatchedRoot(
    "r1", "/srv", RootFacts(Zone.SHARED, Handling.UNRESTRICTED, Mode.ENFORCE), VolumeFacts(), "configured"
)  # fmt: skip
FOLDER = (folder_key("a"), "ab" * 16)


@pytest.fixture
def ask(tmp_path):
    ledger = Ledger.open(tmp_path / "ledger.db")
    yield lambda message, judge="j": walk_answer(ledger, ROOT, judge, message), ledger
    ledger.close()


def test_folders_are_known_after_they_were_told(ask):
    tell, _ = ask
    assert tell(Folders([FOLDER])) == FoldersAnswer([0])
    assert tell(FoldersKnown([FOLDER])) == Done()
    assert tell(Folders([FOLDER])) == FoldersAnswer([])
    assert tell(Folders([FOLDER]), "another judge") == FoldersAnswer([0])


def test_how_far_a_sweep_has_come_is_kept(ask):
    tell, ledger = ask
    tell(Cursor("a/b"))
    assert ledger.meta(cursor_key("r1")) == "a/b"


def test_a_doubt_is_in_the_audit_log(ask):
    tell, ledger = ask
    tell(Doubted(["overflow"]))
    ((_, event),) = ledger.audit_waiting()
    assert (event["event"], event["root"], event["causes"]) == ("coverage_doubted", "r1", ["overflow"])


def test_what_is_no_digest_is_refused(ask):
    tell, _ = ask
    with pytest.raises(ValueError, match="hexadecimal"):
        tell(Folders([("x", "y")]))
