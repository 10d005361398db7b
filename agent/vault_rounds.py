"""Is everything in the vault still whole? Read through again and again, a little at a time.

Each entry's ciphertext is held against the digest in the ledger. One round of all entries takes at least
`vault.verify_days`; how far it is lies in the ledger, so that a restart goes on where it was. What is
damaged or missing is told by an alert of its own.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from agent.host_findings import HostFinding, tell
from agent.ledger import Ledger
from agent.posture import HOST_ROOT
from agent.schema import Entry, EntryState, RootRow
from agent.telling import Host
from config.settings import Handling, Zone

STEP_BYTES = 4 << 20  # in one step, so that nothing waits long for the supervisor
_KEY = "vault_round"
_DAY = 86400.0
_KEPT = (EntryState.QUARANTINED, EntryState.NOT_REMOVED, EntryState.RESTORED)


class VaultRounds:
    """`step` does a little; call it about once a second."""

    def __init__(
        self,
        ledger: Ledger,
        vault: Path,
        host: Host,
        sinks: Callable[[], Sequence[str]],
        say: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger, self._vault, self._host = ledger, vault, host
        self._sinks, self._say, self._clock = sinks, say, clock
        stored = ledger.meta(_KEY)
        self.round: dict[str, Any] = json.loads(stored) if stored else {}
        """`started`, `ended` (seconds since the epoch), `after` (the last entry checked), `checked` and
        `of` (how many), `damaged` (ids)."""
        self._entry: Entry | None = None
        self._file: IO[bytes] | None = None
        self._digest = hashlib.sha256()

    def step(self, days: float) -> None:
        """Read a few megabytes on."""
        if "ended" in self.round:
            if self._clock() - self.round["ended"] < days * _DAY:
                return
            self.round = {}
        if not self.round:
            self.round = {"started": self._clock(), "after": "", "checked": 0, "damaged": []}
        if self._entry is None and not self._begin():
            self._end()
            return
        block = self._read()
        if block:
            self._digest.update(block)
        else:
            self._checked()

    def _begin(self) -> bool:
        """Open the next entry; False after the last one."""
        self._entry = self._ledger.entry_after(self.round["after"], _KEPT)
        if self._entry is None:
            return False
        self._digest = hashlib.sha256()
        try:
            self._file = (self._vault / "entries" / f"{self._entry.entry_id}.age").open("rb")
        except OSError:
            self._file = None
        return True

    def _read(self) -> bytes:
        try:
            return self._file.read(STEP_BYTES) if self._file is not None else b""
        except OSError:
            return b""

    def _checked(self) -> None:
        entry, file = self._entry, self._file
        self._entry = self._file = None
        if file is not None:
            file.close()
        assert entry is not None
        self.round["after"] = entry.entry_id
        self.round["checked"] += 1
        if self._digest.hexdigest() != entry.ciphertext_sha256 and self._is_kept_still(entry):
            self.round["damaged"].append(entry.entry_id)
            self._say(f"THE VAULT IS DAMAGED: entry {entry.entry_id} is not what was put there")
            self._tell()
        self._ledger.set_meta(_KEY, json.dumps(self.round))

    def _is_kept_still(self, entry: Entry) -> bool:
        now = self._ledger.entry(entry.entry_id)
        return now is not None and now.state in _KEPT

    def _end(self) -> None:
        self.round["ended"] = self._clock()
        self._ledger.set_meta(_KEY, json.dumps(self.round))
        checked, damaged = self.round["checked"], self.round["damaged"]
        if checked:
            event = {"event": "vault_verified", "checked": checked, "damaged": damaged}
            self._ledger.queue_audit([event])
        self._tell()

    def _tell(self) -> None:
        damaged = self.round["damaged"]
        finding = HostFinding(
            "vault", HOST_ROOT, str(self._vault), "Vault",
            f"{len(damaged)} entries of the vault are damaged or missing", "vault_damaged",
            severity_id=5, facts={"entries": damaged[:100]}, settled=not damaged,
        )  # fmt: skip
        self._ledger.know(RootRow(HOST_ROOT, "/", Zone.LOCAL.value, Handling.UNRESTRICTED.value))
        tell(self._ledger, self._host, finding, self._sinks(), self._clock)
