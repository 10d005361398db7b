"""The vault: ciphertext of taken files, which this workstation cannot open.

`vault/entries/ID.age` is an ordinary age file; beside it `ID.json` says where the file came from and
what it looked like, never what was in it. Work in progress lies in `vault/tmp/` and means nothing.
A deposit that returned is on the disk; what it read nobody wrote meanwhile.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyrage

from agent.attributes import BadAttributes, named, seal_those_of, unseal
from agent.opening import same_content
from agent.sealing import Sealed, Source, encrypt, reads_as, seal_ahead
from agent.streams import (
    BLOCK_BYTES,
    DepositFailed,
    DigestBehind,
    DurableWriter,
    Known,
    PositionalReader,
    vault_faults,
)

MAX_MANIFEST_BYTES = 1 << 20
_HEADER = b"age-encryption.org/v1\n"
_ENTRY_ID = re.compile(r"[0-9a-zA-Z-]{8,64}")


class BadRecipient(ValueError):
    """A line that is no age or ssh public key. The message does not repeat it."""


class VaultError(Exception):
    """An entry that is missing, damaged, or was not encrypted for the given identity."""


@dataclass(frozen=True, slots=True)
class Deposit:
    """Digests (hex) and sizes (bytes) of a file and of its ciphertext."""

    sha256: str
    size: int
    ciphertext_sha256: str
    ciphertext_size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is needed to give a file back as it was."""

    entry_id: str
    root_id: str
    root_path: str
    relpath: str
    sha256: str
    size: int
    ciphertext_sha256: str
    ciphertext_size: int
    uid: int
    gid: int
    mode: int
    atime_ns: int
    mtime_ns: int
    sealed_xattrs: str
    """See `agent.attributes`; empty if there are none."""
    deposited_at: float
    version: int = 1
    xattrs_sha256: str = ""


