"""macOS's volumes, from answers that were written from documentation and not recorded on a machine."""

from __future__ import annotations

import json
import plistlib
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from agent.platform.macos import System, confined, facts, kind_of_disk, proof_of, sandbox_profile
from agent.volume_facts import Mount, VolumeFacts

WRITTEN = json.loads(Path(__file__).with_name("written.json").read_text())["macos"]
ON = WRITTEN["filevault"].encode()


def refuse(*_: object) -> Any:
    raise OSError("no answer")


def system_of(told: dict[str, Any], filevault: bytes = ON) -> System:
    info = plistlib.dumps(told["info"])
    return System(lambda _: info, lambda: plistlib.dumps(WRITTEN["apfs"]), lambda: filevault)


def mount_of(told: dict[str, Any]) -> Mount:
    info = told["info"]
    return Mount(1, "", "/", info["MountPoint"], ("rw",), told["fstype"], info["DeviceNode"])


@pytest.mark.parametrize("name", WRITTEN["drives"])
def test_a_volume_as_it_was_written(name: str) -> None:
    told = WRITTEN["drives"][name]
    found = facts(mount_of(told), system=system_of(told))
    assert (found.kind, found.encryption_proof) == (told["kind"], told["proof"])
    assert found.uuid == told["info"].get("VolumeUUID", "")


def test_where_nothing_answers_a_volume_is_unknown_and_bare() -> None:
    mount = Mount(1, "", "/", "/Volumes/X", ("rw",), "apfs", "/dev/disk5s1")
    bare = VolumeFacts(fstype="apfs", source="/dev/disk5s1")
    assert facts(mount, system=System(refuse, refuse, refuse)) == bare
    assert facts(mount) == bare  # the real programs, where there is no macOS


@pytest.mark.parametrize(
    "answer", [b"", b"nonsense", b"<plist><array/></plist>", b"bplist00" + b"\xff" * 40], ids=range(4)
)
def test_an_odd_answer_is_no_proof(answer: bytes) -> None:
    told = WRITTEN["drives"]["an external disk with an encrypted volume"]
    good = system_of(told)
    assert facts(mount_of(told), system=System(lambda _: answer, good.apfs, good.filevault)).kind == "unknown"
    assert not facts(mount_of(told), system=System(good.info, lambda: answer, good.filevault)).encrypted


def test_what_was_told_of_another_volume_does_not_count() -> None:
    """A stick that was pulled, and another one got its device."""
    told = WRITTEN["drives"]["an external disk with an encrypted volume"]
    elsewhere = Mount(1, "", "/", "/Volumes/OTHER", ("rw",), "apfs", "/dev/disk5s1")
    found = facts(elsewhere, system=system_of(told))
    assert (found.kind, found.encryption_proof) == ("unknown", "")


@pytest.mark.parametrize(
    "state", [b"FileVault is Off.\n", b"Encryption in progress: Percent completed = 40\n", b"", b"\xff"]
)
def test_the_own_disk_needs_filevault_itself_to_be_on(state: bytes) -> None:
    own = WRITTEN["drives"]["what people write, FileVault"]
    assert not facts(mount_of(own), system=system_of(own, state)).encrypted
    carried = WRITTEN["drives"]["an external disk with an encrypted volume"]
    assert facts(mount_of(carried), system=system_of(carried, state)).encrypted


def test_each_sign_of_encryption_must_be_there() -> None:
    [volume] = [v for v in WRITTEN["apfs"]["Containers"][1]["Volumes"] if v["DeviceIdentifier"] == "disk5s1"]

    def told(**changed: Any) -> dict[object, object]:
        return {"Containers": [{"Volumes": [{**volume, **changed}]}]}

    assert proof_of("disk5s1", told())
    for key, wrong in (
        ("Encryption", 1), ("FileVault", "Yes"), ("CryptoMigrationOn", None), ("APFSVolumeUUID", "evil\n"),
    ):  # fmt: skip
        assert proof_of("disk5s1", told(**{key: wrong})) == ""
    assert proof_of("disk5s1", {"Containers": [{"Volumes": [volume, volume]}]}) == ""


@pytest.mark.parametrize("told", [{}, {"Internal": True}, {"Internal": "no", "RemovableMedia": 1}])
def test_what_is_not_said_plainly_is_unknown(told: dict[object, object]) -> None:
    assert kind_of_disk(told) == "unknown"


def test_a_share_is_never_asked_about_nor_proven() -> None:
    share = Mount(1, "", "/", "/Volumes/returns", ("rw",), "smbfs", "//someone@server/returns")
    found = facts(share, system=System(refuse, refuse, refuse))
    assert (found.kind, found.encryption_proof) == ("shared", "")
    assert facts(share, (), ["*returns"], system=System(refuse, refuse, refuse)).kind == "removable"


def test_a_worker_may_write_nothing_and_reach_nobody() -> None:
    home = PurePosixPath("/opt/recordwarden")
    profile = sandbox_profile(home)
    assert profile.startswith("(version 1)\n(deny default)\n")
    assert not {"network", "file-write", "mach", "process-fork"} & set(profile.replace("*", " ").split())
    assert profile.count("(") == profile.count(")")
    assert confined(["python", "x"], home)[-2:] == ["python", "x"]


@pytest.mark.parametrize("path", ["relative", '/a") (allow default) ("', "/a\\", "/a\nb"])
def test_no_path_can_open_the_sandbox(path: str) -> None:
    with pytest.raises(ValueError, match="plain absolute path"):
        sandbox_profile(PurePosixPath(path))
