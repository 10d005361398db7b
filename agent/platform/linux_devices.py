"""What a block device lies on, and what kind of device that is, out of a `/sys` tree that tests replace.

Nothing here opens a device or touches a mount point: a medium that hangs must not hang whoever asks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.platform.linux_dm import targets
from agent.volume_facts import Device

Way = Sequence[Path]
"""From a block device down to what carries it: real paths below `/sys/devices`."""

_MOST_LINKS = 16
_NUMBER = re.compile(r"\d+:\d+")


@dataclass(frozen=True, slots=True)
class Kernel:
    """Where the kernel and udev tell about devices."""

    sysfs: Path = Path("/sys")
    udev: Path = Path("/run/udev/data")
    proc: Path = Path("/proc")
    targets: Callable[[str], tuple[str, ...] | None] = targets
    """The targets of a mapped device (major:minor), as `agent.platform.linux_dm.targets` gives them."""


def block_chain(
    device: str, sysfs: Path, backing: Callable[[str], str] = lambda path: ""
) -> list[list[Path]]:
    """Every way from a block device (major:minor) down to a whole disk.

    A partition leads to its disk; a mapped device (dm, md) to its slaves; a loop device to the block
    device under the file in it, if `backing` tells one. Empty for what is no block device.
    """
    link = sysfs / "dev" / "block" / device
    if not _NUMBER.fullmatch(device) or not link.exists():
        return []
    return _ways(link.resolve(), sysfs, backing, 0)


def _ways(device: Path, sysfs: Path, backing: Callable[[str], str], depth: int) -> list[list[Path]]:
    if depth > _MOST_LINKS:
        return [[device]]
    if (device / "partition").exists():
        under = [device.parent]
    elif (device / "slaves").is_dir() and (slaves := sorted((device / "slaves").iterdir())):
        under = [slave.resolve() for slave in slaves]
    elif image := read(device / "loop" / "backing_file"):
        carrier = backing(image)
        link = sysfs / "dev" / "block" / carrier
        under = [link.resolve()] if _NUMBER.fullmatch(carrier) and link.exists() else []
    else:
        under = []
    if not under:
        return [[device]]
    return [[device, *way] for one in under for way in _ways(one, sysfs, backing, depth + 1)]


def members(source: str, sysfs: Path) -> list[str]:
    """The devices (major:minor) of the btrfs file system that holds the device named by `source`.

    btrfs gives each mount a device number of its own, that no block device has.
    """
    name = source.rpartition("/")[2]
    for system in _folders(sysfs / "fs" / "btrfs"):
        parts = [part.resolve() for part in _folders(system / "devices")]
        if any(name in (part.name, read(part / "dm" / "name")) for part in parts):
            return [read(part / "dev") for part in parts]
    return []


def is_removable(disk: Path) -> bool:
    """A whole disk that is carried away: by its flag, by USB, as an SD card, or because the port that it
    hangs on (Thunderbolt) says so. An eMMC is soldered in."""
    if read(disk / "removable") == "1":
        return True
    if any(re.fullmatch(r"usb\d+", part) for part in disk.parts):
        return True
    if any(part.startswith("mmc_host") for part in disk.parts) and read(disk / "device" / "type") == "SD":
        return True
    return any(read(above / "removable") == "removable" for above in _above(disk))


def device_of(disk: Path) -> Device:
    """The USB device that carries a disk; nothing known for any other."""
    for above in _above(disk):
        if vendor := read(above / "idVendor"):
            return Device(vendor.lower(), read(above / "idProduct").lower(), read(above / "serial"))
    return Device()


def file_system_uuid(device: str, udev: Path) -> str:
    """The file system's uuid, if udev told."""
    content = read(udev / f"b{device}") if _NUMBER.fullmatch(device) else ""
    found = re.search(r"^E:ID_FS_UUID=([0-9A-Za-z-]{1,64})$", content, re.MULTILINE)
    return found[1] if found else ""


def read(path: Path) -> str:
    """A small file as text without the blanks around it; "" if there is none."""
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def _above(disk: Path) -> list[Path]:
    parents = list(disk.parents)
    names = [parent.name for parent in parents]
    return parents[: names.index("devices")] if "devices" in names else []


def _folders(path: Path) -> list[Path]:
    try:
        return sorted(path.iterdir())
    except OSError:
        return []
