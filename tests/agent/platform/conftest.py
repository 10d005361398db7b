"""A made-up kernel: trees like `/sys`, `/proc` and udev's, and mapped devices with tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.platform.linux import facts
from agent.platform.linux_devices import Kernel
from agent.volume_facts import Device, Mount

USB = "pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block"
SATA = "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block"


class MadeUpKernel:
    """Devices with real paths, and links to them; `tables` is what the device mapper would tell (it
    tells nothing while it is None, as without root)."""

    def __init__(self, root: Path) -> None:
        self.root = root / "sys"
        self.udev, self.proc = root / "udev", root / "proc"
        self.tables: dict[str, tuple[str, ...]] | None = None
        for folder in (self.root / "dev" / "block", self.udev, self.proc):
            folder.mkdir(parents=True)

    @property
    def kernel(self) -> Kernel:
        tables = self.tables
        return Kernel(self.root, self.udev, self.proc, lambda d: None if tables is None else tables.get(d))

    def device(self, path: str, number: str, **files: str) -> Path:
        """`a__b` is the file `a/b`."""
        folder = self.files(path, dev=number, **files)
        (self.root / "dev" / "block" / number).symlink_to(folder)
        return folder

    def files(self, path: str, **files: str) -> Path:
        folder = self.root / "devices" / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            file = folder / name.replace("__", "/")
            file.parent.mkdir(exist_ok=True)
            file.write_text(content + "\n")
        return folder

    def slave(self, of: Path, device: Path) -> None:
        (of / "slaves").mkdir(exist_ok=True)
        (of / "slaves" / device.name).symlink_to(device)

    def stick(self, *, crypt: str | None = None) -> Mount:
        """A USB stick with one partition; with `crypt` (a uuid, perhaps empty) a map on it."""
        self.device(f"{USB}/sdb", "8:16", removable="1")
        part = self.device(f"{USB}/sdb/sdb1", "8:17", partition="1")
        if crypt is None:
            return mount()
        mapped = self.device("virtual/block/dm-0", "253:0", removable="0", dm__uuid=crypt, dm__name="x")
        self.slave(mapped, part)
        return mount("253:0", source="/dev/mapper/x")

    def process(
        self, pid: int, program: str, *words: str, namespace: str = "mnt:[1]", fuse: bool = True
    ) -> None:
        folder = self.proc / str(pid)
        (folder / "ns").mkdir(parents=True)
        (folder / "fd").mkdir()
        (folder / "comm").write_text(program.rpartition("/")[2][:15] + "\n")
        (folder / "cmdline").write_text("\0".join([program, *words]) + "\0")
        (folder / "exe").symlink_to(program)
        (folder / "ns" / "mnt").symlink_to(namespace)
        if fuse:
            (folder / "fd" / "5").symlink_to("/dev/fuse")

    def kind(self, of: Mount, *globs: str, mounts: tuple[Mount, ...] = ()) -> str:
        return facts(of, mounts, globs, kernel=self.kernel).kind

    def proof(self, of: Mount, *approved: Device, mounts: tuple[Mount, ...] = ()) -> str:
        return facts(of, mounts, (), approved, self.kernel).encryption_proof

    def load(self, recorded: dict[str, Any], gone: list[str]) -> None:
        """The devices of `observed.json`, less those that are gone."""
        places: dict[str, Path] = {}
        for name, told in recorded["devices"].items():
            if name in gone:
                continue
            plain = {
                k.replace("/", "__"): v for k, v in told.items() if k not in ("number", "at", "in", "slaves")
            }
            if "in" in told:
                at, plain = f"{recorded['devices'][told['in']]['at']}/{name}", {"partition": "1"}
            else:
                at = told["at"]
            places[name] = self.device(at, told["number"], **plain)
        for name, told in recorded["devices"].items():
            for slave in told.get("slaves", ()):
                self.slave(places[name], places[slave])
        for number, told in recorded["udev"].items():
            (self.udev / f"b{number}").write_text("".join(f"E:{k}={v}\n" for k, v in told.items()))


def mount(
    device: str = "8:17", fstype: str = "vfat", source: str = "/dev/sdb1", point: str = "/media/x",
    options: tuple[str, ...] = (),
) -> Mount:  # fmt: skip
    return Mount(1, device, "/", point, ("rw",), fstype, source, options)


@pytest.fixture
def made_up(tmp_path: Path) -> MadeUpKernel:
    return MadeUpKernel(tmp_path)


@pytest.fixture
def a_mount() -> Any:
    return mount


@pytest.fixture
def observed() -> dict[str, Any]:
    """What real hot-plugged devices looked like."""
    plain: dict[str, Any] = json.loads(Path(__file__).with_name("observed.json").read_text())
    return plain
