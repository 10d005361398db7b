"""A tiny file system of its own, spoken over /dev/fuse without any library; started as a script.

    fuse_server.py MOUNT_POINT FILE [FILE ...]

serves the contents of the FILEs, read-only, flat. After SIGUSR1 it goes on reading requests and
answers none: whoever waits for one hangs for as long as this process lives, and not even SIGKILL
frees them. After SIGUSR2 it stops answering READ only. Prints "mounted" when it is up.
Protocol: linux/fuse.h, version 7.31.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import stat
import struct
import sys
from pathlib import Path

LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH = 1, 2, 3, 14, 15, 17, 18, 25
INIT, OPENDIR, READDIR, RELEASEDIR, INTERRUPT, BATCH_FORGET = 26, 27, 28, 29, 36, 42
UNANSWERED = (FORGET, INTERRUPT, BATCH_FORGET)
ROOT = 1
VALID_SECONDS = 0


class Served:
    """The files, by node number from 2, and what is still answered."""

    def __init__(self, paths: list[Path]) -> None:
        self.names = [path.name.encode() for path in paths]
        self.contents = [path.read_bytes() for path in paths]
        self.silent: set[int] = set()

    def attributes(self, node: int) -> bytes:
        size = 0 if node == ROOT else len(self.contents[node - 2])
        mode = stat.S_IFDIR | 0o755 if node == ROOT else stat.S_IFREG | 0o644
        when = 1_600_000_000
        times = (when, when, when, 0, 0, 0)
        return struct.pack("<6Q3I7I", node, size, size // 512 + 1, *times, mode, 1, 0, 0, 0, 4096, 0)

    def listing(self, offset: int) -> bytes:
        out = b""
        for number, name in enumerate(self.names[offset:], offset):
            entry = struct.pack("<QQII", number + 2, number + 1, len(name), stat.S_IFREG >> 12) + name
            out += entry + b"\0" * (-len(entry) % 8)
        return out

    def answer(self, opcode: int, node: int, body: bytes) -> bytes | int:
        """The reply's payload, or an errno."""
        if opcode == INIT:
            return struct.pack("<4I2H2I2HI7I", 7, 31, 65536, 0, 12, 9, 65536, 1, 0, 0, 0, *[0] * 7)
        if opcode == LOOKUP:
            name = body.rstrip(b"\0")
            if name not in self.names:
                return errno.ENOENT
            found = self.names.index(name) + 2
            return struct.pack("<4Q2I", found, 0, VALID_SECONDS, VALID_SECONDS, 0, 0) + self.attributes(found)
        if opcode == GETATTR:
            return struct.pack("<Q2I", VALID_SECONDS, 0, 0) + self.attributes(node)
        if opcode in (OPEN, OPENDIR):
            return struct.pack("<Q2I", 0, 0, 0)
        if opcode == READ:
            _, offset, size = struct.unpack_from("<QQI", body)
            return self.contents[node - 2][offset : offset + size]
        if opcode == READDIR:
            _, offset, size = struct.unpack_from("<QQI", body)
            return self.listing(offset)[:size]
        if opcode == STATFS:
            return struct.pack("<5Q4I6I", 1000, 0, 0, 1000, 0, 4096, 255, 4096, 0, *[0] * 6)
        if opcode in (RELEASE, RELEASEDIR, FLUSH):
            return b""
        return errno.ENOSYS


def mount(point: str) -> int:
    device = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    if libc.mount(b"made-up", os.fsencode(point), b"fuse.madeup", 2 | 4, options):
        raise OSError(ctypes.get_errno(), "mount")
    return device


def main() -> None:
    served = Served([Path(name) for name in sys.argv[2:]])
    everything = set(range(64)) - {INIT}
    signal.signal(signal.SIGUSR1, lambda *_: served.silent.update(everything))
    signal.signal(signal.SIGUSR2, lambda *_: served.silent.add(READ))
    device = mount(sys.argv[1])
    print("mounted", flush=True)
    while True:
        try:
            request = os.read(device, 1 << 20)
        except InterruptedError:
            continue
        except OSError as error:
            if error.errno == errno.ENODEV:  # unmounted
                return
            if error.errno == errno.ENOENT:  # the asker gave up meanwhile
                continue
            raise
        _, opcode, unique, node = struct.unpack_from("<IIQQ", request)
        if opcode in UNANSWERED or opcode in served.silent:
            continue
        reply = served.answer(opcode, node, request[40:])
        payload, error = (b"", -reply) if isinstance(reply, int) else (reply, 0)
        try:
            os.write(device, struct.pack("<IiQ", 16 + len(payload), error, unique) + payload)
        except FileNotFoundError:
            continue


if __name__ == "__main__":
    main()
