"""The audit log: one JSON object a line, each chained to the one before by its digest.

    {"sequence": 7, "number": 12, "time": 1700000000.0, "event": "quarantined", …, "prev": HEX, "digest": HEX}

`digest` is the SHA-256 of the line's object without `digest` (keys sorted, no spaces, ASCII); `prev`
is the digest of the line before, 64 zeros for the first. `number` is the event's number in the
ledger's queue: events are committed there with what they tell of, and then written here in order, so
that none is lost or doubled whatever dies between. Paths are in it, contents never. The ledger keeps
the head of the chain, so that a log that was cut off shows as well.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Self

from agent.ledger import Ledger, LedgerError

ZERO = "0" * 64
_HEAD = "audit_head"
_TAIL_BYTES = 1 << 20
DRAIN_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Head:
    """The last line of a log: how many lines there are, and the digest that the next one continues."""

    sequence: int = 0
    digest: str = ZERO
    number: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a log. `line` counts from 1 as an editor does."""

    line: int
    kind: str
    """`changed`, `removed`, `reordered`, `unreadable` or `cut_off`."""
    detail: str


def digest_of(plain: dict[str, Any]) -> str:
    """The digest that a line must carry."""
    told = {k: v for k, v in plain.items() if k != "digest"}
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class AuditLog:
    """Appends what waits in the ledger's queue. Only the supervisor holds one."""

    def __init__(self, file: IO[bytes], head: Head, ledger: Ledger, path: Path) -> None:
        self._file = file
        self._path = path
        self._ledger = ledger
        self.head = head
        self._soon = False

    @classmethod
    def open(cls, path: Path, ledger: Ledger) -> Self:
        """Take up the log where it ends. A last line that a power cut tore is set right by the queue,
        because nothing leaves the queue before its line is on the disk."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            file = os.fdopen(os.open(path, flags, 0o600), "r+b", buffering=0)
            head = _take_up(file)
        except (OSError, ValueError, KeyError) as error:
            raise LedgerError(f"the audit log {path} cannot be taken up: {error}") from error
        stored = stored_head(ledger)
        if stored is not None and stored.sequence >= head.sequence:
            # Were a log that was cut off simply taken up where it ends, the next line would hide the gap.
            head = replace(stored, number=head.number)
        log = cls(file, head, ledger, path)
        log.drain()
        return log

    def drain_soon(self, after: Callable[[float, Callable[[], None]], object]) -> None:
        """Have `after` drain in a moment: events wait in the ledger, which has them for good, for those that
        belong to them, and what waits for an answer need not wait for the log."""
        if not self._soon:
            self._soon = True
            after(DRAIN_SECONDS, self.drain)

    def drain(self) -> None:
        """Write what waits. Raises `LedgerError`: a service that cannot account for itself must stop."""
        self._soon = False
        waiting = self._ledger.audit_waiting()
        if not waiting:
            return
        lines = []
        head = self.head
        for number, event in waiting:
            if number <= head.number:
                continue  # it was written before the last stop
            plain = {
                "sequence": head.sequence + 1,
                "number": number,
                **event,
                "prev": head.digest,
            }
            plain["digest"] = digest_of(plain)
            lines.append(json.dumps(plain, separators=(",", ":")).encode() + b"\n")
            head = Head(plain["sequence"], plain["digest"], number)
        try:
            whole = b"".join(lines)
            if whole and self._file.write(whole) != len(whole):
                raise OSError("short write")
            os.fdatasync(self._file.fileno())
        except OSError as error:
            raise LedgerError(f"the audit log cannot be written: {error}") from error
        self.head = head
        self._ledger.audited(waiting[-1][0], {_HEAD: json.dumps([head.sequence, head.digest])})

    def check_in_place(self) -> None:
        """Raises `LedgerError` if the log was deleted or replaced: nobody would ever read what is written."""
        try:
            in_place = os.path.samestat(os.fstat(self._file.fileno()), self._path.lstat())
        except OSError:
            in_place = False
        if not in_place:
            raise LedgerError(f"the audit log {self._path} was removed or replaced while the service ran")

    def close(self) -> None:
        self._file.close()


def _take_up(file: IO[bytes]) -> Head:
    """The head of a log; a torn last line is cut off, a torn log before that is for `verify`."""
    line, torn = last_line(file)
    if torn:
        os.ftruncate(file.fileno(), file.tell() - len(torn))
    if line is None:
        return Head()
    last = json.loads(line)
    return Head(last["sequence"], last["digest"], last["number"])


def last_line(file: IO[bytes]) -> tuple[bytes | None, bytes]:
    """(the last whole line, None if there is none; what stands behind it). The file is left at its end."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL_BYTES))
    whole, newline, torn = file.read().rpartition(b"\n")
    return (whole.rpartition(b"\n")[2] if newline else None), torn


