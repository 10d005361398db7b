"""Files that are hard to take, each with what is done about it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from custody_rig import Rig, nothing_open, survey
from fragile_disk import Disks, cut

from agent import erasures
from agent.ledger import Ledger

MB = 1024**2


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    for name in ("state", "root"):
        (tmp_path / name).mkdir()
    return Rig(tmp_path / "state", tmp_path / "root")


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (1_000_000, 1_000_000))
    return path


def told(rig: Rig) -> dict[str, tuple[str, str]]:
    """Disposition and reason of each alert, by path."""
    ledger = Ledger.read_only(rig.state / "ledger.db")
    found = {a.path: (a.disposition, a.reason) for a in ledger.alerts(limit=100)}
    ledger._db.close()
    return found


def test_a_hard_link_outside_keeps_its_content_and_its_blocks_are_not_overwritten(rig, tmp_path):
    content = survey(1)
    os.link(put(rig.root / "f.csv", content), tmp_path / "outside.csv")
    assert rig.run() == (0, 0)
    assert (tmp_path / "outside.csv").read_bytes() == content
    assert rig.in_vault() == [content] and not (rig.root / "f.csv").exists()
    assert told(rig)[str(rig.root / "f.csv")] == ("quarantined", "other_names")


def test_two_files_of_one_name_are_two_entries(rig):
    for folder in ("a", "b"):
        put(rig.root / folder / "survey.csv", survey(ord(folder)))
    assert rig.run() == (0, 0)
    assert sorted(rig.in_vault()) == sorted(survey(ord(f)) for f in "ab")


def test_the_same_bytes_in_two_places_and_again_are_an_entry_each(rig):
    for turn in range(2):
        for name in ("a.csv", "b.csv"):
            put(rig.root / name, survey(1))
        assert rig.run(nothing_open(rig.root, ["a.csv", "b.csv"])) == (0, 0)
        assert rig.in_vault() == [survey(1)] * (2 * turn + 2)


def test_a_sparse_file_larger_than_the_disk_stays_and_is_told(rig):
    path = put(rig.root / "sparse.csv", survey(1))
    os.truncate(path, 1 << 42)
    os.utime(path, (1_000_000, 1_000_000))
    assert rig.run() == (0, 0)
    assert path.stat().st_size == 1 << 42 and rig.in_vault() == []
    assert told(rig)[str(path)] == ("error", "vault_full")


def test_a_sparse_file_that_fits_comes_whole_into_the_vault(rig):
    path = put(rig.root / "sparse.csv", survey(1))
    os.truncate(path, 32 * MB)
    os.utime(path, (1_000_000, 1_000_000))
    assert rig.run(seconds=60) == (0, 0)
    assert rig.in_vault() == [survey(1).ljust(32 * MB, b"\0")]


def test_a_vault_at_its_capacity_takes_nothing_more_and_tells(rig):
    rig.capacity_mb = 1
    for number in range(6):
        put(rig.root / f"f{number}.csv", survey(number, rows=25_000))
    assert rig.run(seconds=60) == (0, 0)
    held = sum(p.stat().st_size for p in (rig.vault / "entries").iterdir())
    assert 0 < len(rig.in_vault()) < 6 and held <= MB
    assert [v for v in told(rig).values() if v == ("error", "vault_full")]
    left = [p.read_bytes() for p in rig.root.glob("*.csv")]
    assert len(left) + len(rig.in_vault()) == 6


NAMES = [
    "new\nline.csv", os.fsdecode(b"\xff\xfe.csv"), "x" * 251 + ".csv", "\u202evsc.exe", "-rf", "a\x1b[2J.csv",
    "ﬁle.csv", "İ.csv", "K.CSV", ".hidden.csv", "nul", "two  spaces .csv",
]  # fmt: skip


def test_names_of_every_kind_are_taken_noticed_and_given_back_under_their_name(rig):
    for number, name in enumerate(NAMES):
        put(rig.root / name, survey(number))
    assert rig.run(nothing_open(rig.root, NAMES)) == (0, 0)
    assert sorted(rig.in_vault()) == sorted(survey(n) for n in range(len(NAMES)))
    left = os.listdir(rig.root)
    assert len(left) == len(NAMES) and all(n.endswith(".quarantined.txt") for n in left)
    assert all(len(os.fsencode(n)) <= 255 for n in left)


@pytest.mark.root
def test_on_a_medium_without_room_for_the_notice_the_file_is_still_taken(rig, drive):
    volume = drive(8)
    rig.root = volume.plug()
    put(rig.root / "f.csv", survey(1))
    fill = os.open(rig.root / "fill", os.O_WRONLY | os.O_CREAT)
    for step in (1 << 20, 1 << 12):
        with contextlib.suppress(OSError):
            while os.write(fill, b"\0" * step):
                pass
    os.close(fill)
    assert rig.run() == (0, 0)
    assert rig.in_vault() == [survey(1)] and not (rig.root / "f.csv").exists()


@pytest.mark.root
@pytest.mark.parametrize("pulls", [6, pytest.param(120, marks=pytest.mark.system)])
def test_a_medium_pulled_at_any_request_loses_nothing(rig, tmp_path, need, pulls):
    """From a random request on the device answers nothing but errors; later it is plugged in again."""
    need("mkfs.ext4")
    if not Path("/dev/fuse").exists():
        pytest.skip("no /dev/fuse")
    chance = random.Random(3)
    image, copy = tmp_path / "root.img", tmp_path / "again.img"
    with image.open("wb") as file:
        file.truncate(16 * MB)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,nodiscard", str(image)], check=True)
    files = {f"wave{n}.csv": survey(n, rows=800) for n in range(4)}

    def mount(what: Path) -> None:
        subprocess.run(["mount", "-o", "loop", str(what), str(rig.root)], check=True)

    def unmount() -> None:
        if subprocess.run(["umount", str(rig.root)], capture_output=True, check=False).returncode:
            subprocess.run(["umount", "-l", str(rig.root)], capture_output=True, check=False)

    wrong = []
    for turn in range(pulls):
        shutil.rmtree(rig.state)
        rig.state.mkdir()
        disks = Disks(tmp_path, [image])
        try:
            mount(disks.devices[0])
            for name, content in files.items():
                put(rig.root / name, content)
            subprocess.run(["sync", "-f", str(rig.root)], check=True)
            disks.pull(0, chance.randrange(60))
            rig.run(seconds=4)
            records = disks.records(tmp_path / "records")
        finally:
            unmount()
            disks.close()
            (tmp_path / "devices").rmdir()
        cut([image], records, len(records), chance, [copy])
        mount(copy)
        codes = rig.run(nothing_open(rig.root, list(files)), 60)
        wrong += [f"turn {turn}: {w}" for w in rig.faults_after(files, recovered=True)]
        wrong += [f"turn {turn}: ended with {codes}"] if codes != (0, 0) else []
        unmount()
    assert not wrong, "\n".join(wrong)


def test_a_container_with_one_guilty_member_is_taken_whole_and_the_member_named_by_position(
    service, made_up, wait_until
):
    root = service.root()
    service.start()
    with zipfile.ZipFile(root / "tables.part", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t1.csv", made_up.statistics())
        archive.writestr("secret name.csv", made_up.survey())
        archive.writestr("t2.csv", made_up.statistics())
    content = (root / "tables.part").read_bytes()
    (root / "tables.part").rename(root / "tables.zip")
    record = service.caught(root / "tables.zip")
    assert record["unmapped"]["member"] == "1" and "secret name" not in str(record)
    assert made_up.digest(content) in service.vault_digests().values()


@pytest.mark.root
@pytest.mark.parametrize("erase", [True, False])
def test_an_undelete_program_finds_what_was_taken_only_if_erasure_is_off(rig, drive, erase):
    """The whole device is read, as such a program does."""
    volume = drive(16)
    rig.root, rig.erase = volume.plug(), erase
    content = survey(1, rows=2000)
    put(rig.root / "f.csv", content)
    subprocess.run(["sync", "-f", str(rig.root)], check=True)
    assert rig.run() == (0, 0)
    assert rig.in_vault() == [content]
    assert volume.pull().returncode == 0
    assert (content[5000:5400] in volume.image.read_bytes()) is not erase


@pytest.mark.root
def test_a_large_file_is_told_first_and_overwritten_then(rig, drive):
    volume = drive(16)
    rig.root = volume.plug()
    content = survey(1, rows=2000)
    put(rig.root / "f.csv", content)
    subprocess.run(["sync", "-f", str(rig.root)], check=True)
    log = rig.state / "audit.jsonl"
    assert rig.run(lambda ledger: "original_erased" in log.read_text(), before=all_are_large) == (0, 0)
    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert events.index("quarantined") < events.index("original_erased")
    assert not rig.faults_after({"f.csv": content}, recovered=True)
    assert volume.pull().returncode == 0
    assert content[5000:5400] not in volume.image.read_bytes()


@pytest.mark.root
def test_a_keeper_that_dies_while_it_overwrites_has_nothing_to_take_up(rig, need, tmp_path):
    need("strace")
    content = survey(1, rows=2000)
    put(rig.root / "f.csv", content)
    kill = ["-o", str(tmp_path / "log"), "-e", "trace=pwrite64", "-e", "inject=pwrite64:signal=KILL:when=1"]
    assert rig.run(traced="keeper", options=kill, before=all_are_large) == (0, -9)
    assert not rig.faults_after({"f.csv": content}, recovered=True)
    assert "original_erased" not in (rig.state / "audit.jsonl").read_text()


def all_are_large() -> None:
    erasures.SLICE_BYTES = 0
