"""Tables of mapped devices, as the kernel hands them over; a real one is asked in `make system`."""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path

import pytest

from agent.platform.linux_dm import targets

HEAD = struct.Struct("=3I 2I I i I I I Q 128s 129s 7s")
SPEC = struct.Struct("=Q Q i I 16s")
KEY = "00112233445566778899aabbccddeeff"


def reply(*table: tuple[str, str], flags: int = 0):
    """An ioctl that answers so; it remembers what it was asked, and the buffer that it filled."""
    seen: dict[str, object] = {}

    def ioctl(fd: int, request: int, buffer: bytearray) -> int:
        seen.update(request=request, head=HEAD.unpack_from(buffer, 0), buffer=buffer)
        start = HEAD.size
        at = 0
        for name, parameters in table:
            body = parameters.encode() + b"\0"
            following = (at + SPEC.size + len(body) + 7) & ~7
            SPEC.pack_into(buffer, start + at, 0, 1, 0, following, name.encode())
            buffer[start + at + SPEC.size : start + at + SPEC.size + len(body)] = body
            at = following
        HEAD.pack_into(buffer, 0, 4, 48, 0, start + at, start, len(table), 1, flags, 0, 0, 0, b"", b"", b"")
        return 0

    return ioctl, seen


def asked(ioctl, device: str = "253:0") -> tuple[str, ...] | None:
    return targets(device, ioctl, os.devnull)


def test_the_cipher_is_told_and_the_key_is_not() -> None:
    ioctl, seen = reply(("crypt", f"aes-xts-plain64 {KEY} 0 8:17 4096"))
    assert asked(ioctl) == ("crypt aes-xts-plain64",)
    assert KEY.encode() not in bytes(seen["buffer"]) and not any(seen["buffer"])


def test_every_part_is_told_in_order() -> None:
    ioctl, _ = reply(("linear", "8:17 0"), ("crypt", "cipher_null-ecb - 0 8:17 0"), ("zero", ""))
    assert asked(ioctl) == ("linear", "crypt cipher_null-ecb", "zero")


def test_the_kernel_is_asked_for_the_table_of_that_very_device() -> None:
    ioctl, seen = reply()
    asked(ioctl, "253:300")
    assert seen["request"] == 0xC138FD0C  # DM_TABLE_STATUS
    head = seen["head"]
    assert head[:3] == (4, 0, 0) and head[10] == os.makedev(253, 300)
    assert head[7] & (1 << 4) and head[7] & (1 << 15)  # the table; wiped by the kernel afterwards


def test_a_cipher_that_is_no_word_counts_as_none() -> None:
    ioctl, _ = reply(("crypt", "\x1b[2J 00 0 8:17 0"))
    assert asked(ioctl) == ("crypt ?",)


def test_what_cannot_be_told_is_none(tmp_path: Path) -> None:
    def refuses(fd: int, request: int, buffer: bytearray) -> int:
        raise OSError(errno.ENXIO, "no such device")

    assert asked(refuses) is None
    assert targets("253:0", control=str(tmp_path / "absent")) is None
    ioctl, _ = reply(("crypt", "aes 0"), flags=1 << 8)  # DM_BUFFER_FULL_FLAG
    assert asked(ioctl) is None


@pytest.mark.parametrize("following", [0, 1 << 20])
def test_a_reply_out_of_bounds_ends(following: int) -> None:
    def ioctl(fd: int, request: int, buffer: bytearray) -> int:
        SPEC.pack_into(buffer, HEAD.size, 0, 1, 0, following, b"linear")
        HEAD.pack_into(buffer, 0, 4, 48, 0, 400, HEAD.size, 3, 1, 0, 0, 0, 0, b"", b"", b"")
        return 0

    assert asked(ioctl) in (None, ("linear",) * 3)
