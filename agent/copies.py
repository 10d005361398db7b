"""Copies of the vault's ciphertext in a folder of the security team: a dead laptop loses nobody's work.

    python -I -m agent.copies VAULT TARGET      ids of entries on standard input, one a line

The target may be on a network and may hang: so a process of its own does it, which may be left behind.
`Copies` is the supervisor's side. A copy is made under another name, checked against the manifest's
digest, synchronised, and only then named; one that is there already, of the same size, is left alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from agent.ledger import Ledger
from agent.loop import Loop
from agent.schema import EntryState
from agent.streams import BLOCK_BYTES
from agent.vault import VaultError, manifest

PATIENCE_SECONDS = 600.0
MOST_AT_ONCE = 200
_KEPT = (EntryState.QUARANTINED, EntryState.NOT_REMOVED)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Copies:
    """Has entries copied that are in custody and not known to be copied yet."""

    def __init__(self, loop: Loop, ledger: Ledger, vault: Path, say: Callable[[str], None]) -> None:
        self._loop, self._ledger, self._vault, self._say = loop, ledger, vault, say
        self._done: set[str] = set()
        self._target: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._begun = 0.0
        self.fault = ""
        """Why entries are not copied, or ""."""

    def status(self, target: Path | None) -> dict[str, Any] | None:
        """`to`, `copied` and `waiting` (how many), `fault`; None if no copies are wanted."""
        if target is None:
            return None
        waiting = len(self._ids() - self._done)
        return {"to": str(target), "copied": len(self._done), "waiting": waiting, "fault": self.fault}

    def step(self, target: Path | None) -> None:
        """Begin what is to be done; call it now and then."""
        if target != self._target:
            self._target, self._done = target, set()
        if target is None:
            return
        if self._process is not None:  # nothing more is begun meanwhile
            if time.monotonic() - self._begun > PATIENCE_SECONDS:
                self._fail("it does not answer")
            return
        wanted = sorted(self._ids() - self._done)[:MOST_AT_ONCE]
        if wanted:
            self._begin(target, wanted)

    def _ids(self) -> set[str]:
        return self._ledger.entry_ids(_KEPT)

    def _begin(self, target: Path, wanted: list[str]) -> None:
        command = [sys.executable, "-I", "-m", "agent.copies", str(self._vault), str(target)]
        try:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/")
        except OSError as error:
            self._fail(error.strerror or "it cannot be started")
            return
        assert process.stdin is not None and process.stdout is not None
        with suppress(BrokenPipeError), process.stdin as asked:
            asked.write("\n".join(wanted).encode())  # less than a pipe takes at once
        self._process, self._begun = process, time.monotonic()
        self._loop.watch(process.stdout, lambda: self._heard(process))

    def _heard(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        told = process.stdout.read()  # one line at its end, and then nothing more
        self._loop.unwatch(process.stdout)
        process.stdout.close()
        process.wait()
        self._process = None
        try:
            found = json.loads(told)
        except ValueError:
            found = {"copied": [], "fault": "it ended without a word"}
        self._done |= set(found["copied"])
        if found["copied"]:
            event = {"event": "copied", "entries": found["copied"], "to": str(self._target)}
            self._ledger.queue_audit([event])
        self._fail(found["fault"])

    def _fail(self, fault: str) -> None:
        if fault and fault != self.fault:
            self._say(f"the vault is not copied to the security team's folder: {fault}")
        self.fault = fault

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()


# --- the process


def copy_all(vault: Path, target: str, ids: list[str]) -> dict[str, Any]:
    """Copy these entries; `copied` are the ids that are there now, `fault` what stood in the way."""
    done: list[str] = []
    try:
        folder = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        return {"copied": done, "fault": error.strerror}
    fault = ""
    for entry_id in ids:
        try:
            digest = manifest(vault, entry_id).ciphertext_sha256
            # the manifest first: a ciphertext that has its name is whole, and can be given back
            _copy(vault / "entries" / f"{entry_id}.json", folder, None)
            _copy(vault / "entries" / f"{entry_id}.age", folder, digest)
            done.append(entry_id)
        except OSError as error:
            fault = error.strerror or "a fault"
        except VaultError as error:
            fault = str(error)
    with suppress(OSError):
        os.fsync(folder)
    os.close(folder)
    return {"copied": done, "fault": fault}


def _copy(source: Path, folder: int, sha256: str | None) -> None:
    with suppress(FileNotFoundError):
        if os.stat(source.name, dir_fd=folder, follow_symlinks=False).st_size == source.stat().st_size:
            return
    part = f"{source.name}.part"
    with suppress(FileNotFoundError):
        os.unlink(part, dir_fd=folder)
    digest = hashlib.sha256()
    with source.open("rb") as plain, os.fdopen(os.open(part, _NEW, 0o600, dir_fd=folder), "wb") as copy:
        while block := plain.read(BLOCK_BYTES):
            digest.update(block)
            copy.write(block)
        copy.flush()
        os.fsync(copy.fileno())
    if sha256 is not None and digest.hexdigest() != sha256:
        os.unlink(part, dir_fd=folder)
        raise VaultError("the ciphertext was changed")
    os.rename(part, source.name, src_dir_fd=folder, dst_dir_fd=folder)


def main(arguments: list[str]) -> None:
    vault, target = arguments
    told = copy_all(Path(vault), target, sys.stdin.read().split())
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