class Vault:
    """The deposit side, for one keeper. `directory` holds `tmp/` and `entries/`, both 0700."""

    def __init__(
        self, directory: Path, recipients: Sequence[str], reserve_bytes: int, capacity_bytes: int = 0
    ) -> None:
        self.directory = directory
        self.reserve_bytes = reserve_bytes
        self.capacity_bytes = capacity_bytes
        """0: as much as the disk has."""
        self._recipients = parse_recipients(recipients)

    def deposit(
        self,
        entry_id: str,
        source: Source,
        now: float,
        while_working: Callable[[], None] = lambda: None,
        was_held: Callable[[], bool] = lambda: False,
        *,
        may_place: Callable[[], bool] = lambda: True,
        may_stay: Callable[[], bool] = lambda: True,
        ahead: Sealed | None = None,
    ) -> Deposit:
        """Encrypt the source into the vault, durably; raises `DepositFailed`.

        `while_working` is called about once for each block read; what it raises ends the deposit.
        `was_held` says after the reading whether nobody can have had the file open for writing since before
        it: a lease proves that, and without one all is read a second time. What was sealed `ahead` is taken
        if the source, read again now, has its content. `may_place` is asked when all is on the disk, and has
        no name among the entries yet; `may_stay` at the very end.
        """
        self._check_room(source.status.st_size)
        tmp = self.directory / "tmp" / _checked(entry_id)
        try:
            deposit = self._deposit(tmp, entry_id, source, now, while_working, was_held, ahead)
            if not may_place():
                raise DepositFailed("revoked")
            with vault_faults():
                self._place(tmp, entry_id, may_stay)
            return deposit
        except BaseException:
            for leftover in (tmp, tmp.with_suffix(".json")):
                with suppress(OSError):
                    leftover.unlink()
            raise

    def seal_ahead(self, source: Source) -> Sealed | None:
        """What `deposit` may need, if that can be had cheaply. Nothing of it is on the disk."""
        return seal_ahead(source, self._recipients)

    def discard(self, entry_id: str) -> None:
        """Forget an entry that never came into custody. A missing one is no error."""
        for path in _places(self.directory, entry_id):
            path.unlink(missing_ok=True)

    def _check_room(self, size: int) -> None:
        room = os.statvfs(self.directory)
        needed = size + size // 4096 + 8192  # age adds 16 bytes to each 64 KiB, and its header
        if room.f_bavail * room.f_frsize - needed < self.reserve_bytes:
            raise DepositFailed("vault_full")
        if self.capacity_bytes:
            with os.scandir(self.directory / "entries") as entries:
                held = sum(entry.stat(follow_symlinks=False).st_size for entry in entries)
            if held + needed > self.capacity_bytes:
                raise DepositFailed("vault_full")

    def _deposit(
        self,
        tmp: Path,
        entry_id: str,
        source: Source,
        now: float,
        while_working: Callable[[], None],
        was_held: Callable[[], bool],
        ahead: Sealed | None,
    ) -> Deposit:
        with (
            _creating(tmp) as file,
            _creating(tmp.with_suffix(".json")) as beside,
            closing(DigestBehind()) as digest,
            closing(DigestBehind()) as another,
        ):
            cipher = DurableWriter(file, digest=Known(ahead.ciphertext_sha256) if ahead else another)
            if ahead is not None:
                cipher.write(ahead.ciphertext)
                sha256, size = ahead.sha256, source.status.st_size
            else:
                plain = PositionalReader(source.fd, source.status.st_size, while_working, digest)
                encrypt(plain, cipher, self._recipients)
                sha256, size = plain.digest.hexdigest(), plain.offset
            cipher.end()
            same = (ahead is None and was_held()) or reads_as(source, sha256, while_working)
            deposit = Deposit(sha256, size, cipher.digest.hexdigest(), cipher.size)
            after = os.fstat(source.fd)
            same = (
                same and same_content(source.status, after) and after.st_ctime_ns == source.status.st_ctime_ns
            )
            if not same or deposit.size != source.status.st_size:
                raise DepositFailed("changed")
            manifest = DurableWriter(beside)
            manifest.write(json.dumps(asdict(self._manifest(entry_id, source, deposit, now))).encode())
            manifest.end()
            cipher.finish()  # one commit of the journal may serve for both
            manifest.finish()
        return deposit

    def _place(self, tmp: Path, entry_id: str, may_stay: Callable[[], bool]) -> None:
        """Give finished work its names, durably; what has one already when that fails is waste."""
        ciphertext_path, manifest_path = _places(self.directory, entry_id)
        if ciphertext_path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        try:
            tmp.with_suffix(".json").rename(manifest_path)
            tmp.rename(ciphertext_path)
            sync_folder(ciphertext_path.parent)
            if not may_stay():
                raise DepositFailed("changed")
        except BaseException:
            self.discard(entry_id)
            raise

    def _manifest(self, entry_id: str, source: Source, deposit: Deposit, now: float) -> Manifest:
        status = source.status
        sealed, digest = seal_those_of(source.fd, self._recipients)
        return Manifest(
            entry_id=entry_id,
            root_id=source.root_id,
            root_path=source.root_path,
            relpath=source.relpath,
            **asdict(deposit),
            uid=status.st_uid,
            gid=status.st_gid,
            mode=stat.S_IMODE(status.st_mode),
            atime_ns=status.st_atime_ns,
            mtime_ns=status.st_mtime_ns,
            sealed_xattrs=sealed,
            deposited_at=now,
            xattrs_sha256=digest,
        )


def parse_recipients(lines: Sequence[str]) -> list[Any]:
    """Recipients for pyrage out of public keys: `age1…` or `ssh-…`. Raises `BadRecipient`."""
    recipients: list[Any] = []
    for number, line in enumerate(lines, 1):
        key = line.strip()
        kind = pyrage.ssh.Recipient if key.startswith("ssh-") else pyrage.x25519.Recipient
        try:
            recipients.append(kind.from_str(key))
        except pyrage.RecipientError:
            raise BadRecipient(f"recipient {number} is neither an age nor an ssh public key") from None
    if not recipients:
        raise BadRecipient("no recipient")
    return recipients


