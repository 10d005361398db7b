"""Releases: giving one file back to one place, on the word of two people, once.

The workstation cannot open its vault. So it makes a one-time key for one entry (`state_dir/releases/ID.key`)
and a request; two approvers sign the request; the security team encrypts the entry to the one-time key;
and whoever is root here puts the file in place (`agent.placing`), asking before each step:

    requested --begin--> placing --written--> written --placed--> done
        |                   |  ^                 |
        +--cancel, expiry---+  +---unwritten-----+

Each arrow is one ledger transaction, and `begin` is the last one that looks at signatures: after it the
request is burned for everything but this one file. The key is forgotten as soon as it can serve nothing any
more: overwritten (as far as the disk does that), unlinked, and the folder made durable.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage

from agent.authority import Authority, Place
from agent.errors import NotFound, Refused, VaultTrouble
from agent.ledger import Ledger, WrongState
from agent.schema import AlertRow, Entry, EntryState, RequestRow, RequestState
from agent.signing import NotApproved, both_roles_exist, signers, two_people
from agent.statements import BadStatement, Envelope, Release, seal
from agent.vault import sync_folder
from config.settings import Approver, Settings
from detectors.engine.verdict import Verdict

RELEASABLE = (EntryState.QUARANTINED, EntryState.NOT_REMOVED, EntryState.RESTORED)
UNDER_WAY = (RequestState.REQUESTED, RequestState.PLACING, RequestState.WRITTEN)
LONGEST_VALID_SECONDS = 31 * 86400
LONGEST_HOLD_SECONDS = 366 * 86400
_WHERE = "it may go to a restricted root, an encrypted volume, or where an agreement in force covers it"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for: an entry's content, at an absolute path without links, for a while."""

    entry: Entry
    verdict: Verdict
    place: Place
    holder: str
    purpose: str
    by: str
    valid_seconds: float
    hold_seconds: float


