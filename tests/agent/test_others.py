"""Another workstation's removals on the same share: recognised by its notice, and not meddled with."""

from __future__ import annotations

import os
import threading
import time

import pytest

from agent import notice, others

ID = "12345678-1234-4123-8123-123456789abc"


@pytest.fixture
def parent(tmp_path, monkeypatch):
    monkeypatch.setattr(others, "PATIENCE_SECONDS", 0.3)
    fd = os.open(tmp_path, os.O_PATH | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def leave(parent):
    assert notice.leave(parent, "f.csv", notice.text("{file}: {reference}", "f.csv", ID), ID, (0, 0))


def test_a_file_whose_notice_stands_there_was_taken(parent):
    leave(parent)
    assert others.was_taken(parent, "f.csv", lambda: None)


def test_the_notice_may_come_a_moment_later(parent):
    later = threading.Timer(0.1, leave, [parent])
    later.start()
    assert others.was_taken(parent, "f.csv", lambda: None)
    later.join()


def test_a_file_that_somebody_else_removed_was_not_taken(parent):
    begun = time.monotonic()
    assert not others.was_taken(parent, "f.csv", lambda: None)
    assert time.monotonic() - begun < 30


def test_a_file_that_is_there_was_not_taken_whatever_stands_beside_it(parent, tmp_path):
    leave(parent)
    (tmp_path / "f.csv").write_bytes(b"1")
    assert not others.was_taken(parent, "f.csv", lambda: None)


def test_only_a_notice_with_a_reference_counts(parent, tmp_path):
    (tmp_path / f"f.csv{notice.ENDING}").write_text("gone fishing")
    assert not others.was_taken(parent, "f.csv", lambda: None)


@pytest.mark.parametrize(
    ("path", "yes"),
    [
        (f".recordwarden-{'a' * 32}/original", True),
        (f"deep/in/.recordwarden-{'a' * 32}", True),
        (f".recordwarden-{'a' * 32}/other.csv", False),
        ("a/original", False),
        (".recordwarden-notes/survey.csv", False),
    ],
)
def test_only_what_a_removal_makes_is_left_alone_for_a_while(path, yes):
    assert others.is_aside(path) is yes
