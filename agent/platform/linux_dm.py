"""What the device mapper is made to do with a mapped device: `DM_TABLE_STATUS` of ioctl(2), as root.

A map that somebody set up with `dmsetup` or VeraCrypt has no telling uuid, and one with a telling uuid
may use `cipher_null`, which encrypts nothing: only the table tells. The table of an encrypting map may
hold its key, so nothing but the kind of target and its cipher leaves this module, and the buffer is
overwritten. Layout: `struct dm_ioctl` and `struct dm_target_spec` of <linux/dm-ioctl.h>, version 4.
"""

from __future__ import annotations

import fcntl
import os
import re
import struct
from collections.abc import Callable

CONTROL = "/dev/mapper/control"
_TABLE_STATUS = 0xC138FD0C
_HEAD = struct.Struct("=3I 2I I i I I I Q 128s 129s 7s")
_SPEC = struct.Struct("=Q Q i I 16s")
_TABLE, _FULL, _NO_FLUSH, _SECURE = 1 << 4, 1 << 8, 1 << 11, 1 << 15
_BUFFER_BYTES = 1 << 16
_CIPHER = re.compile(rb"[A-Za-z0-9_:()-]{1,64}")

Ioctl = Callable[[int, int, bytearray], object]


def targets(device: str, ioctl: Ioctl = fcntl.ioctl, control: str = CONTROL) -> tuple[str, ...] | None:
    """What each part of a mapped device (major:minor) is: `crypt CIPHER`, or another target's name alone.

    None where that cannot be told: no device mapper, no privilege, no such device.
    """
    major, _, minor = device.partition(":")
    buffer = bytearray(_BUFFER_BYTES)
    flags = _TABLE | _NO_FLUSH | _SECURE
    number = _huge(int(major), int(minor))
    _HEAD.pack_into(buffer, 0, 4, 0, 0, len(buffer), _HEAD.size, 0, 0, flags, 0, 0, number, b"", b"", b"")
    try:
        fd = os.open(control, os.O_RDWR | os.O_CLOEXEC)
        try:
            ioctl(fd, _TABLE_STATUS, buffer)
        finally:
            os.close(fd)
        return _parsed(buffer)
    except (OSError, struct.error):
        return None
    finally:
        buffer[:] = bytes(len(buffer))


def _huge(major: int, minor: int) -> int:
    """A device number as the kernel's `huge_encode_dev` writes it."""
    return (minor & 0xFF) | (major << 8) | ((minor & ~0xFF) << 12)


def _parsed(buffer: bytearray) -> tuple[str, ...] | None:
    head = _HEAD.unpack_from(buffer, 0)
    start, count, flags = head[4], head[5], head[7]
    if flags & _FULL:
        return None
    found = []
    at = start
    for _ in range(count):
        *_, following, name = _SPEC.unpack_from(buffer, at)
        kind = name.partition(b"\0")[0]
        begin = at + _SPEC.size
        if kind == b"crypt":
            cipher = _CIPHER.match(buffer, begin)  # the first word; the key is the second
            found.append(f"crypt {cipher[0].decode() if cipher else '?'}")
        else:
            found.append(kind.decode("ascii", "replace"))
        at = start + following
    return tuple(found)