def stored_head(ledger: Ledger) -> Head | None:
    """The head as the ledger remembers it, for `verify`."""
    plain = ledger.meta(_HEAD)
    return Head(*json.loads(plain)) if plain else None


def lines(path: Path) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Each line's number (from 1) and object; None for a line that is no object."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                plain = json.loads(line)
            except ValueError:
                plain = None
            yield number, plain if isinstance(plain, dict) else None


def verify(path: Path, head: Head | None = None) -> tuple[int, list[Fault]]:
    """(how many lines, what is wrong with them). `head` is the ledger's, to find a log cut off."""
    faults: list[Fault] = []
    before = Head()
    count = 0
    for count, plain in lines(path):
        if plain is None or not isinstance(plain.get("sequence"), int) or "digest" not in plain:
            faults.append(Fault(count, "unreadable", "not a line of this log"))
            before = Head(before.sequence + 1, "")
            continue
        faults += _line_faults(count, plain, before)
        if plain["sequence"] > before.sequence:  # one out of order is no link of the chain
            before = Head(plain["sequence"], plain["digest"])
    if head is not None and before.sequence < head.sequence:
        missing = head.sequence - before.sequence
        faults.append(Fault(count, "cut_off", f"{missing} lines are missing at the end"))
    elif head is not None and before.sequence == head.sequence and before.digest != head.digest:
        faults.append(Fault(count, "changed", "the last line is not the one that the ledger remembers"))
    return count, faults


def anchor_faults(path: Path, anchors: Sequence[tuple[int, str]]) -> list[Fault]:
    """Which heads that were kept elsewhere, (sequence, digest), are not in the log as they were told."""
    found = {
        plain["sequence"]: (number, plain.get("digest"))
        for number, plain in lines(path)
        if plain is not None and "sequence" in plain
    }
    faults = []
    for sequence, digest in sorted(set(anchors)):
        number, there = found.get(sequence, (len(found), None))
        if sequence and there != digest:
            kind = "cut_off" if there is None else "changed"
            faults.append(Fault(number, kind, f"entry {sequence} is not what an alert was told of it"))
    return faults


def _line_faults(number: int, plain: dict[str, Any], before: Head) -> list[Fault]:
    sequence = plain["sequence"]
    if digest_of(plain) != plain["digest"]:
        return [Fault(number, "changed", f"the content of entry {sequence} does not fit its digest")]
    if sequence <= before.sequence:
        return [Fault(number, "reordered", f"entry {sequence} stands after entry {before.sequence}")]
    if sequence > before.sequence + 1:
        gone = f"{before.sequence + 1} to {sequence - 1}"
        return [Fault(number, "removed", f"entries {gone} are missing before this line")]
    if plain.get("prev") != before.digest and before.digest:
        return [Fault(number, "changed", f"entry {sequence} does not continue the line before it")]
    return []


def export(path: Path, since: float, until: float) -> Iterator[dict[str, Any]]:
    """The entries of a span of time (seconds since the epoch, `until` excluded), with their chain."""
    for _, plain in lines(path):
        if plain is not None and since <= plain.get("time", 0.0) < until:
            yield plain
