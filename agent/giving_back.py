"""Putting a file back out of the vault: its very bytes, its metadata, over nobody's file.

The content is decrypted into a new file beside its place, checked against the digest of what was
taken, made durable, and only then given its name, without replacing anything. Whatever fails, no part
of it stays behind.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from agent import notice
from agent.errors import NotPermitted, Refused, VaultTrouble
from agent.escape import escape
from agent.opening import RootFolder, RootUnavailable, rename_no_replace
from agent.removal import beside_name
from agent.streams import BLOCK_BYTES
from agent.vault import Manifest, VaultError, decrypt_to, unseal_xattrs

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CAPABILITY = "security.capability"
_ELSEWHERE = "give another place with --to PATH"


def give_back(
    vault: Path, entry: Manifest, identities: Sequence[Any], folder: Path, relpath: str
) -> list[str]:
    """Put an entry's content at `relpath` below `folder`, an absolute path without links in it.

    Gives back what of the metadata was not restored (`owner`, `mode`, `set_id`, `times`, `attributes`).
    Raises `Refused` when something has the name already or the place is gone, `VaultTrouble` when the
    entry is damaged or is for another key, `NotPermitted` when the place cannot be written.
    """
    with told(folder / relpath, entry.entry_id), _opened(folder) as root:
        above, _, name = relpath.rpartition("/")
        parent = root.beneath(above, _FOLDER | os.O_CLOEXEC)
        try:
            return _put(vault, entry, identities, parent, name)
        finally:
            os.close(parent)


def _opened(folder: Path) -> RootFolder:
    return RootFolder.open(str(folder), folder.stat().st_dev)


@contextmanager
def told(target: Path, entry_id: str) -> Iterator[None]:
    """Turns what can go wrong while `target` is put in place into what a person must do about it."""
    shown = escape(target)
    try:
        yield
    except VaultError as error:
        raise VaultTrouble(
            f"entry {entry_id}: {error}", "is it the right key? try `quarantine verify`"
        ) from None
    except FileExistsError:
        raise Refused(f"{shown} is there already; nothing was overwritten", _ELSEWHERE) from None
    except (RootUnavailable, FileNotFoundError, NotADirectoryError):
        raise Refused(f"the folder of {shown} is not there any more", _ELSEWHERE) from None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EXDEV):
            raise Refused(f"a link or another mount lies on the way to {shown}", _ELSEWHERE) from None
        raise NotPermitted(f"{shown}: {error.strerror}", _ELSEWHERE) from None


def _put(vault: Path, entry: Manifest, identities: Sequence[Any], parent: int, name: str) -> list[str]:
    refuse_taken(parent, name)
    beside = beside_name(name, f".recordwarden-{os.urandom(8).hex()}")
    fd = os.open(beside, _NEW, 0o600, dir_fd=parent)
    try:
        decrypt_to(vault, entry.entry_id, identities, fd)
        lost = restore_metadata(fd, entry, unseal_xattrs(entry, identities))
        os.fsync(fd)
        give_name(parent, beside, name, fd)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside, dir_fd=parent)
        raise
    finally:
        os.close(fd)
    os.fsync(parent)
    return lost


def refuse_taken(parent: int, name: str) -> None:
    """Say so before the work is done; the rename is what guarantees it."""
    with suppress(FileNotFoundError):
        os.stat(name, dir_fd=parent, follow_symlinks=False)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))


def give_name(parent: int, beside: str, name: str, fd: int) -> None:
    """Name what lies beside its place, over nobody's file; raises `FileExistsError`."""
    try:
        rename_no_replace(parent, beside, parent, name)
        return
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS):
            raise
    try:  # this file system knows no such flag; a link never replaces either, where there are links
        os.link(beside, name, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
    except PermissionError:
        _copy(parent, name, fd)
    os.unlink(beside, dir_fd=parent)


def _copy(parent: int, name: str, fd: int) -> None:
    """The last way, on media without links: a new file under the name, removed again if it fails."""
    target = os.open(name, _NEW, 0o600, dir_fd=parent)
    try:
        os.lseek(fd, 0, os.SEEK_SET)
        while block := os.read(fd, BLOCK_BYTES):
            while block:
                block = block[os.write(target, block) :]
        status = os.fstat(fd)
        with suppress(OSError):
            os.fchmod(target, status.st_mode & 0o777)
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
        os.fsync(target)
    except BaseException:
        os.unlink(name, dir_fd=parent)
        raise
    finally:
        os.close(target)


def restore_metadata(fd: int, entry: Manifest, attributes: dict[str, bytes]) -> list[str]:
    """Owner first, since it clears mode bits; mode next, since it changes ACLs; times last.

    Never a right to become somebody else: a medium may say of its files what it likes, and what was made
    where such bits mean nothing may be given back where they do.
    """
    lost = []
    mode = entry.mode & 0o777
    if mode != entry.mode or _CAPABILITY in attributes:
        lost.append("set_id")
    try:
        os.fchown(fd, entry.uid, entry.gid)
    except OSError:
        status = os.fstat(fd)
        if (status.st_uid, status.st_gid) != (entry.uid, entry.gid):
            lost.append("owner")
    try:
        os.fchmod(fd, mode)
    except OSError:
        lost.append("mode")
    failed = 0
    for name, value in attributes.items():
        if name == _CAPABILITY:
            continue
        try:
            os.setxattr(fd, name, value)
        except OSError:
            failed += 1
    if failed:
        lost.append("attributes")
    try:
        os.utime(fd, ns=(entry.atime_ns, entry.mtime_ns))
    except OSError:
        lost.append("times")
    return lost


def remove_notice(entry: Manifest) -> bool:
    """Take away the notice that speaks of this entry; False if there is none at its place."""
    folder, relpath = Path(entry.root_path), entry.relpath
    above, _, name = relpath.rpartition("/")
    try:
        with RootFolder.open(str(folder), folder.stat().st_dev) as root:
            parent = root.beneath(above, _FOLDER | os.O_CLOEXEC)
            try:
                return notice.take_away(parent, name, entry.entry_id)
            finally:
                os.close(parent)
    except (OSError, RootUnavailable):
        return False
