"""Folders under fscrypt, on a real ext4 file system."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import subprocess
from pathlib import Path

import pytest

from agent.fscrypt import proof_of

_ADD_KEY, _SET_POLICY = 0xC0506617, 0x800C6613


def encrypt(folder: Path) -> None:
    """Give an empty folder a version 2 policy with a made-up key, as `fscrypt` does (<linux/fscrypt.h>)."""

    class Key(ctypes.Structure):
        _fields_ = (
            ("kind", ctypes.c_uint32), ("pad", ctypes.c_uint32), ("identifier", ctypes.c_uint8 * 32),
            ("size", ctypes.c_uint32), ("key_id", ctypes.c_uint32), ("reserved", ctypes.c_uint32 * 8),
            ("raw", ctypes.c_uint8 * 64),
        )  # fmt: skip

    key = bytearray(bytes(Key(kind=2, size=64, raw=(ctypes.c_uint8 * 64)(*range(64)))))
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.ioctl(fd, _ADD_KEY, key)
        fcntl.ioctl(fd, _SET_POLICY, bytes([2, 1, 4, 0x03, 0, 0, 0, 0]) + bytes(key[8:24]))
    finally:
        os.close(fd)


def proof(path: Path) -> str:
    with path.open("rb") as file:
        return proof_of(file.fileno())


def test_a_file_that_is_not_encrypted_has_no_proof(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"1")
    assert proof(tmp_path / "x") == ""
    assert proof(Path("/proc/self/status")) == ""


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (b"\x02\x01\x04\x03", "fscrypt AES-256-XTS"),
        (b"\x00\x05\x06\x00", "fscrypt AES-128-CBC"),
        (b"\x02\x09\x09\x03", "fscrypt Adiantum"),
        (b"\x02\x00\x00\x00", ""),
        (b"\x07\x01\x04\x00", ""),
    ],
)
def test_policies_by_version_and_mode(monkeypatch, policy: bytes, expected: str) -> None:
    def ioctl(fd: int, request: int, buffer: bytearray) -> int:
        assert request == 0xC0096616
        buffer[8 : 8 + len(policy)] = policy
        return 0

    monkeypatch.setattr("agent.fscrypt.fcntl.ioctl", ioctl)
    assert proof_of(0) == expected


@pytest.mark.root
def test_a_folder_under_fscrypt_and_one_beside_it(tmp_path: Path, need) -> None:
    need("mkfs.ext4")
    image, point = tmp_path / "image", tmp_path / "mnt"
    point.mkdir()
    with image.open("wb") as file:
        file.truncate(32 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-O", "encrypt", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, point], check=True)
    try:
        for name in ("secret", "plain"):
            (point / name).mkdir()
        try:
            encrypt(point / "secret")
        except OSError as error:
            if error.errno in (errno.EOPNOTSUPP, errno.ENOTTY):
                pytest.skip("this kernel has no fscrypt")
            raise
        for name in ("secret", "plain"):
            (point / name / "a.csv").write_bytes(b"1")
        assert proof(point / "secret" / "a.csv") == "fscrypt AES-256-XTS"
        assert proof(point / "plain" / "a.csv") == ""
    finally:
        subprocess.run(["umount", point], check=True)
