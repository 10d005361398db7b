"""Disks whose power can be cut at every write: images served over /dev/fuse, with loop devices on them.

What the kernel writes is kept in order, with its flushes. A disk may lose whatever it was not told to
flush, so a cut is: all writes up to the last flush, and any of those after it, one of them perhaps torn.
`Disks.cut` makes the images as they then are; they are mounted, and the file system's journal replayed,
by the kernel. `Disks.pull` takes a disk away instead: from then on every request fails.
Protocol: linux/fuse.h, version 7.31.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import pickle
import random
import signal
import socket
import stat
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LOOKUP, FORGET, GETATTR, SETATTR, OPEN, READ, WRITE, STATFS, RELEASE, FSYNC = (
    1,
    2,
    3,
    4,
    14,
    15,
    16,
    17,
    18,
    20,
)
FLUSH, INIT, INTERRUPT, BATCH_FORGET = 25, 26, 36, 42
UNANSWERED = (FORGET, INTERRUPT, BATCH_FORGET)
ROOT = 1
MOST = 131_072  # bytes in one request
BIG_WRITES = 1 << 5
DIRECT_IO = 1
SECTOR = 512


@dataclass(frozen=True)
class Write:
    disk: int
    offset: int
    data: bytes


@dataclass(frozen=True)
class Flush:
    disk: int


@dataclass(frozen=True)
class Mark:
    """Something that was acknowledged as durable by then."""

    name: str


Record = Write | Flush | Mark


class Disks:
    """`images` are formatted files, each of which becomes `folder/devices/NAME`."""

    def __init__(self, folder: Path, images: Sequence[Path]) -> None:
        self.images = list(images)
        self.devices = [folder / "devices" / image.name for image in images]
        (folder / "devices").mkdir()
        self._point = folder / "devices"
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._pid = os.fork()
        if not self._pid:
            try:
                self._line.close()
                _serve(_mount(str(self._point)), theirs, self.images)
            finally:
                os._exit(0)
        theirs.close()
        self._ask(b"ready")

    def _ask(self, what: bytes) -> bytes:
        self._line.send(what)
        return self._line.recv(1 << 16)

    def mark(self, name: str) -> None:
        self._ask(b"mark " + os.fsencode(name))

    def pull(self, disk: int, after: int = 0) -> None:
        """Let every request to this disk fail, once it has had `after` more of them."""
        self._ask(b"pull %d %d" % (disk, after))

    def records(self, into: Path) -> list[Record]:
        self._ask(b"dump " + os.fsencode(into))
        with into.open("rb") as file:
            found: list[Record] = pickle.load(file)
        return found

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._line.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        subprocess.run(["umount", "-l", str(self._point)], capture_output=True, check=False)


def cut(
    images: Sequence[Path], records: Sequence[Record], at: int, chance: random.Random, into: Sequence[Path]
) -> set[str]:
    """Make `into` the disks as they are when power fails after `at` records; gives the marks before it.

    `images` are the disks as they were before the first record.
    """
    kept = chance.choice((0.0, 0.5, 0.9, 1.0))  # of what was not flushed
    for disk, (image, target) in enumerate(zip(images, into, strict=True)):
        flushed = max((n for n in range(at) if records[n] == Flush(disk)), default=-1)
        target.unlink(missing_ok=True)  # a loop device may still hold the one before
        target.write_bytes(image.read_bytes())
        with target.open("r+b") as file:
            for number in range(at):
                record = records[number]
                if not isinstance(record, Write) or record.disk != disk:
                    continue
                data = record.data
                if number > flushed:
                    if chance.random() >= kept:
                        continue
                    if chance.random() < 0.1:
                        data = data[: chance.randrange(0, len(data), SECTOR)]
                file.seek(record.offset)
                file.write(data)
    return {record.name for record in records[:at] if isinstance(record, Mark)}


# --- the server


def _mount(point: str) -> int:
    device = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other,max_read={MOST}".encode()
    if libc.mount(b"fragile", os.fsencode(point), b"fuse.fragile", 2 | 4, options):
        raise OSError(ctypes.get_errno(), "mount")
    return device


class _Served:
    def __init__(self, images: Sequence[Path]) -> None:
        self.names = [image.name.encode() for image in images]
        self.contents = [bytearray(image.read_bytes()) for image in images]
        self.records: list[Record] = []
        self.left: dict[int, int] = {}
        """How many requests a disk still answers before it is gone."""

    def attributes(self, node: int) -> bytes:
        size = 0 if node == ROOT else len(self.contents[node - 2])
        mode = stat.S_IFDIR | 0o755 if node == ROOT else stat.S_IFREG | 0o600
        times = (1_600_000_000, 1_600_000_000, 1_600_000_000, 0, 0, 0)
        return struct.pack("<6Q3I7I", node, size, size // 512, *times, mode, 1, 0, 0, 0, 4096, 0)

    def answer(self, opcode: int, node: int, body: bytes) -> bytes | int:
        """The reply's payload, or an errno."""
        if opcode == INIT:
            return struct.pack("<4I2H2I2HI7I", 7, 31, MOST, BIG_WRITES, 12, 9, MOST, 1, 0, 0, 0, *[0] * 7)
        if opcode == LOOKUP:
            name = body.rstrip(b"\0")
            if name not in self.names:
                return errno.ENOENT
            found = self.names.index(name) + 2
            return struct.pack("<4Q2I", found, 0, 3600, 3600, 0, 0) + self.attributes(found)
        if opcode in (GETATTR, SETATTR):
            return struct.pack("<Q2I", 3600, 0, 0) + self.attributes(node)
        if opcode == OPEN:
            return struct.pack("<Q2I", 0, DIRECT_IO, 0)
        if opcode == STATFS:
            return struct.pack("<5Q4I6I", 1000, 1000, 1000, 1000, 0, 4096, 255, 4096, 0, *[0] * 6)
        if opcode in (READ, WRITE, FSYNC):
            return self._io(opcode, node - 2, body)
        return b"" if opcode in (RELEASE, FLUSH) else errno.ENOSYS

    def _io(self, opcode: int, disk: int, body: bytes) -> bytes | int:
        if disk in self.left:
            if self.left[disk] <= 0:
                return errno.EIO
            self.left[disk] -= 1
        if opcode == FSYNC:
            self.records.append(Flush(disk))
            return b""
        _, offset, size = struct.unpack_from("<QQI", body)
        if opcode == READ:
            return bytes(self.contents[disk][offset : offset + size])
        data = body[40 : 40 + size]
        self.contents[disk][offset : offset + size] = data
        self.records.append(Write(disk, offset, data))
        return struct.pack("<2I", size, 0)

    def told(self, words: bytes) -> None:
        what, _, rest = words.partition(b" ")
        if what == b"mark":
            self.records.append(Mark(os.fsdecode(rest)))
        elif what == b"pull":
            disk, after = map(int, rest.split())
            self.left[disk] = after
        elif what == b"dump":
            with open(os.fsdecode(rest), "wb") as file:
                pickle.dump(self.records, file)


def _serve(device: int, line: socket.socket, images: Sequence[Path]) -> None:
    import select

    served = _Served(images)
    while True:
        ready, _, _ = select.select([device, line], [], [])
        if line in ready:
            words = line.recv(1 << 16)
            if not words:
                return
            served.told(words)
            line.send(b"done")
        if device not in ready:
            continue
        try:
            request = os.read(device, MOST + 4096)
        except OSError as error:
            if error.errno == errno.ENODEV:  # unmounted
                return
            if error.errno in (errno.ENOENT, errno.EINTR):
                continue
            raise
        _, opcode, unique, node = struct.unpack_from("<IIQQ", request)
        if opcode in UNANSWERED:
            continue
        reply = served.answer(opcode, node, request[40:])
        payload, code = (b"", -reply) if isinstance(reply, int) else (reply, 0)
        with contextlib.suppress(FileNotFoundError):
            os.write(device, struct.pack("<IiQ", 16 + len(payload), code, unique) + payload)