# --- reading, for `quarantine list | verify | restore` and for recovery


def manifests(directory: Path) -> Iterator[Manifest]:
    """All entries' manifests, in the order of their names; damaged ones are left out (see `verify`)."""
    for path in sorted((directory / "entries").glob("*.json")):
        with suppress(VaultError):
            yield manifest(directory, path.stem)


def manifest(directory: Path, entry_id: str) -> Manifest:
    """One entry's manifest; raises `VaultError`."""
    return manifest_at(_places(directory, entry_id)[1], entry_id)


def manifest_at(path: Path, entry_id: str) -> Manifest:
    """The manifest in a file, if it is that of this entry; raises `VaultError`."""
    try:
        with path.open("rb") as file:
            plain = json.loads(file.read(MAX_MANIFEST_BYTES))
        found = Manifest(**plain)
    except (OSError, ValueError, TypeError):
        raise VaultError("the manifest is missing or damaged") from None
    if found.entry_id != entry_id or found.version != 1:
        raise VaultError("the manifest is of another entry or another version")
    return found


def verify(
    directory: Path,
    entry_id: str,
    ciphertext_sha256: str | None = None,
    while_working: Callable[[int], None] = lambda size: None,
) -> None:
    """Check an entry's ciphertext as far as it can be without the key; raises `VaultError`.

    The digest is held against `ciphertext_sha256` (the ledger's), else the manifest's. `while_working`
    is told the size of each block read, in bytes.
    """
    if ciphertext_sha256 is None:
        ciphertext_sha256 = manifest(directory, entry_id).ciphertext_sha256
    digest = hashlib.sha256()
    try:
        with _places(directory, entry_id)[0].open("rb") as file:
            if file.read(len(_HEADER)) != _HEADER:
                raise VaultError("not an age file")
            digest.update(_HEADER)
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
                while_working(len(block))
    except OSError:
        raise VaultError("the ciphertext is missing or cannot be read") from None
    if digest.hexdigest() != ciphertext_sha256:
        raise VaultError("the ciphertext was changed")


def decrypt_to(directory: Path, entry_id: str, identities: Sequence[Any], fd: int) -> Manifest:
    """Write an entry's content to `fd` and check its digest.

    Raises `VaultError`; what is in `fd` is then worth nothing.
    """
    found = manifest(directory, entry_id)
    decrypt_file(_places(directory, entry_id)[0], found.sha256, identities, fd)
    return found


def decrypt_file(path: Path, sha256: str, identities: Sequence[Any], fd: int) -> None:
    """The same for a ciphertext anywhere, whose content must have this digest."""
    plain = DurableWriter(io.FileIO(fd, "wb", closefd=False), durable=False)
    try:
        with path.open("rb") as file:
            pyrage.decrypt_io(file, plain, identities)
        plain.finish()
    except pyrage.DecryptError:
        raise VaultError("damaged, or not encrypted for this identity") from None
    except OSError as error:
        raise VaultError(f"reading or writing failed: {os.strerror(error.errno or 0)}") from None
    if plain.digest.hexdigest() != sha256:
        raise VaultError("the content is not what was taken")


def unseal_xattrs(found: Manifest, identities: Sequence[Any]) -> dict[str, bytes]:
    """The extended attributes of an entry; raises `VaultError`."""
    try:
        return named(unseal(found.sealed_xattrs, found.xattrs_sha256, identities))
    except BadAttributes as error:
        raise VaultError(str(error)) from None


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _checked(entry_id: str) -> str:
    if not _ENTRY_ID.fullmatch(entry_id):
        raise VaultError("not an entry id")
    return entry_id


def _places(directory: Path, entry_id: str) -> tuple[Path, Path]:
    """(ciphertext, manifest)."""
    entries = directory / "entries"
    return entries / f"{_checked(entry_id)}.age", entries / f"{entry_id}.json"


def _creating(path: Path) -> io.FileIO:
    with vault_faults():
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    return io.FileIO(fd, "wb")
