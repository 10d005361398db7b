"""The notice: what it says, and what it never does."""

from __future__ import annotations

import errno
import os

import pytest

from agent import notice


@pytest.fixture
def folder(tmp_path):
    fd = os.open(tmp_path, os.O_PATH)
    yield fd
    os.close(fd)


OWNER = (os.getuid(), os.getgid())


def test_a_name_cannot_forge_lines_or_placeholders_in_it():
    words = notice.text("{file} {reference}\n", "a\nCall 0800\x1b[2J\u202e{reference}", "e-1")
    assert "\\n" in words and "\x1b" not in words and "\u202e" not in words
    assert words.count("\n") == 1 and words.count("e-1") == 1


def test_it_stands_in_place_of_the_file(tmp_path, folder):
    assert notice.leave(folder, "f.csv", "words e1", "e1", OWNER)
    assert (tmp_path / "f.csv.quarantined.txt").read_text() == "words e1"


def test_it_replaces_nothing_and_takes_another_name(tmp_path, folder):
    (tmp_path / "f.csv.quarantined.txt").write_text("somebody's own")
    assert notice.leave(folder, "f.csv", "words e1", "e1", OWNER)
    assert (tmp_path / "f.csv.quarantined.txt").read_text() == "somebody's own"
    assert (tmp_path / "f.csv.quarantined-2.txt").read_text() == "words e1"


def test_it_is_left_once_for_one_entry(tmp_path, folder):
    assert notice.leave(folder, "f", "words e1", "e1", OWNER)
    assert notice.leave(folder, "f", "words e1", "e1", OWNER)
    assert os.listdir(tmp_path) == ["f.quarantined.txt"]


def test_one_that_was_begun_when_we_died_is_written_now(tmp_path, folder):
    (tmp_path / "f.quarantined.txt").touch()
    assert notice.leave(folder, "f", "words e1", "e1", OWNER)
    assert os.listdir(tmp_path) == ["f.quarantined.txt"]
    assert (tmp_path / "f.quarantined.txt").read_text() == "words e1"


def test_an_empty_file_with_another_name_is_not_written_to(tmp_path, folder):
    (tmp_path / "victim").touch()
    os.link(tmp_path / "victim", tmp_path / "f.quarantined.txt")
    assert notice.leave(folder, "f", "words e1", "e1", OWNER)
    assert (tmp_path / "victim").read_bytes() == b""
    assert (tmp_path / "f.quarantined-2.txt").read_text() == "words e1"


def test_where_names_must_be_shorter_it_has_a_shorter_name(tmp_path, folder, monkeypatch):
    real = os.open

    def short_names(path, flags, mode=0o777, *, dir_fd=None):
        if len(os.fsencode(path)) > 143:
            raise OSError(errno.ENAMETOOLONG, "made up")
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(notice.os, "open", short_names)
    assert notice.leave(folder, "x" * 140, "words e1", "e1", OWNER)
    (name,) = os.listdir(tmp_path)
    assert name.endswith("x.quarantined.txt") and len(name) == 143


def test_it_is_never_written_through_a_link(tmp_path, folder):
    (tmp_path / "f.quarantined.txt").symlink_to(tmp_path / "victim")
    assert notice.leave(folder, "f", "words e1", "e1", OWNER)
    assert not (tmp_path / "victim").exists()


@pytest.mark.parametrize("name", ["x" * 255, "ü" * 127, os.fsdecode(b"\xff" * 255)])
def test_the_longest_names_have_room_for_it(tmp_path, folder, name):
    assert notice.leave(folder, name, "words", "e1", OWNER)
    (made,) = os.listdir(tmp_path)
    assert made.endswith(".quarantined.txt") and len(os.fsencode(made)) <= 255


def test_no_room_means_no_notice_and_no_half_of_one(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(notice.os, "write", lambda fd, words: 3)
    assert not notice.leave(folder, "f", "words", "e1", OWNER)
    assert os.listdir(tmp_path) == []


def test_a_folder_full_of_notices_is_no_endless_search(tmp_path, folder):
    for number in range(1, 60):
        ending = notice.ENDING if number == 1 else f".quarantined-{number}.txt"
        (tmp_path / f"f{ending}").write_text("other")
    assert not notice.leave(folder, "f", "words", "e1", OWNER)
