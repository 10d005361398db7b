"""What the supervisor answers to its keepers: the durable side of the story of one file.

Each answer is given only after what it permits, or what it acknowledges, is in the ledger; orders to take
a file permit no more than to read it, and its intent is there with the next answer. The desk
knows no process and no socket, so that every order of messages can be tried.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

from agent import alerts, contact
from agent.authority import Authority, Exemption, place_in
from agent.breaker import Breaker
from agent.herald import Herald
from agent.ledger import Ledger
from agent.others import TAKEN_BY_ANOTHER
from agent.platform.linux_encryption import FSCRYPT
from agent.policy import CIRCUIT_BREAKER, Disposition, Kind, decide
from agent.protocol import (
    RETRIED,
    Done,
    Erased,
    Go,
    Identity,
    Judged,
    MayPlace,
    MayUnlink,
    Message,
    NotVaulted,
    Orders,
    Outcome,
    Passed,
    Removal,
    Swept,
    Unfinished,
    Unseen,
    UnseenAnswer,
    Vaulted,
    Walking,
)  # fmt: skip
from agent.schema import AlertState, Entry, EntryState
from agent.standing import Standing
from agent.telling import Teller
from agent.volumes import WatchedRoot
from agent.walk_answer import walk_answer
from config.settings import Action, Zone
from detectors.engine.verdict import PASSING_FAULTS, Reason, Verdict, verdict_from_trusted

MOST_LEFTOVERS = 200
UNFINISHED_BYTES = 60_000
VAULT_FAULTS = frozenset({"vault_full", "vault_error"})
_UNDER_WAY = (EntryState.VAULTED, EntryState.PUT_BACK)


class Desk:
    """One for the service."""

    def __init__(
        self,
        ledger: Ledger,
        teller: Teller,
        sinks: Callable[[], Sequence[str]],
        say: Callable[[str], None] = lambda text: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._teller = teller
        self._ledger = ledger
        self._sinks = sinks
        self._say = say
        self._clock = clock
        self.breaker = Breaker(ledger, teller, sinks, say, clock)
        self._herald = Herald(lambda: teller.settings.notice)
        self.authority = Authority(ledger, lambda: teller.settings, clock, teller.host.host_id)
        self.vault_fault = ""
        """Why the vault took nothing the last time; "" as soon as it takes something again."""

    def answer(self, root: WatchedRoot, message: Message) -> Message | None:
        """The answer to one message of a root's own keeper; None for what is not for the desk."""
        self._ledger.write_intents()
        match message:
            case Unseen():
                return self._unseen(root, message)
            case Walking():
                return walk_answer(self._ledger, root, self._teller.digest(root), message)
            case Judged():
                return self._judged(root, message)
            case Passed(judged):
                for one in judged:
                    self._judged(root, one)
                return Done()
            case Vaulted():
                return self._vaulted(root, message)
            case NotVaulted():
                return self._not_vaulted(root, message)
            case MayPlace():
                return Go(self._ledger.state(root.root_id, message.entry_id) is EntryState.INTENDED)
            case MayUnlink():
                return Go(self._ledger.state(root.root_id, message.entry_id) is EntryState.VAULTED)
            case Outcome():
                return self._outcome(root, message)
            case Erased(entry_id):
                self._ledger.queue_audit([{"event": "original_erased", "entry": entry_id}])
                return Done()
            case Swept():
                swept = {**asdict(message), "finished_at": self._clock()}
                # what is in a folder that could not be listed was not met, and may be there still
                hidden = {Reason.NO_ACCESS.value, Reason.IO_ERROR.value} & set(message.not_examined)
                self._ledger.swept(root.root_id, swept, all_met=message.complete and not hidden)
                if message.complete and contact.applies(root, self._teller.settings.policy):
                    contact.tell_digest(self._ledger, self._teller.host, root, self._sinks(), self._clock)
                return Done()
        return None

    # -- questions

    def _unseen(self, root: WatchedRoot, message: Unseen) -> UnseenAnswer:
        needed, quiet = self._ledger.meet(root.root_id, message.files, self._teller.digest(root))
        return UnseenAnswer([i for i in needed if not root.is_elsewhere(message.files[i].relpath)], quiet)

    # -- a judgement

    def _judged(self, root: WatchedRoot, message: Judged) -> Orders:
        if root.is_elsewhere(message.identity.relpath):
            return Orders("leave")
        verdict = verdict_from_trusted(message.verdict, self._teller.judge.vocabulary)
        place = _as_file_lies(root, message)
        where = place_in(place, message.identity.relpath)
        agreement = self.authority.agreement(where, layout=verdict.layout, tier=verdict.tier)
        policy, now = self._teller.settings.policy, self._clock()
        disposition = decide(verdict, place.facts, place.volume, agreement, policy, breaker_open=False)
        if disposition.take and self.breaker.is_open(root):  # asked only where it matters: it counts files
            disposition = decide(verdict, place.facts, place.volume, agreement, policy, breaker_open=True)
        old, softened = contact.meet(self._ledger, root, message, disposition, policy, now)
        held = softened is not disposition
        disposition = softened
        if not message.settled and not disposition.take:
            return Orders("settle")
        if disposition.reason == CIRCUIT_BREAKER:
            self.breaker.trip(root)
        if disposition.take:
            if self._stays(root, message):
                self._saw(root, message.identity, verdict, self._teller.digest(root), Kind.NOT_REMOVED)
                return Orders("leave")
            if old:  # it waits no longer; judged again if it cannot be taken
                self._saw(root, message.identity, verdict, "", Kind.QUARANTINED)
            return self._take(root, message, verdict, disposition)
        if disposition.kind is Kind.EXEMPTED:
            relpath, proof = message.identity.relpath, disposition.proof
            self.authority.remember(place_in(root, relpath), relpath, "", disposition.reason, proof)
        if disposition.act is Action.ALERT or disposition.remembered:
            self._tell(place, message, disposition)
        # without a digest it counts as not examined and is judged again by the next sweep: what a passing
        # fault kept from being judged, and what was released and waits for the circuit breaker only
        again = verdict.reason in PASSING_FAULTS or (held and old is Standing.RELEASED)
        standing = Standing.NEW if old is Standing.RELEASED and not held else old
        digest = "" if again else self._teller.digest(root)
        self._saw(root, message.identity, verdict, digest, disposition.kind, standing)
        return Orders("leave")

    def _saw(
        self,
        root: WatchedRoot,
        file: Identity,
        verdict: Verdict,
        digest: str,
        kind: Kind,
        standing: Standing = Standing.NEW,
    ) -> None:
        reason = verdict.reason.value if verdict.reason else ""
        self._ledger.saw(root.root_id, file, digest, verdict.outcome.value, reason, kind.value, standing)

    def _stays(self, root: WatchedRoot, message: Judged) -> bool:
        """Whether this very file is in custody and could not be removed under the policy that is in force.

        It was moved aside and back, which makes it look like another version of itself: were it taken
        again, each try would fill the vault with one more copy and begin the next.
        """
        known = self._ledger.alert_about(alerts.file_key(root.root_id, message.identity))
        if known is None or known.entry_id is None or known.disposition != Kind.NOT_REMOVED.value:
            return False
        same_policy = known.record["data_security"]["policy"]["uid"] == self._teller.digest(root)[:16]
        entry = self._ledger.entry(known.entry_id)
        in_custody = entry is not None and entry.state is EntryState.NOT_REMOVED
        return in_custody and same_policy and known.reason not in RETRIED

    def _take(self, root: WatchedRoot, message: Judged, verdict: Verdict, disposition: Disposition) -> Orders:
        now = self._clock()
        entry = Entry(
            entry_id=str(uuid.uuid4()),
            root_id=root.root_id,
            path=root.path_of(message.identity.relpath),
            identity=message.identity,
            state=EntryState.INTENDED,
            verdict=message.verdict,
            disposition=disposition.to_json(),
            owner_uid=message.owner_uid,
            mode=message.mode,
            observed_at=message.observed_at,
            intended_at=now,
            writer=message.writer,
        )
        self._ledger.intend_soon(entry)
        self._teller.keep_at_hand(entry.entry_id, verdict)
        return Orders("take", entry.entry_id)

    def _tell(self, root: WatchedRoot, message: Judged, disposition: Disposition) -> None:
        """An alert, or a record of what may be there, unless it was told already."""
        known = self._ledger.alert_about(alerts.file_key(root.root_id, message.identity))
        kind = disposition.kind.value
        if known is not None and (known.disposition, known.reason) == (kind, disposition.reason):
            return
        state = AlertState.RELEASED if disposition.act is Action.ALERT else AlertState.RECORDED
        entry = Entry(
            "", root.root_id, root.path_of(message.identity.relpath), message.identity, EntryState.REVOKED,
            message.verdict, disposition.to_json(), message.owner_uid, message.mode, message.observed_at, 0.0,
            writer=message.writer,
        )  # fmt: skip
        row = self._teller.row(root, entry, kind, disposition.reason, state)
        self._ledger.tell(row, self._sinks(), [self._teller.event(kind, row, disposition.reason)])

    # -- custody

    def _vaulted(self, root: WatchedRoot, message: Vaulted) -> Removal:
        entry = self._ledger.entry(message.entry_id)
        if entry is None or entry.root_id != root.root_id or entry.state is not EntryState.INTENDED:
            return Removal("discard")
        place = place_in(root, entry.identity.relpath)
        layout = str(entry.verdict.get("layout") or "")
        exemption = self.authority.exemption(place, message.sha256, layout)
        if exemption is not None:
            self.authority.remember(
                place, entry.identity.relpath, message.sha256, exemption.basis, exemption.proof
            )
            return self._exempt(root, replace(entry, sha256=message.sha256), exemption)
        if not self._is_in_vault(message):
            self._ledger.revoke(entry.entry_id, "not_in_vault")
            return Removal("discard")
        self.vault_fault = ""
        entry = replace(
            entry,
            state=EntryState.VAULTED,
            sha256=message.sha256,
            size=message.size,
            ciphertext_sha256=message.ciphertext_sha256,
            ciphertext_size=message.ciphertext_size,
            aside=f".recordwarden-{uuid.uuid4().hex}",
            vaulted_at=self._clock(),
        )
        # held until the removal has ended; until then nothing is known but that it is in custody
        row = self._teller.row(root, entry, Kind.NOT_REMOVED.value, "under_way", AlertState.HELD)
        self._ledger.commit_custody(
            replace(entry, alert_id=row.alert_id), row, [self._teller.event("vaulted", row, "")]
        )
        return Removal("remove", entry.aside)

    def _is_in_vault(self, message: Vaulted) -> bool:
        path = self._teller.settings.state_dir / "vault" / "entries" / f"{message.entry_id}.age"
        return path.is_file() and path.stat().st_size == message.ciphertext_size

    def _exempt(self, root: WatchedRoot, entry: Entry, why: Exemption) -> Removal:
        row = self._teller.row(root, entry, Kind.EXEMPTED.value, why.basis, AlertState.RECORDED, why.proof)
        self._ledger.revoke(
            entry.entry_id, why.basis, alert=replace(row, entry_id=None),
            events=[self._teller.event("exempted", row, why.basis)],
        )  # fmt: skip
        self._remember(root, entry, Kind.EXEMPTED)
        return Removal("discard")

    def _remember(self, root: WatchedRoot, entry: Entry, kind: Kind) -> None:
        digest, outcome = self._teller.digest(root), str(entry.verdict["outcome"])
        self._ledger.saw(root.root_id, entry.identity, digest, outcome, "", kind.value)

    def _not_vaulted(self, root: WatchedRoot, message: NotVaulted) -> Done:
        entry = self._ledger.entry(message.entry_id)
        if entry is None or entry.root_id != root.root_id or entry.state is not EntryState.INTENDED:
            return Done()
        if message.reason in (*RETRIED, Reason.GONE.value):
            self._ledger.revoke(entry.entry_id, message.reason)
            return Done()
        if message.reason in VAULT_FAULTS and message.reason != self.vault_fault:
            self.vault_fault = message.reason
            self._say(f"THE VAULT TAKES NOTHING ({message.reason}): files of records stay where they are")
        # microdata that could not be taken lies open: that must be told, once for this version of the file
        known = self._ledger.alert_about(alerts.file_key(root.root_id, entry.identity))
        if known is not None and (known.disposition, known.reason) == (Kind.ERROR.value, message.reason):
            self._ledger.revoke(entry.entry_id, message.reason)
            return Done()
        row = self._teller.row(root, entry, Kind.ERROR.value, message.reason, AlertState.RELEASED)
        self._ledger.revoke(
            entry.entry_id, message.reason, alert=replace(row, entry_id=None), sinks=self._sinks(),
            events=[self._teller.event("not_vaulted", row, message.reason)],
        )  # fmt: skip
        return Done()

    def _outcome(self, root: WatchedRoot, message: Outcome) -> Done:
        entry = self._ledger.entry(message.entry_id)
        if entry is None or entry.root_id != root.root_id or entry.state not in _UNDER_WAY:
            return Done()
        removed = message.result == "quarantined"
        if entry.state is EntryState.PUT_BACK:
            # the ciphertext was lost first: what is gone from its place now is gone altogether
            kind, state = Kind.ERROR, EntryState.REVOKED
            reason = "custody_lost" if removed else "put_back"
        else:
            kind = Kind.QUARANTINED if removed else Kind.NOT_REMOVED
            state, reason = EntryState(kind.value), message.reason or ""
        told = replace(entry, notice=message.notice)
        why = reason or entry.disposition["reason"]
        second = reason == TAKEN_BY_ANOTHER and root.facts.zone is Zone.SHARED
        alert_state = AlertState.RECORDED if second else AlertState.RELEASED
        row = self._teller.row(root, told, kind.value, why, alert_state)
        event = self._teller.event(kind.value, row, reason) | {"erased": message.erased}
        self._ledger.conclude(entry.entry_id, state, reason, message.notice, row, self._sinks(), [event])
        if kind is Kind.NOT_REMOVED and reason not in RETRIED:
            self._remember(root, entry, kind)
        if kind is Kind.QUARANTINED and message.notice:
            self._herald.tell(entry.owner_uid, entry.entry_id)
        return Done()

    def give_up_waiting(self, root: WatchedRoot, entry: Entry, reason: str) -> None:
        """A removal that cannot be ended now, because its medium is gone: tell it, keep it unfinished."""
        if entry.alert_id is None:
            return
        held = self._ledger.alert(entry.alert_id)
        if held is None or held.state is not AlertState.HELD:
            return
        row = self._teller.row(root, entry, Kind.NOT_REMOVED.value, reason, AlertState.RELEASED)
        self._ledger.tell(row, self._sinks(), [self._teller.event(Kind.NOT_REMOVED.value, row, reason)])

    def unfinished(self, root_id: str) -> list[Unfinished]:
        """The removals that a new keeper of this root must take up, the oldest first; as many as fit
        into a message, the others wait for the next keeper."""
        states = (EntryState.VAULTED, EntryState.PUT_BACK)
        fitting: list[Unfinished] = []
        room = UNFINISHED_BYTES
        for e in reversed(self._ledger.entries(states=states, root_id=root_id)):
            one = Unfinished(e.entry_id, e.identity, e.sha256, e.aside, "")
            room -= len(json.dumps(asdict(one)))
            if room < 0:
                break
            fitting.append(one)
        return fitting

    def leftovers(self, root_id: str) -> list[str]:
        """Where the last removals that have ended kept their originals meanwhile."""
        ended = (EntryState.QUARANTINED, EntryState.NOT_REMOVED, EntryState.RESTORED)
        entries = self._ledger.entries(states=ended, root_id=root_id, limit=MOST_LEFTOVERS)
        return [e.aside for e in entries if e.aside]


def _as_file_lies(root: WatchedRoot, message: Judged) -> WatchedRoot:
    """The root, with the proof that its file system gave for this one file, if its word counts."""
    if not message.encryption_proof or root.volume.fstype not in FSCRYPT:
        return root
    return replace(root, volume=replace(root.volume, encryption_proof=message.encryption_proof))
