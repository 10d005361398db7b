"""A released file comes into its place once, whole, wherever its way there is cut off."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pyrage
import pytest

from agent import giving_back
from agent.attributes import seal, unseal
from agent.errors import NotPermitted, Refused, VaultTrouble
from agent.placing import Handed, Order, put_in_place
from agent.sealing import Source
from agent.vault import Vault, manifest, parse_recipients

CONTENT = b"caseid,sex\n1,2\n" * 20_000
ENTRY = "01234567-entry"


class Killed(BaseException):
    """As if the process had died."""


class Place:
    """A vault with one entry, the bundle for the one-time key, and a supervisor that remembers steps."""

    def __init__(self, base) -> None:
        self.base = base
        self.security, self.once = (pyrage.x25519.Identity.generate() for _ in range(2))
        self.vault, self.root = base / "vault", base / "root"
        for folder in (self.vault / "tmp", self.vault / "entries", self.root):
            folder.mkdir(parents=True)
        file = base / "a.csv"
        file.write_bytes(CONTENT)
        file.chmod(0o640)
        os.utime(file, ns=(1_600_000_000_000_000_001, 1_500_000_000_000_000_002))
        os.setxattr(file, "user.origin", b"made up")
        fd = os.open(file, os.O_RDONLY)
        try:
            source = Source(fd, os.fstat(fd), "root", str(base), "a.csv")
            Vault(self.vault, [str(self.security.to_public())], 0).deposit(ENTRY, source, time.time())
        finally:
            os.close(fd)
        self.entry = manifest(self.vault, ENTRY)
        self.ciphertext = base / "rewrapped.age"
        once = parse_recipients([str(self.once.to_public())])
        self.ciphertext.write_bytes(pyrage.encrypt(CONTENT, once))
        attributes = unseal(self.entry.sealed_xattrs, self.entry.xattrs_sha256, [self.security])
        self.handed = Handed(self.ciphertext, seal(attributes, once))
        self.target = self.root / "back.csv"
        self.beside = self.root / ".recordwarden-release-1"
        self.state = "placing"
        self.lost: list[str] | None = None
        self.before: dict[str, BaseException] = {}
        self.after: dict[str, BaseException] = {}

    # what the supervisor is told

    def written(self, lost) -> None:
        self._step("written", "written")
        self.lost = list(lost)

    def unwritten(self) -> None:
        self._step("unwritten", "placing")

    def _step(self, name, state) -> None:
        if name in self.before:
            raise self.before.pop(name)
        self.state = state
        if name in self.after:
            raise self.after.pop(name)

    def order(self) -> Order:
        return Order("1", str(self.target), str(self.beside), "", self.state == "written")

    def put(self, handed=None) -> None:
        put_in_place(self.order(), self.entry, handed or self.handed, [self.once], self)

    def names(self) -> set[str]:
        return set(os.listdir(self.root))


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_bytes_and_metadata_come_back(place):
    place.put()
    known = place.target.stat()
    assert place.target.read_bytes() == CONTENT
    assert (known.st_mode & 0o7777, known.st_mtime_ns) == (0o640, 1_500_000_000_000_000_002)
    assert os.getxattr(place.target, "user.origin") == b"made up"
    assert place.lost == [] and place.names() == {"back.csv"}


@pytest.mark.parametrize(
    "step", ["decrypted", "before written", "after written", "before name", "after name"]
)
def test_it_is_taken_up_again_wherever_it_was_cut_off(place, monkeypatch, step):
    when, _, what = step.partition(" ")

    def die():
        """From here on nothing tidies up: the process is gone."""
        cut.setattr(os, "unlink", lambda *_, **__: None)
        cut.setattr(Place, "unwritten", lambda self: None)
        raise Killed

    def named(*arguments):
        if when == "after":
            giving_back.give_name(*arguments)
        die()

    with monkeypatch.context() as cut:
        if what == "written":
            getattr(place, when)["written"] = Killed()
        elif what == "name":
            cut.setattr("agent.placing.give_name", named)
        else:
            cut.setattr("agent.placing.restore_metadata", lambda *_: die())
        with pytest.raises(Killed):
            place.put()
    assert place.target.exists() is (step == "after name")
    place.put()
    assert place.target.read_bytes() == CONTENT
    assert place.names() == {"back.csv"}


def test_what_was_moved_on_meanwhile_is_not_placed_a_second_time(place):
    place.put()
    place.target.rename(place.root / "elsewhere.csv")
    place.put()
    assert place.names() == {"elsewhere.csv"}


def test_what_has_its_name_by_a_link_loses_the_other_one(place):
    """Killed between link and unlink, on a medium that cannot rename without replacing."""
    place.put()
    os.link(place.target, place.beside)
    place.put()
    assert place.names() == {"back.csv"} and place.target.read_bytes() == CONTENT


def test_what_somebody_changed_beside_its_place_gets_no_name(place):
    place.after["written"] = Killed()
    with pytest.raises(Killed):
        place.put()
    place.beside.write_bytes(b"something else")
    with pytest.raises(VaultTrouble, match="changed by somebody"):
        place.put()
    assert place.names() == set() and place.state == "placing"
    place.put()
    assert place.target.read_bytes() == CONTENT


@pytest.mark.parametrize("state", ["placing", "written"])
@pytest.mark.parametrize("kind", ["fifo", "link", "folder", "file"])
def test_what_somebody_put_in_the_way_is_not_waited_for_nor_followed(place, tmp_path, kind, state):
    other = tmp_path / "other.txt"
    other.write_bytes(b"precious")
    make = {
        "fifo": lambda: os.mkfifo(place.beside),
        "link": lambda: place.beside.symlink_to(other),
        "folder": place.beside.mkdir,
        "file": lambda: place.beside.write_bytes(b"x"),
    }[kind]
    make()
    place.state = state
    refused = state == "written" or kind == "folder"
    if refused:
        with pytest.raises((VaultTrouble, NotPermitted)):
            place.put()
        assert not place.target.exists() and place.state == "placing"
        if kind == "folder":
            place.beside.rmdir()
    place.put()
    assert place.target.read_bytes() == CONTENT and place.names() == {"back.csv"}
    assert other.read_bytes() == b"precious"


def test_nothing_is_overwritten_also_when_it_appears_at_the_last_moment(place, monkeypatch):
    monkeypatch.setattr("agent.placing.refuse_taken", lambda *_: None)
    place.target.write_bytes(b"somebody else's")
    with pytest.raises(Refused, match="nothing was overwritten"):
        place.put()
    assert place.target.read_bytes() == b"somebody else's"
    assert place.names() == {"back.csv"} and place.state == "placing"


def test_a_link_on_the_way_is_refused(place, tmp_path):
    (tmp_path / "outside").mkdir()
    place.root.rmdir()
    place.root.symlink_to(tmp_path / "outside")
    with pytest.raises(Refused):
        place.put()
    assert os.listdir(tmp_path / "outside") == []


def test_another_volume_at_the_destination_is_refused(place):
    with pytest.raises(Refused, match="another volume"):
        put_in_place(replace(place.order(), device="1:1"), place.entry, place.handed, [place.once], place)


def test_other_attributes_than_were_taken_are_refused(place):
    once = parse_recipients([str(place.once.to_public())])
    forged = replace(place.handed, sealed_xattrs=seal(b'{"user.origin": "Zm9yZ2Vk"}', once))
    with pytest.raises(VaultTrouble, match="attributes are not what was taken"):
        place.put(forged)
    assert place.names() == set()


def test_an_entry_from_before_attributes_had_a_digest_says_that_they_are_lost(place):
    place.entry = replace(place.entry, xattrs_sha256="")
    place.put()
    assert place.lost == ["attributes"]
    assert os.listxattr(place.target) == []


def test_when_nobody_knows_whether_it_was_heard_nothing_is_removed(place):
    """Were it removed, and had the supervisor heard, it would look as if the file had got its name."""
    place.after["written"] = ConnectionError("the service went away")
    with pytest.raises(NotPermitted):
        place.put()
    assert place.beside.exists() and not place.target.exists()
    place.put()
    assert place.names() == {"back.csv"}
