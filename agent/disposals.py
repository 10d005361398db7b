"""Disposals: deleting one entry from the vault, for good, on the word of two people. Never by itself.

First the ledger says that the entry is disposed of and the request used up, in one transaction; then the
ciphertext goes. A crash between the two is finished by recovery, which discards what is disposed of.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

from agent.errors import Refused, VaultTrouble
from agent.ledger import Ledger, WrongState
from agent.recovery import discard
from agent.releases import LONGEST_VALID_SECONDS, RELEASABLE, UNDER_WAY, approved_by, check_approvers
from agent.schema import Entry, RequestRow, RequestState
from agent.statements import BadStatement, Disposal, Envelope, seal
from agent.vault import sync_folder
from config.settings import Settings


class Disposals:
    """One for the service."""

    def __init__(
        self,
        ledger: Ledger,
        settings: Callable[[], Settings],
        host_id: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger, self._settings, self._host_id, self._clock = ledger, settings, host_id, clock

    def request(self, entry: Entry, reason: str, by: str, valid_seconds: float) -> Envelope:
        """A request that two people can sign; raises `Refused`."""
        now = self._clock()
        check_approvers(self._settings().approvers)
        self._check(entry)
        disposal = Disposal(
            request_id=str(uuid.uuid4()),
            host_id=self._host_id,
            entry_id=entry.entry_id,
            sha256=entry.sha256,
            size=entry.size,
            ciphertext_sha256=entry.ciphertext_sha256,
            path=entry.path,
            reason=reason,
            requested_by=by,
            made_at=int(now),
            expires_at=int(now + min(valid_seconds, LONGEST_VALID_SECONDS)),
        )
        try:
            envelope = seal(disposal)
        except BadStatement as error:
            raise Refused(f"that is no request: {error}") from None
        row = RequestRow(
            disposal.request_id, "disposal", entry.entry_id, entry.sha256, envelope.payload,
            RequestState.REQUESTED, now, disposal.expires_at, now,
        )  # fmt: skip
        self._ledger.put_request(row, [_event("disposal_requested", disposal, by)])
        return envelope

    def dispose(self, envelope: Envelope, entry: Entry, by: str) -> RequestRow:
        """Delete the entry that two people have signed for; raises `Refused`."""
        try:
            disposal = envelope.as_kind(Disposal)
        except BadStatement as error:
            raise Refused(str(error)) from None
        if disposal.host_id != self._host_id:
            raise Refused("this request was made on another machine", "use it there")
        row = self._ledger.request(disposal.request_id)
        if row is None or row.payload != envelope.payload:
            raise Refused("this is not a request that was made on this machine", "it may have been edited")
        if row.state is not RequestState.REQUESTED:
            raise Refused(f"this request is {row.state.value}: it cannot be used (again)", "make a new one")
        if self._clock() >= disposal.expires_at:
            raise Refused("this request has expired", "make a new one")
        names = [a.name for a in approved_by(envelope, self._settings().approvers)]
        self._check(entry)
        if entry.sha256 != disposal.sha256 or entry.ciphertext_sha256 != disposal.ciphertext_sha256:
            raise Refused("the entry is not what it was when this was asked for")
        event = _event("disposed", disposal, by) | {"approved_by": names}
        try:
            self._ledger.disposed(entry.entry_id, row.request_id, names, [event])
        except WrongState:
            raise Refused(f"the entry is {entry.state.value}: it cannot be disposed of") from None
        vault = self._settings().state_dir / "vault"
        try:
            discard(vault, entry.entry_id)
            sync_folder(vault / "entries")
        except OSError as error:
            told = f"disposed of, but its ciphertext cannot be deleted yet: {error.strerror}"
            raise VaultTrouble(told, "the next start of the service tries again") from None
        return row

    def tend(self) -> None:
        """End what has expired."""
        for row in self._ledger.requests(states=UNDER_WAY, act="disposal"):
            if self._clock() >= row.expires_at:
                self._ledger.advance(row.request_id, (RequestState.REQUESTED,), RequestState.EXPIRED)

    def _check(self, entry: Entry) -> None:
        if entry.state not in RELEASABLE:
            raise Refused(f"the entry is {entry.state.value}: it cannot be disposed of")
        busy = [
            r for r in self._ledger.requests(states=UNDER_WAY, act="release") if r.entry_id == entry.entry_id
        ]
        if busy:
            raise Refused(
                "the entry is about to be released",
                f"`recordwarden quarantine release cancel {busy[0].request_id}`",
            )


def _event(event: str, disposal: Disposal, by: str) -> dict[str, Any]:
    return {
        "event": event, "request": disposal.request_id, "entry": disposal.entry_id, "sha256": disposal.sha256,
        "path": disposal.path, "reason": disposal.reason, "by": by,
    }  # fmt: skip
