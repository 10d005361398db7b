"""Removals taken up again after a crash, once and more than once."""

from __future__ import annotations

import errno
import hashlib
import os

import pytest

from agent.finishing import finish
from agent.opening import RootFolder, open_untrusted
from agent.protocol import Unfinished
from agent.removal import Ending, tidy

ASIDE = ".recordwarden-0123456789abcdef"
CONTENT = b"id,sex,age\n1,2,3\n"


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "f.csv").write_bytes(CONTENT)
    with RootFolder.open(str(folder), folder.stat().st_dev) as opened:
        opened.path = folder
        yield opened


def everything(root):
    return sorted(
        os.path.relpath(os.path.join(where, name), root.path)
        for where, _, names in os.walk(root.path)
        for name in names
    )


def unfinished(root, relpath="sub/f.csv", content=CONTENT):
    with open_untrusted(root, relpath) as opened:
        identity = opened.identity()
    return Unfinished("entry-1", identity, hashlib.sha256(content).hexdigest(), ASIDE, "")


def test_nothing_done_yet_is_done_now(root):
    entry = unfinished(root)
    assert finish(root, entry, lambda: True) == Ending("quarantined")
    assert everything(root) == []


def test_aside_is_unlinked_if_permitted_and_put_back_if_not(root):
    entry = unfinished(root)
    for permitted in (False, True):
        (root.path / ASIDE).mkdir(mode=0o700, exist_ok=True)
        (root.path / "sub" / "f.csv").rename(root.path / ASIDE / "original")
        ending = finish(root, entry, lambda permitted=permitted: permitted)
        assert ending == (Ending("quarantined") if permitted else Ending("not_removed", "revoked"))
        assert everything(root) == ([] if permitted else ["sub/f.csv"])


def test_aside_in_the_same_folder_is_found_too(root):
    entry = unfinished(root)
    (root.path / "sub" / "f.csv").rename(root.path / "sub" / ASIDE)
    assert finish(root, entry, lambda: True) == Ending("quarantined")
    assert everything(root) == []


@pytest.mark.parametrize("code", [errno.ESTALE, errno.EIO, errno.ENODEV])
def test_a_fault_that_may_pass_does_not_make_it_gone(root, monkeypatch, code):
    entry = unfinished(root)
    (root.path / ASIDE).mkdir(mode=0o700)
    (root.path / "sub" / "f.csv").rename(root.path / ASIDE / "original")

    def fails(*_):
        raise OSError(code, "made up")

    with monkeypatch.context() as patch:
        patch.setattr(RootFolder, "beneath", fails)
        assert finish(root, entry, lambda: True) is None
    assert everything(root) == [f"{ASIDE}/original"]
    assert finish(root, entry, lambda: True) == Ending("quarantined")


def test_something_else_aside_is_put_back(root):
    entry = unfinished(root)
    (root.path / ASIDE).mkdir()
    (root.path / "sub" / "f.csv").unlink()
    (root.path / ASIDE / "original").write_bytes(b"innocent, 17 byt.")
    assert finish(root, entry, lambda: True) == Ending("not_removed", "changed")
    assert (root.path / "sub" / "f.csv").read_bytes() == b"innocent, 17 byt."


def test_unlinked_before_the_crash_is_quarantined_even_if_the_name_lives_again(root):
    entry = unfinished(root)
    (root.path / ASIDE).mkdir()
    (root.path / "sub" / "f.csv").unlink()
    assert finish(root, entry, lambda: pytest.fail("nothing to ask")) == Ending("quarantined")
    (root.path / "sub" / "f.csv").write_bytes(b"another file")
    assert finish(root, entry, lambda: pytest.fail("nothing to ask")) == Ending("quarantined")
    assert (root.path / "sub" / "f.csv").read_bytes() == b"another file"


def test_a_file_that_its_user_moved_away_first_is_not_said_to_be_removed(root):
    entry = unfinished(root)
    (root.path / "sub" / "f.csv").rename(root.path / "elsewhere")
    assert finish(root, entry, lambda: pytest.fail("nothing to ask")) == Ending("not_removed", "gone")
    assert (root.path / "elsewhere").read_bytes() == CONTENT


def test_a_changed_file_at_the_place_is_no_longer_the_one(root):
    entry = unfinished(root)
    (root.path / "sub" / "f.csv").write_bytes(CONTENT + b"more")
    assert finish(root, entry, lambda: True) == Ending("not_removed", "gone")
    assert (root.path / "sub" / "f.csv").read_bytes() == CONTENT + b"more"


def test_a_medium_that_came_back_with_other_numbers_is_recognised_by_content(root):
    entry = unfinished(root)
    (root.path / "sub" / "f.csv").unlink()
    (root.path / "decoy").write_bytes(b"")
    (root.path / "sub" / "f.csv").write_bytes(CONTENT)
    assert finish(root, entry, lambda: True) == Ending("quarantined")


def test_finishing_twice_is_finishing_once(root):
    entry = unfinished(root)
    assert finish(root, entry, lambda: True) == Ending("quarantined")
    assert finish(root, entry, lambda: True) == Ending("quarantined")
    tidy(root, ASIDE)
    assert finish(root, entry, lambda: True) == Ending("not_removed", "gone")


def test_a_link_planted_aside_leads_nowhere(root, tmp_path):
    entry = unfinished(root)
    victim = tmp_path / "victim"
    victim.write_bytes(CONTENT)
    (root.path / ASIDE).mkdir()
    (root.path / ASIDE / "original").symlink_to(victim)
    assert finish(root, entry, lambda: True) == Ending("quarantined")
    assert victim.read_bytes() == CONTENT


def test_a_folder_that_was_only_made_is_no_evidence(root):
    entry = unfinished(root)
    (root.path / ASIDE).mkdir()
    assert finish(root, entry, lambda: False) == Ending("not_removed", "revoked")
    assert everything(root) == ["sub/f.csv"]
    assert finish(root, entry, lambda: True) == Ending("quarantined")
    assert everything(root) == []
