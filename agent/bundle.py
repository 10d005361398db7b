"""Hand-over bundles: entries of a vault in a folder of their own, to be carried to whoever has the key.

    ID.age         the ciphertext, an ordinary age file
    ID.json        its manifest: where it came from, owner, mode, times; no content
    bundle.json    {"bundle": 1, "made_at": TIME, "host_id": ID, "entries": [{entry_id, sha256, size,
                   ciphertext_sha256, ciphertext_size}]}
    SHA256SUMS     digests of all of these, for `sha256sum -c`

`rewrap` makes a bundle out of another one, for other keys. The plain content flows through memory only.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any, Self

import pyrage

from agent.attributes import BadAttributes, seal, unseal
from agent.errors import NotPermitted, Refused, VaultTrouble
from agent.escape import escape
from agent.streams import BLOCK_BYTES, DurableWriter
from agent.vault import Manifest, VaultError, manifest_at, sync_folder

SUMS = "SHA256SUMS"
LIST = "bundle.json"


class Bundle:
    """A new bundle that is being written. Use it as a context manager: nothing stays of one that failed."""

    def __init__(self, folder: Path, host_id: str) -> None:
        """Makes the folder, which must not be there; raises `Refused` or `NotPermitted`."""
        self.folder, self._host_id = folder, host_id
        self._entries: list[Manifest] = []
        self._sums: list[tuple[str, str]] = []
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            raise Refused(f"{escape(folder)} is there already", "name a new folder") from None
        except OSError as error:
            raise NotPermitted(f"{escape(folder)}: {error.strerror}", "name another folder") from None

    def copy(self, entry: Manifest, ciphertext: Path) -> None:
        """Add an entry as it is; raises `VaultTrouble` if the ciphertext is not the one in the manifest."""
        with self._faults(entry), ciphertext.open("rb") as source, self._new(f"{entry.entry_id}.age") as file:
            target = DurableWriter(file)
            while block := source.read(BLOCK_BYTES):
                target.write(block)
            target.finish()
        if target.digest.hexdigest() != entry.ciphertext_sha256:
            raise VaultTrouble(
                f"entry {entry.entry_id}: the ciphertext was changed", "see `quarantine verify`"
            )
        self._add(entry)

    def rewrap(
        self, entry: Manifest, ciphertext: Path, identities: Sequence[Any], recipients: Sequence[Any]
    ) -> Manifest:
        """Add an entry encrypted anew to `recipients`; gives back its manifest. Raises `VaultTrouble`."""
        try:
            attributes = unseal(entry.sealed_xattrs, entry.xattrs_sha256, identities)
            with self._faults(entry), self._new(f"{entry.entry_id}.age") as file:
                target = DurableWriter(file)
                _reencrypt(ciphertext, entry.sha256, identities, recipients, target)
                target.finish()
        except (VaultError, BadAttributes) as error:
            hint = "is it the right key, and is the bundle whole? `sha256sum -c SHA256SUMS` in it"
            raise VaultTrouble(f"entry {entry.entry_id}: {error}", hint) from None
        again = replace(
            entry, ciphertext_sha256=target.digest.hexdigest(), ciphertext_size=target.size,
            sealed_xattrs=seal(attributes, recipients) if attributes else "",
        )  # fmt: skip
        self._add(again)
        return again

    def _add(self, entry: Manifest) -> None:
        name = f"{entry.entry_id}.json"
        self._write(name, json.dumps(asdict(entry)).encode())
        self._sums.append((entry.ciphertext_sha256, f"{entry.entry_id}.age"))
        self._entries.append(entry)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            self._close()
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _close(self) -> None:
        """Write the list and the digests; all of it is on the disk then."""
        kept = ("entry_id", "sha256", "size", "ciphertext_sha256", "ciphertext_size")
        entries = [{name: getattr(e, name) for name in kept} for e in self._entries]
        plain = {"bundle": 1, "made_at": time.time(), "host_id": self._host_id, "entries": entries}
        self._write(LIST, json.dumps(plain, indent=1).encode())
        lines = "".join(f"{digest}  {name}\n" for digest, name in sorted(self._sums, key=lambda s: s[1]))
        self._write(SUMS, lines.encode(), summed=False)
        sync_folder(self.folder)

    def _write(self, name: str, content: bytes, *, summed: bool = True) -> None:
        with self._faults(None), self._new(name) as file:
            target = DurableWriter(file)
            target.write(content)
            target.finish()
        if summed:
            self._sums.append((hashlib.sha256(content).hexdigest(), name))

    def _new(self, name: str) -> io.FileIO:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return io.FileIO(os.open(self.folder / name, flags, 0o600), "wb")

    def _faults(self, entry: Manifest | None) -> _Faults:
        return _Faults(self.folder, entry)


class _Faults:
    """Turns what goes wrong with files into what a person must do about it."""

    def __init__(self, folder: Path, entry: Manifest | None) -> None:
        self._about = f"entry {entry.entry_id}" if entry else escape(folder)

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, FileNotFoundError):
            raise VaultTrouble(
                f"{self._about}: the ciphertext is missing", "see `quarantine verify`"
            ) from None
        if isinstance(error, OSError):
            raise VaultTrouble(
                f"{self._about}: {error.strerror}", "is there room, and may you write?"
            ) from None


def entries_in(folder: Path) -> list[str]:
    """The ids of the entries in a bundle, or in a folder of a vault."""
    return sorted(p.stem for p in folder.glob("*.age"))


def entry_in(folder: Path, entry_id: str) -> tuple[Manifest, Path]:
    """(manifest, ciphertext) of one entry of a bundle; raises `VaultTrouble`."""
    try:
        return manifest_at(folder / f"{entry_id}.json", entry_id), folder / f"{entry_id}.age"
    except VaultError as error:
        raise VaultTrouble(
            f"{escape(folder)} holds no entry {escape(entry_id)}: {error}",
            "give the folder that `recordwarden quarantine export` or `rewrap` made",
        ) from None


def _reencrypt(
    ciphertext: Path, sha256: str, identities: Sequence[Any], recipients: Sequence[Any], target: DurableWriter
) -> None:
    """Decrypt and encrypt at the same time, through a pipe; raises `VaultError` for a wrong content."""
    out, into = os.pipe()
    fault: list[BaseException] = []
    digest = hashlib.sha256()

    def decrypt() -> None:
        try:
            with open(into, "wb", buffering=BLOCK_BYTES) as pipe, ciphertext.open("rb") as source:
                pyrage.decrypt_io(source, pipe, identities)
        except (pyrage.DecryptError, OSError, ValueError) as error:
            fault.append(error)

    thread = threading.Thread(target=decrypt, daemon=True)
    with open(out, "rb", buffering=0) as plain:
        thread.start()
        try:
            pyrage.encrypt_io(_Digesting(plain, digest), target, recipients)
        except pyrage.EncryptError:
            raise target.fault or VaultError("encrypting failed") from None
        finally:
            plain.close()
            thread.join()
    if any(isinstance(error, FileNotFoundError) for error in fault):
        raise VaultError("the ciphertext is missing")
    if fault:
        raise VaultError("damaged, or not encrypted for this identity")
    if digest.hexdigest() != sha256:
        raise VaultError("the content is not what was taken")


class _Digesting:
    """A reader that digests what passes through."""

    def __init__(self, file: IO[bytes], digest: Any) -> None:
        self._file, self._digest = file, digest

    def read(self, most: int = -1) -> bytes:
        block = self._file.read(BLOCK_BYTES if most < 0 else most)
        self._digest.update(block)
        return block
