"""Removal: only the very file that was vaulted, and never in neither place."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import subprocess

import pytest

from agent import removal
from agent.lease import WriteLease
from agent.opening import RootFolder, open_untrusted
from agent.removal import Content, Ending, beside_name, take_away, tidy

ASIDE = ".recordwarden-0123456789abcdef"
CONTENT = b"id,sex,age\n1,2,3\n"
VAULTED = Content(hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "f.csv").write_bytes(CONTENT)
    with RootFolder.open(str(folder), folder.stat().st_dev) as opened:
        opened.path = folder
        yield opened


def remove(root, relpath="sub/f.csv", may_unlink=lambda: True, before=lambda: None):
    with open_untrusted(root, relpath) as opened, WriteLease(opened.fd) as lease:
        before()
        ending = take_away(root, opened, ASIDE, may_unlink, lease, VAULTED)
    tidy(root, ASIDE)
    return ending


def everything(root):
    return sorted(
        os.path.relpath(os.path.join(where, name), root.path)
        for where, _, names in os.walk(root.path)
        for name in names
    )


def test_the_file_is_gone_and_nothing_else(root):
    (root.path / "sub" / "other").write_bytes(b"other")
    assert remove(root) == Ending("quarantined")
    assert everything(root) == ["sub/other"]
    assert os.listdir(root.path) == ["sub"]


def test_while_permission_is_asked_nobody_else_can_reach_it(root):
    found = {}

    def look():
        folder = root.path / ASIDE
        found.update(mode=folder.stat().st_mode & 0o777, names=os.listdir(folder))
        return True

    remove(root, may_unlink=look)
    assert found == {"mode": 0o700, "names": ["original"]}


def test_an_unlink_that_a_pulled_medium_may_not_have_is_not_concluded(root, monkeypatch):
    real = os.fsync

    def fails(fd, code=errno.EIO):
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            raise OSError(code, "made up")
        real(fd)

    with monkeypatch.context() as patch:
        patch.setattr(removal.os, "fsync", fails)
        with pytest.raises(removal.MediumLost):
            remove(root)
    assert os.listdir(root.path / ASIDE) == [], "the folder stays, for whoever takes it up"
    os.rmdir(root.path / ASIDE)
    (root.path / "sub" / "f.csv").write_bytes(CONTENT)
    monkeypatch.setattr(removal.os, "fsync", lambda fd: fails(fd, errno.EINVAL))
    assert remove(root) == Ending("quarantined"), "no such thing here"


def test_without_permission_it_is_back_at_its_place(root):
    assert remove(root, may_unlink=lambda: False) == Ending("not_removed", "revoked")
    assert (root.path / "sub" / "f.csv").read_bytes() == CONTENT
    assert everything(root) == ["sub/f.csv"]


def test_a_file_that_took_its_name_is_left_alone(root):
    path = root.path / "sub" / "f.csv"

    def replace():
        path.rename(root.path / "kept")
        path.write_bytes(b"innocent")

    assert remove(root, before=replace).result == "not_removed"
    assert path.read_bytes() == b"innocent"
    assert (root.path / "kept").read_bytes() == CONTENT


def test_what_came_out_instead_is_put_back(root, monkeypatch):
    """The swap happens after the last look and before the rename."""
    path = root.path / "sub" / "f.csv"
    real = removal._set_aside

    def late(*arguments):
        path.rename(root.path / "kept")
        path.write_bytes(b"innocent")
        return real(*arguments)

    monkeypatch.setattr(removal, "_set_aside", late)
    assert remove(root) == Ending("not_removed", "changed")
    assert path.read_bytes() == b"innocent"
    assert (root.path / "kept").read_bytes() == CONTENT


def test_put_back_overwrites_nothing(root):
    path = root.path / "sub" / "f.csv"

    def take_the_name():
        path.write_bytes(b"newer")
        return False

    assert remove(root, may_unlink=take_the_name) == Ending("not_removed", "revoked")
    assert path.read_bytes() == b"newer"
    (beside,) = [n for n in os.listdir(path.parent) if n != "f.csv"]
    assert beside.startswith("f.csv.put-back-") and (path.parent / beside).read_bytes() == CONTENT


def test_put_back_finds_a_place_when_its_folder_is_gone(root):
    def no_folder():
        (root.path / "sub").rmdir()
        return False

    assert remove(root, may_unlink=no_folder) == Ending("not_removed", "revoked")
    (beside,) = os.listdir(root.path)
    assert (root.path / beside).read_bytes() == CONTENT


def test_a_changed_content_with_a_forged_time_is_not_removed(root):
    path = root.path / "sub" / "f.csv"
    status = path.stat()
    with open_untrusted(root, "sub/f.csv") as opened:
        path.write_bytes(CONTENT.upper())
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        with WriteLease(opened.fd) as lease:
            assert take_away(root, opened, ASIDE, lambda: True, lease, VAULTED) == Ending(
                "not_removed", "changed"
            )
    assert path.read_bytes() == CONTENT.upper()


def test_a_file_open_for_writing_stays(root):
    with (root.path / "sub" / "f.csv").open("ab"):
        assert remove(root) == Ending("not_removed", "in_use")
    assert everything(root) == ["sub/f.csv"]


def test_a_writer_who_came_last_finds_the_file_at_its_place(root):
    path = root.path / "sub" / "f.csv"

    def someone_wants_to_write():
        with pytest.raises(BlockingIOError):
            os.open(root.path / ASIDE / "original", os.O_WRONLY | os.O_NONBLOCK)
        return True

    assert remove(root, may_unlink=someone_wants_to_write) == Ending("not_removed", "in_use")
    assert path.read_bytes() == CONTENT


def test_other_names_of_the_content_are_told_and_not_touched(root):
    os.link(root.path / "sub" / "f.csv", root.path / "second name")
    assert remove(root) == Ending("quarantined", "other_names")
    assert (root.path / "second name").read_bytes() == CONTENT


def test_a_folder_renamed_meanwhile_does_not_matter(root):
    assert (
        remove(root, before=lambda: (root.path / "sub").rename(root.path / "moved")).result == "quarantined"
    )
    assert everything(root) == []


@pytest.mark.parametrize("code", [errno.EACCES, errno.ENOSPC, errno.EXDEV])
def test_where_no_folder_can_be_made_a_name_beside_it_will_do(root, monkeypatch, code):
    def refuse(*_, **__):
        raise OSError(code, "made up")

    monkeypatch.setattr(removal.os, "mkdir", refuse)
    seen = []
    assert (
        remove(root, may_unlink=lambda: bool(seen.append(everything(root))) or True).result == "quarantined"
    )
    assert seen == [[f"sub/{ASIDE}"]]
    assert everything(root) == []


def test_where_renames_cannot_be_told_not_to_replace_they_still_do_not(root, monkeypatch):
    def unknown(*_):
        raise OSError(errno.EINVAL, "made up")

    monkeypatch.setattr(removal, "rename_no_replace", unknown)
    path = root.path / "sub" / "f.csv"
    assert remove(root, may_unlink=lambda: bool(path.write_bytes(b"newer")) and False).result == "not_removed"
    assert path.read_bytes() == b"newer"
    assert sorted(p.read_bytes() for p in path.parent.iterdir()) == sorted([b"newer", CONTENT])


def no_such_flag(*_):
    raise OSError(errno.EINVAL, "made up")


def test_without_that_flag_what_takes_the_name_meanwhile_is_never_unlinked(root, monkeypatch):
    """A link and an unlink of the old name would remove whatever has that name by then."""
    path = root.path / "sub" / "f.csv"
    real = os.link

    def late(*arguments, **keys):
        path.rename(root.path / "kept")
        path.write_bytes(b"innocent")
        return real(*arguments, **keys)

    monkeypatch.setattr(removal, "rename_no_replace", no_such_flag)
    monkeypatch.setattr(removal.os, "link", late)
    assert remove(root) == Ending("quarantined")
    assert everything(root) == []


def test_without_that_flag_and_without_links_it_is_put_back_beside_its_name(root, monkeypatch):
    def no_links(*_, **__):
        raise OSError(errno.EPERM, "made up")

    monkeypatch.setattr(removal, "rename_no_replace", no_such_flag)
    monkeypatch.setattr(removal.os, "link", no_links)
    assert remove(root, may_unlink=lambda: False) == Ending("not_removed", "revoked")
    (beside,) = everything(root)
    assert beside.startswith("sub/f.csv.put-back-") and (root.path / beside).read_bytes() == CONTENT


@pytest.mark.root
def test_a_read_only_medium_keeps_its_file_and_says_so(drive):
    volume = drive()
    path = volume.plug()
    (path / "f.csv").write_bytes(CONTENT)
    subprocess.run(["mount", "-o", "remount,ro", str(path)], check=True)
    with RootFolder.open(str(path), path.stat().st_dev) as root:
        assert remove(root, "f.csv") == Ending("not_removed", "read_only")


@pytest.mark.root
def test_an_immutable_file_stays_and_is_said_to(root):
    path = root.path / "sub" / "f.csv"
    if subprocess.run(["chattr", "+i", str(path)], check=False).returncode:
        pytest.skip("no immutable files here")
    try:
        assert remove(root) == Ending("not_removed", "no_access")
        assert everything(root) == ["sub/f.csv"]
    finally:
        subprocess.run(["chattr", "-i", str(path)], check=True)


@pytest.mark.parametrize("name", ["x" * 255, "ü" * 127, os.fsdecode(b"\xff" * 255), "a\nb"])
def test_any_name_can_be_removed_and_put_back(root, name):
    (root.path / name).write_bytes(b"1")
    assert remove(root, name, may_unlink=lambda: False).result == "not_removed"
    assert (root.path / name).read_bytes() == b"1"
    assert remove(root, name).result == "quarantined"


def test_a_name_beside_another_is_a_legal_one():
    for name in ("a", "ü" * 127, os.fsdecode(b"\xff" * 255), "x" * 255):
        made = beside_name(name, ".ending")
        assert made.endswith(".ending") and len(os.fsencode(made)) <= 255


@pytest.mark.root
def test_an_attackers_folder_in_place_of_ours_is_not_used(root, monkeypatch):
    os.chown(root.path, 65534, 65534)
    real = os.mkdir

    def made_and_swapped(name, mode, dir_fd):
        real(name, mode, dir_fd=dir_fd)
        (root.path / name).rename(root.path / "stolen")
        real(root.path / name)
        os.chown(root.path / name, 65534, 65534)

    monkeypatch.setattr(removal.os, "mkdir", made_and_swapped)
    where = []
    assert (
        remove(root, may_unlink=lambda: bool(where.append(everything(root))) or True).result == "quarantined"
    )
    assert where == [[f"sub/{ASIDE}"]], "aside in its own folder, not in the attacker's"


@pytest.mark.parametrize(
    ("kept_here", "content", "ending"),
    [
        (False, CONTENT, Ending("quarantined", "renumbered")),
        (False, CONTENT.upper(), Ending("not_removed", "changed")),
        (True, CONTENT, Ending("not_removed", "changed")),
    ],
)
def test_where_a_server_numbers_files_anew_the_content_tells(root, monkeypatch, kept_here, content, ending):
    """As under rclone, whose files get other inode numbers when its view of a folder is renewed."""
    path = root.path / "sub" / "f.csv"

    with open_untrusted(root, "sub/f.csv") as opened, WriteLease(opened.fd) as lease:
        lease.kept_here = kept_here
        monkeypatch.setattr(type(opened), "unchanged", lambda _: True)
        path.rename(root.path / "same")
        path.write_bytes(content)
        assert take_away(root, opened, ASIDE, lambda: True, lease, VAULTED) == ending
    tidy(root, ASIDE)
    assert (root.path / "same").read_bytes() == CONTENT
    assert path.exists() == (ending.result == "not_removed")
