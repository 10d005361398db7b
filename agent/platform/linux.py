"""What is mounted on Linux, on what it lies, and whether that is provably encrypted.

Pure functions over the text of `/proc/self/mountinfo` (proc(5)) and a `/sys` tree that tests replace.
They never touch a mount point: a medium that hangs must not hang whoever asks what it is.
"""

from __future__ import annotations

import os
import re
import select
from collections.abc import Sequence
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path

from agent.platform.linux_devices import (
    Kernel,
    block_chain,
    device_of,
    file_system_uuid,
    is_removable,
    members,
)
from agent.platform.linux_encryption import proof_of_view, proof_of_ways
from agent.volume_facts import Device, Mount, VolumeFacts

MOUNTINFO = Path("/proc/self/mountinfo")
KERNEL = Kernel()

SHARES = frozenset(
    {
        "cifs", "smb3", "smbfs", "nfs", "nfs4", "afs", "9p", "ceph", "glusterfs", "fuse.glusterfs",
        "fuse.sshfs", "fuse.rclone", "fuse.smbnetfs", "fuse.davfs", "davfs", "fuse.s3fs", "fuse.gvfsd-fuse",
    }
)  # fmt: skip
"""File systems that lie on another machine."""

MEMORY = frozenset({"tmpfs", "ramfs", "hugetlbfs"})
NOT_FOR_FILES = frozenset(
    {
        "proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2", "securityfs", "debugfs", "tracefs",
        "configfs", "fusectl", "mqueue", "bpf", "pstore", "efivarfs", "autofs", "binfmt_misc", "nsfs",
        "rpc_pipefs", "selinuxfs", "squashfs", "fuse.portal", "fuse.lxcfs", "hugetlbfs",
    }
)  # fmt: skip
_ESCAPE = re.compile(rb"\\([0-7]{3})")


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
                super_options=tuple(sources[2].decode("ascii", "replace").split(",")) if sources[2:] else (),
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
    mount: Mount,
    mounts: Sequence[Mount] = (),
    treat_as_removable: Sequence[str] = (),
    approved: Sequence[Device] = (),
    kernel: Kernel = KERNEL,
) -> VolumeFacts:
    """What kind of volume a mount is of, and the proof of its encryption if there is one.

    `mounts` is the table that it stands in: what a loop device lies on is found there.
    """
    ways = _ways_below(mount, mounts, kernel.sysfs)
    disks = [way[-1] for way in ways]
    device = device_of(disks[0]) if len(set(disks)) == 1 else Device()
    proof = proof_of_ways(ways, kernel, approved) if mount.fstype not in SHARES else ""
    return VolumeFacts(
        kind=_kind(mount, disks, treat_as_removable),
        fstype=mount.fstype,
        source=mount.source,
        device=mount.device,
        uuid=file_system_uuid(mount.device, kernel.udev),
        encryption_proof=proof or proof_of_view(mount.fstype, mount.mount_point, mount.super_options, kernel),
        **asdict(device),
    )


def _ways_below(mount: Mount, mounts: Sequence[Mount], sysfs: Path) -> list[list[Path]]:
    def backing(image: str) -> str:
        carrier = mount_of(image, mounts)
        return carrier.device if carrier is not None else ""

    numbers = members(mount.source, sysfs) if mount.fstype == "btrfs" else [mount.device]
    ways = [block_chain(number, sysfs, backing) for number in numbers]
    return [way for several in ways for way in several] if all(ways) else []


def _kind(mount: Mount, disks: Sequence[Path], globs: Sequence[str]) -> str:
    if any(fnmatchcase(mount.mount_point, g) or fnmatchcase(mount.source, g) for g in globs):
        return "removable"
    if mount.fstype in SHARES:
        return "shared"
    if mount.fstype in MEMORY:
        return "memory"
    if not disks:
        return "unknown"
    return "removable" if any(is_removable(disk) for disk in disks) else "fixed"


def mounted() -> list[Mount]:
    """What is mounted for this process now."""
    return parse_mountinfo(MOUNTINFO.read_bytes())


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
