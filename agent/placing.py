"""Putting a released file in place, in steps that can be taken up again wherever they were cut off.

The supervisor remembers each step before the next one is taken (`agent.releases`):

    found when it is taken up again                 done
    placing, whatever lies beside                   remove that and begin again
    written, the whole content lies beside          give it its name
    written, its own name is a link to it           remove what lies beside: it is in place
    written, nothing lies beside                    it is in place, or was moved on since: never a second time
    written, something else lies beside             say so to the supervisor, remove that, begin again

The one-time key opens what the security team has encrypted to it; content and attributes are held against the
digests that this machine has of them, and all else of the metadata comes from this machine's own vault.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from agent.errors import Refused
from agent.giving_back import give_name, refuse_taken, restore_metadata, told
from agent.opening import RootFolder
from agent.streams import BLOCK_BYTES
from agent.vault import Manifest, VaultError, decrypt_file, unseal_xattrs

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_AGAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Order:
    """What the supervisor permits. `device` is `major:minor` of where it goes, "" if that cannot be told."""

    request_id: str
    destination: str
    beside: str
    device: str
    written: bool


@dataclass(frozen=True, slots=True)
class Handed:
    """What came from the security team: a ciphertext, and attributes sealed for the same key."""

    ciphertext: Path
    sealed_xattrs: str


class Steps(Protocol):
    """The supervisor, told of each step; it has remembered it when the call returns."""

    def written(self, lost: Sequence[str]) -> None: ...

    def unwritten(self) -> None: ...


def put_in_place(
    order: Order, entry: Manifest, handed: Handed, identities: Sequence[Any], steps: Steps
) -> None:
    """Bring the file to its destination, or find it there. Raises the same as `giving_back.give_back`."""
    target = Path(order.destination)
    beside = Path(order.beside).name
    with told(target, entry.entry_id), _opened(target.parent, order) as root:
        parent = root.beneath("", _FOLDER)
        try:
            if not order.written:
                _write(parent, beside, target.name, entry, handed, identities, steps)
            _finish(parent, beside, target.name, entry.sha256, steps)
            os.fsync(parent)
        finally:
            os.close(parent)


def _opened(folder: Path, order: Order) -> RootFolder:
    """The folder, if it lies on what the approval was for."""
    device = folder.stat().st_dev
    if order.device and order.device != f"{os.major(device)}:{os.minor(device)}":
        raise Refused("another volume lies at the destination now", "make a new request")
    return RootFolder.open(str(folder), device)


def _write(
    parent: int,
    beside: str,
    name: str,
    entry: Manifest,
    handed: Handed,
    identities: Sequence[Any],
    steps: Steps,
) -> None:
    with suppress(FileNotFoundError):
        os.unlink(beside, dir_fd=parent)
    refuse_taken(parent, name)
    fd = os.open(beside, _NEW, 0o600, dir_fd=parent)
    try:
        try:
            decrypt_file(handed.ciphertext, entry.sha256, identities, fd)
            lost = restore_metadata(fd, entry, _attributes(entry, handed, identities))
            if entry.sealed_xattrs and not entry.xattrs_sha256 and "attributes" not in lost:
                lost.append("attributes")
            os.fsync(fd)
            os.fsync(parent)
        except BaseException:
            with suppress(OSError):
                os.unlink(beside, dir_fd=parent)
            raise
        steps.written(lost)  # were this to fail, nobody knows whether it was heard: what lies beside stays
    finally:
        os.close(fd)


def _attributes(entry: Manifest, handed: Handed, identities: Sequence[Any]) -> dict[str, bytes]:
    """Only such as can be known again: an entry without a digest of them gives none back this way."""
    if not entry.xattrs_sha256:
        return {}
    return unseal_xattrs(replace(entry, sealed_xattrs=handed.sealed_xattrs), identities)


def _finish(parent: int, beside: str, name: str, sha256: str, steps: Steps) -> None:
    fd = -1
    try:
        fd = _beside(parent, beside)
        if fd < 0:
            return
        if _is_named(parent, name, fd):
            os.unlink(beside, dir_fd=parent)
            return
        if _digest(fd) != sha256:
            raise VaultError("what lies beside its place was changed by somebody")
        give_name(parent, beside, name, fd)
    except BaseException:
        # the supervisor first: were it removed first, it would look as if it had got its name
        steps.unwritten()
        with suppress(OSError):
            os.unlink(beside, dir_fd=parent)
        raise
    finally:
        if fd >= 0:
            os.close(fd)


def _beside(parent: int, beside: str) -> int:
    """What lies beside its place, open; -1 if nothing does."""
    try:
        return os.open(beside, _AGAIN, dir_fd=parent)
    except FileNotFoundError:
        return -1
    except OSError:
        raise VaultError("what lies beside its place was changed by somebody") from None


def _is_named(parent: int, name: str, fd: int) -> bool:
    """Whether the file has its name already, by a link, and only lost the other one not yet."""
    try:
        return os.path.samestat(os.stat(name, dir_fd=parent, follow_symlinks=False), os.fstat(fd))
    except FileNotFoundError:
        return False


def _digest(fd: int) -> str:
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        return ""
    digest = hashlib.sha256()
    while block := os.read(fd, BLOCK_BYTES):
        digest.update(block)
    return digest.hexdigest()
