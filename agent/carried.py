"""Papers that come in a console's bundle, by the courier or in a file: checked, handed in, kept.

The bundle must be signed by the one key that this machine was given when it was enrolled
(`state_dir/console_key`), and must not be older than the last one. That is all the console is trusted
with: each paper counts by the signatures of the approvers in this machine's own configuration, two
people's, and is handed in as a person would on the command line. A release or a disposal only lies ready:
a person here completes it. The last good bundle stays in the ledger and is handed in again at each start
and after each change of the configuration, because who may approve may have changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.agreements import Agreements
from agent.destinations import read_file
from agent.errors import Problem
from agent.ledger import Ledger
from agent.paper_bundle import BadBundle, PaperBundle, key_bytes, open_bundle
from agent.schema import RequestState
from agent.signing import NotApproved, signers, two_people
from agent.statements import (
    Disposal,
    Envelope,
    Release,
    Revocation,
    ScopedException,
    Terms,
    Tuning,
    from_json,
    number_of,
)
from agent.vault import sync_folder
from config.settings import Settings

KEY_FILE = "console_key"
TURN_SECONDS = 0.1
_META = "papers"
_ELSEWHERE = ("elsewhere", "over")
"""What a paper is that does not concern this machine (any more)."""


@dataclass
class _Work:
    """A bundle that is being taken up: what is to be done, and what became of its papers, by their names."""

    bundle: PaperBundle
    document: str
    by: str
    papers: Iterator[tuple[int, Any]]
    requests: dict[str, Envelope] = field(default_factory=dict)
    good: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)


class _NotTaken(Exception):
    def __init__(self, code: str, why: str = "") -> None:
        super().__init__(why or code)
        self.code = code


class Carried:
    """One for the service."""

    def __init__(
        self,
        ledger: Ledger,
        agreements: Agreements,
        host_id: str,
        settings: Callable[[], Settings],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger, self._agreements, self._settings = ledger, agreements, settings
        self.host_id = host_id
        self._clock = clock
        self._requests: dict[str, Envelope] = {}
        self._kept: dict[str, Any] = json.loads(ledger.meta(_META) or "{}")
        self.fault = ""
        """Why the last try brought nothing: a code."""
        self.on_change: Callable[[], None] = lambda: None
        """Called when an agreement, exception or tuning came or ended: what rested on it is judged again."""
        self.later: Callable[[Callable[[], None]], object] = lambda call: call()
        """Goes on with many papers when others have had their turn."""
        self._work: _Work | None = None

    @property
    def key(self) -> str:
        """The console's public key; "" as long as this machine has none."""
        return pinned(self._settings().state_dir)

    @property
    def serial(self) -> int:
        """Of the last good bundle by the key of today; 0 if there is none."""
        return int(self._kept["serial"]) if self._kept.get("key") == self.key else 0

    def to_json(self) -> dict[str, Any]:
        """For `status` and the heartbeat."""
        kept = self._kept if self.serial else {}
        return {
            "serial": self.serial, "made_at": kept.get("made_at"), "taken_at": kept.get("taken_at"),
            "refused": kept.get("refused", {}), "fault": self.fault, "has_key": bool(self.key),
            "busy": self.is_busy,
        }  # fmt: skip

    @property
    def is_busy(self) -> bool:
        """Papers of a bundle are still being handed in."""
        return self._work is not None

    def request(self, request_id: str) -> Envelope | None:
        """The signed paper of a release or disposal that lies ready to be completed."""
        return self._requests.get(request_id)

    def take(self, untrusted: bytes | str, by: str) -> dict[str, Any]:
        """Take a bundle up; raises `BadBundle`, and then nothing has changed but the audit log."""
        try:
            bundle = self._opened(untrusted)
        except BadBundle as bad:
            self._tell_refusal(bad.code, untrusted, by)
            raise
        self.fault = ""
        self._begin(bundle, untrusted if isinstance(untrusted, str) else untrusted.decode("ascii"), by)
        return self.to_json()

    def again(self) -> None:
        """Hand in the last good bundle once more: more may be acceptable now."""
        if self.serial:
            document = self._kept["document"]
            try:
                self._begin(open_bundle(document, self.key), document, str(self._kept["by"]))
            except BadBundle as bad:  # the ledger was edited
                self.fault = bad.code

    def unchanged(self) -> None:
        """The console has nothing newer."""
        self.fault = ""
        if self._kept.get("refused"):
            self.again()

    def _opened(self, untrusted: bytes | str) -> PaperBundle:
        if not (key := self.key):
            raise BadBundle("no_key", "this machine has no key of a console: enrol it (again)")
        bundle = open_bundle(untrusted, key)
        if bundle.serial < self.serial:
            raise BadBundle("older", f"it is older than the last one: {bundle.serial}, not {self.serial}")
        return bundle

    def _tell_refusal(self, code: str, untrusted: bytes | str, by: str) -> None:
        content = untrusted.encode() if isinstance(untrusted, str) else untrusted
        told = {"event": "papers_refused", "code": code, "sha256": hashlib.sha256(content).hexdigest()}
        if self.fault != code:  # a console that goes on with it is told of once
            self._ledger.queue_audit([{**told, "kept": self.serial, "by": by}])
        self.fault = code

    # -- the papers

    def _begin(self, bundle: PaperBundle, document: str, by: str) -> None:
        papers = sorted(enumerate(bundle.untrusted_papers), key=lambda numbered: _is_revocation(numbered[1]))
        self._work = _Work(bundle, document, by, iter(papers))
        self._go_on(self._work)

    def _go_on(self, work: _Work) -> None:
        """A turn's worth of papers: everything else waits for us meanwhile."""
        until = time.monotonic() + TURN_SECONDS
        if work is not self._work:  # a newer bundle came
            return
        for number, untrusted in work.papers:
            self._take_one(work, number, untrusted)
            if time.monotonic() > until:
                self.later(lambda: self._go_on(work))
                return
        self._work, self._requests = None, work.requests
        self._keep(work)

    def _take_one(self, work: _Work, number: int, untrusted: Any) -> None:
        name = f"paper:{number}"
        try:
            envelope = from_json(untrusted)
            name = name_of(envelope)
            self._hand_in(envelope, work)
            work.good.append(name)
        except (_NotTaken, ValueError, Problem, RecursionError) as error:
            code = _code(error)
            if code not in _ELSEWHERE:
                work.refused[name], work.why[name] = code, str(error)

    def _hand_in(self, envelope: Envelope, work: _Work) -> None:
        statement = envelope.statement()
        match statement:
            case Terms() | ScopedException() | Tuning():
                if not self._agreements.has(envelope):
                    self._check_two_people(envelope)
                    self._agreements.hand_in(envelope, work.by)
            case Revocation():
                if not self._agreements.has(envelope):
                    self._agreements.hand_in(envelope, work.by)
            case Release() | Disposal():
                if statement.host_id != self.host_id:
                    raise _NotTaken("elsewhere")
                row = self._ledger.request(statement.request_id)
                if row is None or row.payload != envelope.payload:
                    raise _NotTaken("unknown_request", "not a request that was made on this machine")
                if row.state not in (RequestState.REQUESTED, RequestState.PLACING, RequestState.WRITTEN):
                    raise _NotTaken("over")
                self._check_two_people(envelope)
                work.requests[statement.request_id] = envelope

    def _check_two_people(self, envelope: Envelope) -> None:
        """By the approvers of this machine's own configuration. What one person signed is not taken up."""
        found = signers(envelope, self._settings().approvers)
        try:
            two_people(found)
        except NotApproved as error:
            raise _NotTaken("two_people_needed", str(error)) from None

    def _keep(self, work: _Work) -> None:
        bundle, by = work.bundle, work.by
        before = self._kept if self.serial else {}
        new = [name for name in work.good if name not in before.get("good", ())]
        if new:
            self.on_change()
        events: list[dict[str, Any]] = [
            {"event": "paper_refused", "paper": name, "code": code, "why": work.why[name], "by": by}
            for name, code in work.refused.items()
            if before.get("refused", {}).get(name) != code
        ]
        kept = {"key": self.key, "serial": bundle.serial, "good": work.good, "refused": work.refused}
        if all(before.get(name) == value for name, value in kept.items()):
            return
        told = {"serial": bundle.serial, "made_at": bundle.made_at, "sha256": bundle.digest}
        if new or events or before.get("serial") != bundle.serial:
            count = len(bundle.untrusted_papers)
            events.append({
                "event": "papers_taken", **told, "papers": count, "new": new, "refused": work.refused,
                "key": self.key, "by": by,
            })  # fmt: skip
        self._kept = {**kept, **told, "taken_at": self._clock(), "by": by, "document": work.document}
        self._ledger.set_meta(_META, json.dumps(self._kept), events)


def name_of(envelope: Envelope) -> str:
    """What a paper is called in the audit log."""
    return f"{envelope.kind}:{number_of(envelope.statement())[:64]}"


def pin(state_dir: Path, key: str) -> None:
    """From now on bundles must be signed by this key; durable. Raises `OSError`."""
    beside = state_dir / f".{KEY_FILE}.{os.getpid()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(beside, flags, 0o600), "w") as file:
        file.write(key + "\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(state_dir / KEY_FILE)
    sync_folder(state_dir)


def pinned(state_dir: Path) -> str:
    """The console's key, or ""."""
    try:
        key = read_file(state_dir / KEY_FILE, private=True).strip()
        key_bytes(key)
    except (OSError, ValueError):
        return ""
    return key


def _is_revocation(untrusted: Any) -> bool:
    """Revocations come last: what they revoke may be in the same bundle."""
    kind = untrusted.get("payloadType") if isinstance(untrusted, dict) else None
    return isinstance(kind, str) and "revocation" in kind


def _code(error: Exception) -> str:
    match error:
        case _NotTaken():
            return error.code
        case NotApproved():
            return "signature_refused"
        case Problem():
            return "not_acceptable"
    return "malformed"
