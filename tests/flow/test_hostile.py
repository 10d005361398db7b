"""Files and folders made to break, fill, mislead or outrun the service."""

from __future__ import annotations

import io
import json
import os
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

MB = 1024**2
WORKER_MB = 512


@pytest.fixture
def worker_peak(service) -> Iterator[list[int]]:
    """The largest resident size of any worker while the test ran, sampled; in MB."""
    peak, stop = [0], threading.Event()

    def sample() -> None:
        while not stop.wait(0.02):
            for worker in service.processes("worker"):
                try:
                    peak[0] = max(peak[0], worker.memory_info().rss // MB)
                except psutil.Error:
                    continue

    thread = threading.Thread(target=sample)
    thread.start()
    yield peak
    stop.set()
    thread.join()


def xlsx_bomb(path: Path, expanded: int = 700 * MB) -> None:
    """A workbook of a few hundred kB whose only sheet unpacks to `expanded` bytes."""
    names = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Target="xl/workbook.xml" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>',
        "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
        '<sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships '
        'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
    }  # fmt: skip
    head = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    block = b"<row><c><v>1</v></c><c><v>1</v></c></row>" * 25_000
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in names.items():
            archive.writestr(name, text)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(head)
            for _ in range(expanded // len(block)):
                sheet.write(block)
            sheet.write(b"</sheetData></worksheet>")


def nested_zip(path: Path, depth: int = 40) -> None:
    content, name = b"a,b\r\n1,2\r\n", "core.csv"
    for level in range(depth):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
        content, name = out.getvalue(), f"level{level}.zip"
    path.write_bytes(content)


def quine_like_zip(path: Path) -> None:
    """Ten thousand members and more, each of them again an archive of zeros."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.txt", b"0" * MB)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number in range(12_000):
            archive.writestr(f"m{number}.zip", inner.getvalue() if number < 50 else b"x")


def million_columns(path: Path) -> None:
    with path.open("w") as file:
        for row in range(8):
            file.write(",".join(f"v{i}" if row == 0 else str((i * row) % 7) for i in range(1_000_000)) + "\n")


def one_line(path: Path, size: int) -> None:
    block = b"".join(b"%d," % (i % 977) for i in range(200_000))
    with path.open("wb") as file:
        while file.tell() < size:
            file.write(block)


def verdict_of(service, path: Path) -> dict:
    done = service.command("scan", str(path), "--json", "--all")
    assert done.returncode in (0, 1, 3), done.stderr
    (line,) = done.stdout.splitlines()
    return json.loads(line)


BOMBS = {
    "bomb.xlsx": (xlsx_bomb, {"limit_expanded", "limit_memory", "timeout", "partial"}),
    "nested.zip": (nested_zip, {"limit_depth"}),
    "many.zip": (quine_like_zip, {"limit_entries", "limit_expanded", "timeout"}),
    "wide.csv": (million_columns, {"limit_columns"}),
    "long.txt": (lambda p: one_line(p, 96 * MB), {"limit_cell", "limit_columns", "limit_bytes"}),
}


@pytest.mark.timeout(900)  # each try may take its whole time on a busy machine, and there are several
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_as_unreadable_and_the_service_lives_on(service, made_up, drop, worker_peak, name):
    make, reasons = BOMBS[name]
    root = service.root()
    service.settings["limits"] = {"examine_seconds": 15.0, "max_expanded_bytes": 256 * MB}
    service.start()
    make(root / name)
    before = (root / name).stat()
    service.caught(drop(root / "wave4.csv", made_up.survey()), 60)
    verdict = verdict_of(service, root / name)
    assert (verdict["outcome"], verdict["flagged"], verdict["complete"]) == ("unreadable", False, False)
    assert verdict["reason"] in reasons
    service.settled()
    assert (root / name).stat().st_mtime_ns == before.st_mtime_ns
    assert worker_peak[0] <= WORKER_MB

    def on_record() -> bool:
        told = service.command("coverage", "--json")
        # which limit came first may differ between the command and the service: a clock is among them
        return told.returncode == 0 and any(reason in told.stdout for reason in reasons)

    made_up.wait(on_record, "the root is covered, and the bomb is told as not examined", 400)


@pytest.mark.system
def test_a_gigabyte_in_one_line_stays_within_the_limits(service, made_up, drop, worker_peak):
    root = service.root()
    service.start()
    one_line(root / "long.csv", 1024 * MB)
    service.caught(drop(root / "wave4.csv", made_up.survey()), 120)
    assert verdict_of(service, root / "long.csv")["outcome"] == "unreadable"
    assert worker_peak[0] <= WORKER_MB


def test_what_is_no_file_is_never_opened(service, made_up, drop):
    """A FIFO would hang a reader for ever, a link would lead out of the root."""
    root = service.root()
    outside = drop(service.base / "outside.csv", made_up.survey(seed=77))
    os.mkfifo(root / "fifo.csv")
    (root / "shadow.csv").symlink_to("/etc/shadow")
    (root / "link.csv").symlink_to(outside)
    (root / "folder_link").symlink_to(service.base / "elsewhere")
    (service.base / "elsewhere").mkdir()
    elsewhere = drop(service.base / "elsewhere" / "other.csv", made_up.survey(seed=78))
    service.start()
    os.mkfifo(root / "late_fifo.csv")
    (root / "late_shadow.csv").symlink_to("/etc/shadow")
    service.caught(drop(root / "wave4.csv", made_up.survey()))
    service.settled()
    assert outside.read_bytes() == made_up.survey(seed=77)
    assert elsewhere.read_bytes() == made_up.survey(seed=78)
    assert (root / "link.csv").is_symlink()
    assert len(service.vault_digests()) == 1
    told = [
        json.loads(line) for line in service.command("scan", str(root), "--json", "--all").stdout.splitlines()
    ]
    reasons = {Path(verdict["path"]).name: verdict["reason"] for verdict in told}
    assert reasons["fifo.csv"] == "not_regular"
    assert reasons["shadow.csv"] == reasons["link.csv"] == "link"


def test_a_file_that_is_replaced_again_and_again_loses_no_version(service, made_up, drop):
    """Each version that ever stood at the path is there, was replaced by its owner, or is in the vault
    whole: what is in the vault is always one version, never a mixture."""
    root = service.root()
    service.start()
    versions = {made_up.digest(made_up.survey(300, seed=n)): made_up.survey(300, seed=n) for n in range(60)}
    for number, content in enumerate(versions.values()):
        fresh = drop(root / f".new{number}", content)
        fresh.rename(root / "wave4.csv")
        time.sleep(0.01 * (number % 7))
    made_up.wait(lambda: not (root / "wave4.csv").exists(), "the last version is taken", 60)
    service.settled()
    assert set(service.vault_digests().values()) <= set(versions)
    assert list(versions)[-1] in service.vault_digests().values()


def test_a_file_rewritten_in_place_while_it_is_read_is_vaulted_whole_or_not_at_all(service, made_up, drop):
    root = service.root()
    service.start()
    contents = [made_up.survey(3000, seed=n) for n in range(2)]
    size = min(map(len, contents))
    contents = [c[:size] for c in contents]
    path = drop(root / "wave4.csv", contents[0])
    until = time.monotonic() + 4
    number = 0
    while time.monotonic() < until and path.exists():
        number += 1
        try:
            with path.open("r+b") as file:
                file.write(contents[number % 2])
        except FileNotFoundError:
            break
        time.sleep(0.03)
    made_up.wait(lambda: not path.exists(), "the file is taken once it is left alone", 60)
    service.settled()
    whole = {made_up.digest(c) for c in contents}
    assert set(service.vault_digests().values()) <= whole


def test_a_folder_swapped_for_a_link_never_leads_outside(service, made_up, drop):
    root = service.root()
    outside = service.base / "outside"
    outside.mkdir()
    untouched = {drop(outside / f"n{n}.csv", made_up.survey(200, seed=500 + n)) for n in range(6)}
    forbidden = {made_up.digest(path.read_bytes()) for path in untouched}
    service.settings["watch"]["sweep_seconds"] = 0.3
    service.start()
    stop = threading.Event()
    real, aside = root / "sub", root / "aside"
    real.mkdir()

    def swap() -> None:
        while not stop.is_set():
            real.rename(aside)
            real.symlink_to(outside)
            time.sleep(0.001)
            real.unlink()
            aside.rename(real)
            time.sleep(0.001)

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        for number in range(60):
            content = made_up.survey(200, seed=number)
            for folder in (real, aside):
                try:
                    drop(folder / f"n{number % 6}.csv", content) if not folder.is_symlink() else None
                    break
                except OSError:
                    continue
            time.sleep(0.05)
    finally:
        stop.set()
        swapping.join()
    service.settled()
    # a late write of ours may itself have gone through the link: what counts is what is there now
    survivors = {p.name for p in outside.iterdir()}
    assert {p.name for p in untouched} <= survivors
    assert not [name for name in survivors if name.endswith(".quarantined.txt")]
    opened = set(service.vault_digests().values())
    assert not {made_up.digest(p.read_bytes()) for p in outside.glob("*.csv")} & forbidden & opened
