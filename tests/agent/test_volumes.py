"""Which mounts become roots, and who answers for a file where roots overlap."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.platform.linux_devices import Kernel
from agent.volume_facts import Mount
from agent.volumes import WatchedRoot, check_roots, wanted
from config.load import ConfigError
from config.settings import Handling, Mode, Policy, Root, Settings, Volumes, Watch, Zone

NOWHERE = Kernel(*[Path("/nowhere")] * 3, targets=lambda device: None)
SLASH = Mount(1, "254:0", "/", "/", ("rw",), "ext4", "/dev/vda")
STICK = Mount(2, "7:0", "/", "/media/stick", ("rw",), "ext4", "/dev/loop0")
SHARE = Mount(3, "0:44", "/", "/mnt/share", ("rw",), "cifs", "//server/share")


def settings(*roots: Root, mode: Mode = Mode.AUDIT, **volumes: Any) -> Settings:
    volumes = {"treat_as_removable": ("/dev/loop*",), **volumes}
    watch = Watch(roots=roots, volumes=Volumes(**volumes))
    return Settings(watch=watch, policy=Policy(mode=mode), state_dir=Path("/var/lib/rw"))


def roots(of: Settings, *mounts: Mount, **more: Any) -> dict[str, WatchedRoot]:
    return {r.path: r for r in wanted(of, [SLASH, *mounts], kernel=NOWHERE, **more)}


def test_a_drive_and_a_share_become_roots_of_their_zone() -> None:
    found = roots(settings(), STICK, SHARE)
    assert {p: r.facts.zone for p, r in found.items()} == {
        "/media/stick": Zone.REMOVABLE, "/mnt/share": Zone.SHARED,
    }  # fmt: skip
    assert all(r.origin == "volume" for r in found.values())


def test_what_is_switched_off_is_not_watched() -> None:
    assert list(roots(settings(removable=False), STICK, SHARE)) == ["/mnt/share"]
    assert list(roots(settings(shares=False), STICK, SHARE)) == ["/media/stick"]


def test_the_system_itself_is_never_a_volume_root() -> None:
    everything = settings(treat_as_removable=("*",))
    boot = replace(STICK, mount_point="/boot/efi")
    proc = replace(STICK, mount_point="/proc", fstype="proc")
    assert roots(everything, boot, proc) == {}


def test_a_root_has_the_same_id_whenever_it_comes_back() -> None:
    first, again = (
        roots(settings(), STICK),
        roots(settings(), replace(STICK, mount_id=9, device="7:3", source="/dev/loop3")),
    )
    assert first["/media/stick"].root_id == again["/media/stick"].root_id
    other = roots(settings(), replace(STICK, mount_point="/media/other"))
    assert other["/media/other"].root_id != first["/media/stick"].root_id


def test_a_file_system_with_a_uuid_is_itself_wherever_it_is_mounted(tmp_path: Path) -> None:
    (tmp_path / "b7:0").write_text("E:ID_FS_UUID=AB-CD\n")
    ids = set()
    for point in ("/media/a", "/media/b"):
        mounts = [SLASH, replace(STICK, mount_point=point)]
        [root] = wanted(settings(), mounts, kernel=replace(NOWHERE, udev=tmp_path))
        ids.add(root.root_id)
    assert len(ids) == 1


def test_what_is_configured_is_made_by_the_configuration() -> None:
    configured = Root(
        path=Path("/media/stick"), zone=Zone.LOCAL, handling=Handling.RESTRICTED, mode=Mode.ENFORCE
    )
    [root] = roots(settings(configured), STICK).values()
    assert (root.origin, root.facts.zone, root.facts.handling) == (
        "configured",
        Zone.LOCAL,
        Handling.RESTRICTED,
    )
    assert root.volume.kind == "removable"


def test_a_configured_root_inside_a_drive_answers_for_its_own_files() -> None:
    inner = Root(path=Path("/media/stick/approved"), handling=Handling.RESTRICTED)
    found = roots(settings(inner), STICK)
    drive, approved = found["/media/stick"], found["/media/stick/approved"]
    assert drive.is_elsewhere("approved/x.csv")
    assert not drive.is_elsewhere("approved2/x.csv")
    assert not drive.is_elsewhere("x.csv")
    assert not approved.is_elsewhere("x.csv")


def test_a_mount_inside_a_configured_root_is_one_more_root_of_its_kind() -> None:
    """No keeper crosses into another mount: without this, what is mounted there would not be seen."""
    data = Mount(5, "254:16", "/", "/srv/a/data", ("rw",), "ext4", "/dev/vdb")
    proc = Mount(6, "0:9", "/", "/srv/a/proc", ("rw",), "proc", "proc")
    found = roots(settings(Root(path=Path("/srv/a"), handling=Handling.RESTRICTED)), data, proc)
    assert sorted(found) == ["/srv/a", "/srv/a/data"]
    assert found["/srv/a/data"].facts == found["/srv/a"].facts
    assert found["/srv/a"].is_elsewhere("data/x.csv")
    assert sorted(roots(settings(Root(path=Path("/srv/b"))), data)) == ["/srv/b"]


def test_our_own_state_is_never_looked_at() -> None:
    [root] = roots(settings(Root(path=Path("/var")))).values()
    assert root.is_elsewhere("lib/rw/vault/entries/x.age")
    assert not root.is_elsewhere("lib/other")
    [inside] = roots(settings(Root(path=Path("/var/lib/rw/vault")))).values()
    assert inside.is_elsewhere("entries/x.age")


def test_the_same_file_system_mounted_twice_is_one_root() -> None:
    bind = replace(STICK, mount_id=7, root="/sub", mount_point="/mnt/bind")
    twice = replace(STICK, mount_id=8, mount_point="/mnt/twice")
    assert list(roots(settings(), STICK, bind, twice)) == ["/media/stick"]
    assert list(roots(settings(), bind)) == ["/mnt/bind"]


def test_a_root_behind_a_link_is_on_the_volume_where_it_leads() -> None:
    of = settings(Root(path=Path("/srv/link")))
    found = roots(of, STICK, real_paths={"/srv/link": "/media/stick/x"})
    assert found["/media/stick/x"].volume.kind == "removable"
    assert found["/media/stick/x"].root_id == roots(of)["/srv/link"].root_id


def test_two_roots_that_lead_to_one_folder_are_one() -> None:
    of = settings(Root(path=Path("/srv/a")), Root(path=Path("/srv/link")))
    assert [r.path for r in wanted(of, [SLASH], {"/srv/link": "/srv/a"})] == ["/srv/a"]


def test_modes_of_roots_volumes_and_policy() -> None:
    loud = Root(path=Path("/srv/a"), mode=Mode.AUDIT)
    quiet = Root(path=Path("/srv/b"))
    found = roots(settings(loud, quiet, mode=Mode.ENFORCE), STICK)
    assert [found[p].facts.mode for p in ("/srv/a", "/srv/b", "/media/stick")] == [
        Mode.AUDIT, Mode.ENFORCE, Mode.ENFORCE,
    ]  # fmt: skip


def test_the_digest_changes_with_whatever_decides() -> None:
    of = settings(Root(path=Path("/srv/a")))
    [root] = roots(of).values()
    digests = {
        root.digest("x", of),
        root.digest("y", of),
        root.digest("x", settings(mode=Mode.ENFORCE)),
        replace(root, read_only=True).digest("x", of),
        replace(root, facts=replace(root.facts, handling=Handling.RESTRICTED)).digest("x", of),
        replace(root, volume=replace(root.volume, encryption_proof="p")).digest("x", of),
    }
    assert len(digests) == 6
    assert root.digest("x", of) == replace(root, mount_id=99, others=("/srv/a/b",)).digest("x", of)


@pytest.mark.parametrize("place", ["/var/lib/rw", "/var/lib/rw/vault", "/var/lib/rw/vault/../vault/entries"])
def test_a_root_in_our_own_state_is_a_wrong_configuration(place: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        check_roots(settings(Root(path=Path(place))))
    assert refusal.value.key == "watch.roots"
    check_roots(settings(Root(path=Path("/var/lib/rw2")), Root(path=Path("/var/lib"))))
