"""What is mounted on Linux, on what it lies, and whether that is provably encrypted.

Pure functions over the text of `/proc/self/mountinfo` (proc(5)) and a `/sys` tree that tests replace.
They never touch a mount point: a medium that hangs must not hang whoever asks what it is.
"""

from __future__ import annotations

import os
import re
import select
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from agent.policy import VolumeFacts

MOUNTINFO = Path("/proc/self/mountinfo")
SYSFS = Path("/sys")
UDEV = Path("/run/udev/data")

SHARES = frozenset(
    {
        "cifs", "smb3", "smbfs", "nfs", "nfs4", "afs", "9p", "ceph", "glusterfs", "fuse.glusterfs",
        "fuse.sshfs", "fuse.rclone", "fuse.smbnetfs", "fuse.davfs", "davfs", "fuse.s3fs", "fuse.gvfsd-fuse",
    }
)  # fmt: skip
"""File systems that lie on another machine."""

CRYPT_VIEWS = frozenset({"fuse.gocryptfs", "fuse.encfs", "fuse.cryfs", "ecryptfs"})
"""Plain views of folders that hold ciphertext. Where the ciphertext lies is not known here."""

MEMORY = frozenset({"tmpfs", "ramfs", "hugetlbfs"})
NOT_FOR_FILES = frozenset(
    {
        "proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2", "securityfs", "debugfs", "tracefs",
        "configfs", "fusectl", "mqueue", "bpf", "pstore", "efivarfs", "autofs", "binfmt_misc", "nsfs",
        "rpc_pipefs", "selinuxfs", "squashfs", "fuse.portal", "fuse.lxcfs", "hugetlbfs",
    }
)  # fmt: skip
ENCRYPTING = frozenset({"LUKS1", "LUKS2", "PLAIN", "TCRYPT", "LOOPAES", "BITLK", "FVAULT2"})
"""cryptsetup's names of maps that encrypt. It also marks verity and integrity maps `CRYPT-`."""

