"""What the supervisor does for the vault between files: reads it through, and has it copied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from agent.copies import Copies
from agent.ledger import Ledger
from agent.loop import Loop
from agent.telling import Host
from agent.vault_rounds import VaultRounds
from config.settings import Vault

COPY_SECONDS = 30.0
STEP_SECONDS, REST_SECONDS = 1.0, 60.0
"""Between two pieces of a round, and between two looks whether the next round is due."""


class VaultCare:
    """Begun by `start`, whose `settings` gives the vault's settings as they are then."""

    def __init__(
        self,
        loop: Loop,
        ledger: Ledger,
        vault: Path,
        host: Host,
        sinks: Callable[[], Sequence[str]],
        say: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._settings: Callable[[], Vault] = Vault
        self._rounds = VaultRounds(ledger, vault, host, sinks, say)
        self._copies = Copies(loop, ledger, vault, say)

    def start(self, settings: Callable[[], Vault]) -> None:
        self._settings = settings
        self._loop.after(STEP_SECONDS, self._verify)
        self._loop.every(COPY_SECONDS, self._copy)
        self._loop.after(1.0, self._copy)

    def _verify(self) -> None:
        self._rounds.step(self._settings().verify_days)
        self._loop.after(REST_SECONDS if "ended" in self._rounds.round else STEP_SECONDS, self._verify)

    def _copy(self) -> None:
        self._copies.step(self._settings().copy_to)

    def status(self) -> dict[str, Any]:
        """`verified`: the round under way or the last one. `copies`: null if none are wanted."""
        return {"verified": self._rounds.round, "copies": self._copies.status(self._settings().copy_to)}

    def stop(self) -> None:
        self._copies.stop()
