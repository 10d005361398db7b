"""The machine's own disk: which mounts it is, and what is told of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.platform.linux_devices import Kernel
from agent.posture import OwnVolume, own_volumes, posture
from agent.volume_facts import Mount
from config.settings import Root, Settings, Watch, Zone

SLASH = Mount(1, "8:2", "/", "/", ("rw",), "ext4", "/dev/sda2")
HOME = Mount(2, "253:0", "/", "/home", ("rw",), "ext4", "/dev/mapper/home")
DATA = Mount(3, "8:3", "/", "/data", ("rw",), "ext4", "/dev/sda3")
NOWHERE = Kernel(*[Path("/nowhere")] * 3, targets=lambda device: None)


def settings(*roots: Root) -> Settings:
    return Settings(watch=Watch(roots=roots), state_dir=Path("/var/lib/rw"))


def points(of: Settings, *mounts: Mount) -> list[str]:
    return [v.mount_point for v in own_volumes(of, mounts, NOWHERE)]


def test_what_carries_system_homes_and_local_roots_is_the_own_disk() -> None:
    assert points(settings(), SLASH, HOME, DATA) == ["/", "/home"]
    assert points(settings(Root(path=Path("/data/x"), zone=Zone.LOCAL)), SLASH, DATA) == ["/", "/data"]
    assert points(settings(Root(path=Path("/data/x"))), SLASH, DATA) == ["/"]


@pytest.mark.parametrize("fstype", ["tmpfs", "nfs4"])
def test_homes_in_memory_or_on_a_server_are_not_the_own_disk(fstype: str) -> None:
    assert points(settings(), SLASH, replace(HOME, fstype=fstype, device="0:44")) == ["/"]


def volumes(*proofs: str) -> list[OwnVolume]:
    [own] = own_volumes(settings(), [SLASH], NOWHERE)
    return [replace(own, facts=replace(own.facts, encryption_proof=proof)) for proof in proofs]


def test_one_volume_without_proof_is_told_and_settled_when_all_have_theirs() -> None:
    told = posture(volumes("dm-crypt LUKS2", ""))
    assert (told.reason, told.settled) == ("own_disk_unencrypted", False)
    facts: Any = told.facts["volumes"]
    assert [v["encryption_proof"] for v in facts] == ["dm-crypt LUKS2", ""]
    assert posture(volumes("dm-crypt LUKS2", "x")).settled
    assert posture([]).settled


def test_names_of_mounts_are_escaped() -> None:
    [own] = volumes("")
    told = posture([replace(own, mount_point="/home\x1b[2J")])
    assert "\x1b" not in told.message + str(told.facts)