_ESCAPE = re.compile(rb"\\([0-7]{3})")
_MOST_LINKS = 16


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo; paths as `os.fsdecode` gives them."""

    mount_id: int
    device: str
    """major:minor, which is what `st_dev` of its files says (but on btrfs)."""
    root: str
    """Which folder of the file system is mounted."""
    mount_point: str
    options: tuple[str, ...]
    fstype: str
    source: str

    @property
    def read_only(self) -> bool:
        return "ro" in self.options


def parse_mountinfo(content: bytes) -> list[Mount]:
    """All mounts, in the order of mountinfo. A line that is not understood is left out."""
    mounts = []
    for line in content.splitlines():
        before, dash, after = line.partition(b" - ")
        fields, sources = before.split(b" "), after.split(b" ")
        if not dash or len(fields) < 6 or len(sources) < 2 or not fields[0].isdigit():
            continue
        mounts.append(
            Mount(
                mount_id=int(fields[0]),
                device=fields[2].decode("ascii", "replace"),
                root=_unescaped(fields[3]),
                mount_point=_unescaped(fields[4]),
                options=tuple(fields[5].decode("ascii", "replace").split(",")),
                fstype=sources[0].decode("ascii", "replace"),
                source=_unescaped(sources[1]),
            )
        )
    return mounts


def _unescaped(raw: bytes) -> str:
    """Mountinfo writes space, tab, newline and backslash as three octal digits."""
    return os.fsdecode(_ESCAPE.sub(lambda found: bytes([int(found[1], 8) & 0xFF]), raw))


def visible(mounts: Sequence[Mount]) -> list[Mount]:
    """Those mounts that a path leads to: of several on one mount point the last one counts, and one
    that was mounted over a folder above hides what was mounted below it before."""
    kept: list[Mount] = []
    for mount in mounts:
        kept = [m for m in kept if m.mount_point != mount.mount_point and not _below(m, mount)]
        kept.append(mount)
    return kept


def _below(one: Mount, other: Mount) -> bool:
    return inside(one.mount_point, other.mount_point) and one.mount_point != other.mount_point


def inside(path: str, folder: str) -> bool:
    """Whether an absolute path is `folder` or lies below it."""
    return path == folder or folder == "/" or path.startswith(folder.rstrip("/") + "/")


def mount_of(path: str, mounts: Sequence[Mount]) -> Mount | None:
    """The mount that carries an absolute path without links."""
    carrying = [m for m in visible(mounts) if inside(path, m.mount_point)]
    return max(carrying, key=lambda m: len(m.mount_point), default=None)


def facts(
    mount: Mount, treat_as_removable: Sequence[str] = (), sysfs: Path = SYSFS, udev: Path = UDEV
) -> VolumeFacts:
    """What kind of volume a mount is of, and the proof of its encryption if there is one."""
    chain = block_chain(mount.device, sysfs)
    return VolumeFacts(
        kind=_kind(mount, chain, treat_as_removable),
        fstype=mount.fstype,
        source=mount.source,
        device=mount.device,
        uuid=_uuid(mount.device, udev),
        encryption_proof=_proof(chain),
    )


def _kind(mount: Mount, chain: Sequence[Sequence[Path]], globs: Sequence[str]) -> str:
    if any(fnmatchcase(mount.mount_point, g) or fnmatchcase(mount.source, g) for g in globs):
        return "removable"
    if mount.fstype in SHARES:
        return "shared"
    if mount.fstype in MEMORY:
        return "memory"
    if not chain:
        return "unknown"
    return "removable" if any(is_removable(disk) for way in chain for disk in way[-1:]) else "fixed"


def block_chain(device: str, sysfs: Path) -> list[list[Path]]:
    """Every way from a block device down to a whole disk, as real paths below `/sys/devices`.

    A partition leads to its disk; a mapped device (dm, md, loop with a backing disk) to its slaves.
    Empty for what is no block device.
    """
    link = sysfs / "dev" / "block" / device
    if not re.fullmatch(r"\d+:\d+", device) or not link.exists():
        return []
    return _ways(link.resolve(), 0)


def _ways(device: Path, depth: int) -> list[list[Path]]:
    if depth > _MOST_LINKS:
        return [[device]]
    if (device / "partition").exists():
        return [[device, *way] for way in _ways(device.parent, depth + 1)]
    slaves = sorted((device / "slaves").iterdir()) if (device / "slaves").is_dir() else []
    if not slaves:
        return [[device]]
    return [[device, *way] for slave in slaves for way in _ways(slave.resolve(), depth + 1)]


def is_removable(disk: Path) -> bool:
    """A whole disk that is carried away: by its flag, by USB, or as an SD card. An eMMC is soldered in."""
    if _read(disk / "removable") == "1":
        return True
    parts = disk.parts
    if any(re.fullmatch(r"usb\d+", part) for part in parts):
        return True
    return any(part.startswith("mmc_host") for part in parts) and _read(disk / "device" / "type") == "SD"


def _proof(chain: Sequence[Sequence[Path]]) -> str:
    """Encrypted only if every way down passes through a dm-crypt map; else there is no proof."""
    proofs = []
    for way in chain:
        crypt = next((d for d in way if _crypt_kind(d) in ENCRYPTING), None)
        if crypt is None:
            return ""
        kind = _crypt_kind(crypt)
        under = way[way.index(crypt) + 1 :][:1]
        proofs.append(f"dm-crypt {kind} on {under[0].name if under else crypt.name}")
    return "; ".join(sorted(set(proofs)))


def _crypt_kind(device: Path) -> str:
    """`LUKS2` out of the map's uuid `CRYPT-LUKS2-…`; only root can give a map its uuid."""
    prefix, _, rest = _read(device / "dm" / "uuid").partition("-")
    return rest.partition("-")[0] if prefix == "CRYPT" else ""


def _uuid(device: str, udev: Path) -> str:
    """The file system's uuid, if udev told."""
    try:
        content = (udev / f"b{device}").read_text("ascii", "replace")
    except OSError:
        return ""
    found = re.search(r"^E:ID_FS_UUID=([0-9A-Za-z-]{1,64})$", content, re.MULTILINE)
    return found[1] if found else ""


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace").strip()
    except OSError:
        return ""


class MountTable:
    """The live mount table. `fileno` becomes readable when it changed (through an epoll of its own,
    because selectors know no exceptional conditions)."""

    def __init__(self, path: Path = MOUNTINFO) -> None:
        self._file = path.open("rb", buffering=0)
        self._epoll = select.epoll()
        self._epoll.register(self._file, select.EPOLLPRI | select.EPOLLERR)

    def fileno(self) -> int:
        return self._epoll.fileno()

    def read(self) -> list[Mount]:
        """The table as it is now; this also answers the notice."""
        self._epoll.poll(0)
        self._file.seek(0)
        content = b""
        while block := self._file.read(1 << 16):
            content += block
        return parse_mountinfo(content)

    def close(self) -> None:
        self._epoll.close()
        self._file.close()