class Releases:
    """One for the service. `folder` holds the one-time keys."""

    def __init__(
        self,
        ledger: Ledger,
        authority: Authority,
        settings: Callable[[], Settings],
        host_id: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger, self._authority, self._settings = ledger, authority, settings
        self._host_id, self._clock = host_id, clock
        self.folder = settings().state_dir / "releases"

    def request(self, wish: Wish) -> Envelope:
        """A request that two people can sign, its key durable. Raises `Refused`."""
        entry, place, now = wish.entry, wish.place, self._clock()
        check_approvers(self._settings().approvers)
        if entry.state not in RELEASABLE:
            raise Refused(f"the entry is {entry.state.value}: there is nothing to give back")
        permitted = self._authority.permission(wish.verdict, place, entry.sha256, wish.verdict.layout)
        if permitted is None:
            raise Refused("policy does not allow this file there", _WHERE)
        request_id = str(uuid.uuid4())
        recipient = self._make_key(request_id)
        release = Release(
            request_id=request_id,
            host_id=self._host_id,
            entry_id=entry.entry_id,
            sha256=entry.sha256,
            size=entry.size,
            recipient=recipient,
            destination=place.path,
            root_id=place.root_id,
            basis=permitted.reason or "policy",
            proof=permitted.proof,
            holder=wish.holder,
            purpose=wish.purpose,
            requested_by=wish.by,
            made_at=int(now),
            expires_at=int(now + min(wish.valid_seconds, LONGEST_VALID_SECONDS)),
            holds_until=int(now + min(wish.hold_seconds, LONGEST_HOLD_SECONDS)),
        )
        try:
            envelope = seal(release)
        except BadStatement as error:
            self._forget_key(request_id)
            raise Refused(f"that is no request: {error}") from None
        beside = f".recordwarden-release-{request_id}"
        row = RequestRow(
            request_id, "release", entry.entry_id, entry.sha256, envelope.payload, RequestState.REQUESTED,
            now, release.expires_at, now,
            detail={
                "destination": place.path, "root_id": place.root_id, "holds_until": release.holds_until,
                "beside": _sibling(place.path, beside), "holder": release.holder,
                "places": [place.known_by, _sibling(place.known_by, beside)],
            },
        )  # fmt: skip
        self._ledger.put_request(row, [self._event("release_requested", release, by=wish.by)])
        return envelope

    def begin(self, envelope: Envelope, entry: Entry, verdict: Verdict, place: Place, by: str) -> RequestRow:
        """Check everything once more and permit the file to be put in place. Raises `Refused`.

        `place` is where the destination lies now. Asked again after an interruption it gives the same order.
        """
        release, row = self._known(envelope, Release)
        if row.state is RequestState.WRITTEN:
            return row
        if row.state not in (RequestState.REQUESTED, RequestState.PLACING):
            raise Refused(f"this request is {row.state.value}: it cannot be used (again)", "make a new one")
        if self._clock() >= release.expires_at:
            raise Refused("this request has expired", "make a new one")
        who = approved_by(envelope, self._settings().approvers)
        if entry.state not in RELEASABLE or entry.sha256 != release.sha256:
            raise Refused("the entry is not what it was when this was asked for")
        if place.root_id != release.root_id:
            raise Refused("another volume or root lies at the destination now", "make a new request")
        permitted = self._authority.permission(verdict, place, release.sha256, verdict.layout)
        if permitted is None:
            raise Refused("policy does not allow this file there any more", _WHERE)
        if row.state is RequestState.REQUESTED:
            names = tuple(a.name for a in who)
            event = self._event("release_approved", release, by=by) | {
                "approved_by": list(names), "basis": permitted.reason, "proof": permitted.proof,
            }  # fmt: skip
            self._ledger.advance(
                row.request_id, (RequestState.REQUESTED,), RequestState.PLACING, None, [event], names
            )
        return self.row(row.request_id)

    def written(self, request_id: str, lost: Sequence[str]) -> None:
        """The whole content lies beside its place, without this of its metadata; it may get its name now."""
        row = self.row(request_id)
        detail = {**row.detail, "not_restored": [str(what) for what in lost]}
        self._advance(row, (RequestState.PLACING,), RequestState.WRITTEN, detail)

    def unwritten(self, request_id: str) -> None:
        """It could not get its name, and what lies beside is about to be removed."""
        self._advance(self.row(request_id), (RequestState.WRITTEN,), RequestState.PLACING)

    def placed(self, request_id: str, by: str, alert: AlertRow | None, sinks: Sequence[str]) -> RequestRow:
        """The file has its name: the entry is restored, the request over, the key forgotten."""
        row = self.row(request_id)
        release = Envelope("release", row.payload).as_kind(Release)
        if row.state is not RequestState.DONE:
            event = self._event("released", release, by=by) | {
                "not_restored": row.detail.get("not_restored", []), "approved_by": list(row.approved_by),
            }  # fmt: skip
            try:
                self._ledger.restored(row.entry_id, alert, sinks, [event], request_id=row.request_id)
            except WrongState:
                raise Refused(f"this request is {row.state.value}: nothing was put in place") from None
        self._forget_key(request_id)
        return self.row(request_id)

    def cancel(self, request_id: str, by: str) -> RequestRow:
        """Give a request up before its file is in place."""
        row = self.row(request_id)
        release = Envelope("release", row.payload).as_kind(Release)
        event = self._event("release_cancelled", release, by=by)
        self._advance(
            row, (RequestState.REQUESTED, RequestState.PLACING), RequestState.CANCELLED, None, [event]
        )
        self._forget_key(request_id)
        return self.row(request_id)

    def row(self, request_id: str) -> RequestRow:
        """A release that was asked for on this machine; raises `NotFound`."""
        row = self._ledger.request(request_id)
        if row is None or row.act != "release":
            raise NotFound("no such release was asked for on this machine")
        return row

    def under_way(self) -> list[RequestRow]:
        """Those that are not over."""
        return self._ledger.requests(states=UNDER_WAY, act="release")

    def tend(self) -> None:
        """End what has expired, and forget every key that can serve nothing any more."""
        for row in self.under_way():
            if self._clock() >= row.expires_at and row.state is not RequestState.WRITTEN:
                event = {"event": "release_expired", "request": row.request_id, "entry": row.entry_id}
                self._advance(
                    row, (RequestState.REQUESTED, RequestState.PLACING), RequestState.EXPIRED, None, [event]
                )
        useful = {row.request_id for row in self.under_way()}
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                if path.stem not in useful:
                    forget(path)

    def _known(self, envelope: Envelope, cls: type[Release]) -> tuple[Release, RequestRow]:
        """The request as it was made here, to the byte; raises `Refused`."""
        try:
            release = envelope.as_kind(cls)
        except BadStatement as error:
            raise Refused(str(error)) from None
        if release.host_id != self._host_id:
            raise Refused("this request was made on another machine", "use it there")
        row = self._ledger.request(release.request_id)
        if row is None or row.payload != envelope.payload:
            raise Refused("this is not a request that was made on this machine", "it may have been edited")
        return release, row

    def _advance(self, row: RequestRow, *step: Any) -> None:
        try:
            self._ledger.advance(row.request_id, *step)
        except WrongState:
            raise Refused(f"this request is {row.state.value}") from None

    def _make_key(self, request_id: str) -> str:
        identity = pyrage.x25519.Identity.generate()
        path = self.key_file(request_id)
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(path, flags, 0o600), "w") as file:
                file.write(f"{identity}\n")
                file.flush()
                os.fsync(file.fileno())
            sync_folder(self.folder)
        except OSError as error:
            forget(path)
            raise VaultTrouble(f"the one-time key cannot be kept: {error.strerror}", "see the disk") from None
        return str(identity.to_public())

    def key_file(self, request_id: str) -> Path:
        """Where the one-time key of a request lies."""
        return self.folder / f"{uuid.UUID(request_id)}.key"

    def _forget_key(self, request_id: str) -> None:
        forget(self.key_file(request_id))

    def _event(self, event: str, release: Release, *, by: str) -> dict[str, Any]:
        return {
            "event": event, "request": release.request_id, "entry": release.entry_id,
            "sha256": release.sha256, "path": release.destination, "root": release.root_id,
            "holder": release.holder, "purpose": release.purpose, "basis": release.basis,
            "proof": release.proof, "by": by,
        }  # fmt: skip


def _sibling(path: str, name: str) -> str:
    above, slash, _ = path.rpartition("/")
    return f"{above}{slash}{name}"


def forget(path: Path) -> None:
    """Destroy a key file, durably. Overwriting helps only on media that write in place.

    What cannot be done now (a full or failing disk) is tried again by `tend`; it stops nothing else.
    """
    with suppress(OSError):
        fd = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.write(fd, b"\0" * os.fstat(fd).st_size)
            os.fsync(fd)
        finally:
            os.close(fd)
    with suppress(OSError):
        path.unlink()
        sync_folder(path.parent)


def check_approvers(approvers: Sequence[Approver]) -> None:
    """Refuse to begin what nobody could ever approve."""
    if not both_roles_exist(approvers):
        raise Refused(
            "no two approvers are configured who could sign this",
            "[[approvers]]: an information asset owner and a data protection officer, two people",
        )


def approved_by(envelope: Envelope, approvers: Sequence[Approver]) -> tuple[Approver, Approver]:
    """The two people who approved; raises `Refused`."""
    try:
        return two_people(signers(envelope, approvers))
    except NotApproved as error:
        raise Refused(f"not approved: {error}", "nothing was done; ask the approvers") from None
