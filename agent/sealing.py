"""Encrypting a source for the vault: into a file, or ahead, while it is not known yet whether it is taken."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pyrage

from agent.streams import BLOCK_BYTES, DepositFailed, DurableWriter, PositionalReader

MOST_AHEAD_BYTES = 4 * BLOCK_BYTES
"""Of a file that is encrypted ahead: a few milliseconds, and so much memory."""


@dataclass(frozen=True, slots=True)
class Source:
    """What to deposit: an open descriptor, read by position only, and where it came from."""

    fd: int
    status: os.stat_result
    root_id: str
    root_path: str
    relpath: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """A source as it was when it was read, in memory: its ciphertext, and the digests (hex) of both."""

    sha256: str
    ciphertext: bytes
    ciphertext_sha256: str


def seal_ahead(source: Source, recipients: list[Any]) -> Sealed | None:
    """None if that is not worth it, or not possible now. It proves nothing: whoever uses it reads again."""
    size = source.status.st_size
    if not 0 < size <= MOST_AHEAD_BYTES:
        return None
    try:
        content = os.pread(source.fd, size, 0)
        if len(content) != size:
            return None
        ciphertext = pyrage.encrypt(content, recipients)
        return Sealed(sha256(content).hexdigest(), ciphertext, sha256(ciphertext).hexdigest())
    except (OSError, pyrage.EncryptError):
        return None


def encrypt(plain: PositionalReader, cipher: DurableWriter, recipients: list[Any]) -> None:
    """pyrage wraps whatever its reader or writer raises, so they keep what truly happened."""
    try:
        pyrage.encrypt_io(plain, cipher, recipients)
    except Exception:
        fault = plain.fault or cipher.fault
        if fault is not None:
            raise fault from None
        raise DepositFailed("vault_error") from None


def reads_as(source: Source, digest: str, while_working: Callable[[], None]) -> bool:
    """Whether the source, read through again, has this content."""
    again = PositionalReader(source.fd, source.status.st_size, while_working)
    while again.read(BLOCK_BYTES):
        pass
    return again.digest.hexdigest() == digest
