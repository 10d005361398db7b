"""The examination of one file: sniff, protection, readers, judgement; members of members in turn.

One `Budget` is shared by all that is nested, so nesting buys an attacker nothing. The most severe
part decides the verdict; whatever was not examined to its end keeps the file from being clean.
"""

from __future__ import annotations

import io
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, BinaryIO, TypeVar

from detectors.engine.examined import Examined
from detectors.engine.forms import Forms
from detectors.engine.judge import WITHOUT_AUDITED, FileJudgement, Judge
from detectors.engine.lines import Lines
from detectors.engine.media_types import MEDIA_TYPES, PLAIN, PLAIN_TEXTS, TOLD_BY_THEIR_HEAD, UNKNOWN, Family
from detectors.engine.opaque import looks_random
from detectors.engine.parsers import load, readers
from detectors.engine.pooled import Pooled
from detectors.engine.protection import SCHEMES, protection
from detectors.engine.sniff import preload, sniff
from detectors.engine.streams import read_at, size_of
from detectors.engine.table import (
    Budget,
    Content,
    NeedsHeavy,
    NotPlain,
    Part,
    Protected,
    ReadLimits,
    Table,
    Text,
    Unreadable,
)
from detectors.engine.text import looks_like_text
from detectors.engine.verdict import (
    MAX_ADVISORIES,
    Finding,
    Outcome,
    Polarity,
    Protection,
    Reason,
    Tier,
    Verdict,
)

_Bulk = Callable[[Forms], Lines | int]
Countable = TypeVar("Countable", bound=Sequence[Any])

HEAD_BYTES = 64 * 1024
TAIL_BYTES = 64 * 1024
MOST_WORK, WORK_PER_BYTE = 120_000_000, 0.25
"""Cells or eighths of lines (and a dozen for each row or line) that are looked at in one file: about
a quarter of a minute, and as much again for each half GB of its size. Counted, so that the same bytes stop at
the same place on any machine; the rest is `partial`."""
_ROW_WORK, _PLAIN_WORK, _LINE_SHIFT = 12, 3, 3
_EFFORT = {Family.SHEET: 3, Family.MARKUP: 5, Family.DOCUMENT: 5}
"""How much more work a row is when it is parsed out of XML."""
_ARMOURED = (b"-----", b"$ANSIBLE", b"U2FsdGVkX1")
_UNKNOWN_SIZE = 1 << 62
_SURENESS = {Tier.NONE: 0, Tier.POSSIBLE: 1, Tier.LIKELY: 2, Tier.CONFIRMED: 3}


def vocabulary() -> frozenset[str]:
    """Every code of this side that a verdict may name: media types and protection schemes."""
    return frozenset(MEDIA_TYPES) | SCHEMES | {"protection"}


def warm_up(judge: Judge, heavy: bool) -> None:
    """Import every reader and touch the common ones once, so that no worker has to.

    What is examined here is our own.
    """
    load(heavy)
    table = b"region,year,count\n" + b"North,2024,1200\nSouth,2024,1310\n" * 20
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("a.csv", table)
        out.writestr("b.json", b'[{"region": "North", "count": 1200}]')
        out.writestr("c.txt", b"A line of text.\n" * 10)
    preload()
    for sample in (table, archive.getvalue()):
        examine(io.BytesIO(sample), len(sample), judge, ReadLimits())


def examine(
    stream: BinaryIO,
    size: int,
    judge: Judge,
    limits: ReadLimits,
    *,
    light: bool = False,
    plain_only: bool = False,
) -> Verdict:
    """Say what the file behind `stream` (seekable, `size` bytes) is.

    Raises `NeedsHeavy` only when `light` is set, and `NotPlain` only for `plain_only`.
    Never raises for what is in the file, but for `MemoryError`, which the caller must turn into
    `limit_memory`.
    """
    started = time.monotonic()
    if plain_only and not looks_like_text(read_at(stream, 0, HEAD_BYTES)):
        raise NotPlain
    verdict = _examined(stream, size, judge, limits, light, plain_only)
    if judge.acting is not None and verdict.tier is not Tier.NONE:
        acting = _examined(stream, size, judge.acting, limits, light, plain_only)
        if _SURENESS[acting.tier] < _SURENESS[verdict.tier]:
            advisories = (WITHOUT_AUDITED[acting.tier], *verdict.advisories)
            verdict = replace(verdict, advisories=advisories[:MAX_ADVISORIES])
    return replace(verdict, elapsed_ms=int((time.monotonic() - started) * 1000))


def _examined(
    stream: BinaryIO, size: int, judge: Judge, limits: ReadLimits, light: bool, plain_only: bool
) -> Verdict:
    budget = Budget(limits.max_expanded_bytes, limits.max_entries)
    examination = _Examination(judge, replace(limits, budget=budget), light, size, plain_only)
    if size > limits.max_input_bytes:
        examination.note(Examined((), UNKNOWN, reason=Reason.LIMIT_BYTES))
    else:
        examination.stream(stream, size, (), "")
        examination.together()
    return examination.verdict()


class _Examination:
    """One file under way: the worst part so far, and what all parts together lack."""

    def __init__(
        self, judge: Judge, limits: ReadLimits, light: bool, size: int = 0, plain_only: bool = False
    ) -> None:
        self._judge, self._limits, self._light, self._plain_only = judge, limits, light, plain_only
        self._worst: Examined | None = None
        self._file_type = UNKNOWN
        self._work_left = MOST_WORK + int(size * WORK_PER_BYTE)
        self._unread: Reason | None = None
        self._unfinished = 0
        self._stopped_early = False
        self._advisories: dict[str, None] = {}
        self._pooled = Pooled()

    def note(self, part: Examined) -> None:
        """Take one part's result into account."""
        if self._worst is None or part.severity > self._worst.severity:
            self._worst = part
        self._unread = self._unread or part.reason
        self._advisories |= dict.fromkeys(part.conclusion.advisories)

    @property
    def _settled(self) -> bool:
        return self._worst is not None and self._worst.conclusion.flagged

    def stream(
        self, stream: BinaryIO, size: int | None, position: tuple[int, ...], untrusted_name: str
    ) -> None:
        """Examine one stream and, in turn, what it contains. A size of None is found out if need be."""
        part = Examined(position, UNKNOWN)
        judgement = self._judge.begin()
        part.reason = self._guarded(lambda: self._look(stream, size, untrusted_name, part, judgement))
        if part.reason in (Reason.MALFORMED, Reason.UNSUPPORTED, Reason.OPAQUE) and not judgement.settled:
            # A few bytes of another format before or behind it hide no table of text.
            self._guarded(lambda: self._look_as_text(stream, part, judgement))
        part.conclusion = judgement.conclude()
        self.note(part)
        if position and not judgement.settled:
            judgement.give(self._pooled)

    def together(self) -> None:
        """Judge what is little in each of many members as one: a form for each person, say."""
        if self._pooled and not self._settled:
            found = self._judge.begin(self._pooled).conclude()
            self.note(Examined((), self._file_type, found))

    def _guarded(self, look: Callable[[], None]) -> Reason | None:
        """Why `look` did not come to its end, or None."""
        try:
            look()
        except Unreadable as fault:
            return fault.reason
        except RecursionError:
            return Reason.LIMIT_DEPTH
        except (NeedsHeavy, NotPlain, MemoryError):
            raise
        except Exception:
            # A fault of ours or of a parser; its text may quote the file, so only the code remains.
            return Reason.INTERNAL
        except BaseException as fault:
            if type(fault).__name__ == "PanicException":  # a parser in Rust gave up; pyo3 hides the class
                return Reason.MALFORMED
            raise
        return None

    def _look(
        self,
        stream: BinaryIO,
        size: int | None,
        untrusted_name: str,
        part: Examined,
        judgement: FileJudgement,
    ) -> None:
        if len(part.position) > self._limits.max_depth:
            raise Unreadable(Reason.LIMIT_DEPTH)
        part.media_type, size = self._sniff(stream, size, untrusted_name)
        if not part.position:
            self._file_type = part.media_type
        if self._plain_only and part.media_type not in PLAIN_TEXTS:
            raise NotPlain
        part.protected = protection(stream, size, part.media_type) if size else None
        if part.protected is None and size:
            self._judge_contents(stream, part.media_type, part, judgement)

    def _look_as_text(self, stream: BinaryIO, part: Examined, judgement: FileJudgement) -> None:
        if part.media_type != PLAIN and looks_like_text(read_at(stream, 0, HEAD_BYTES)):
            self._judge_contents(stream, PLAIN, part, judgement)

    def _judge_contents(
        self, stream: BinaryIO, media_type: str, part: Examined, judgement: FileJudgement
    ) -> None:
        contents = self._contents(stream, media_type)
        for content in contents:
            self._content(content, judgement, part)
            if judgement.settled or self._settled:
                self._stopped_early |= self._unfinished > 0 or next(contents, None) is not None
                return

    def _sniff(self, stream: BinaryIO, size: int | None, untrusted_name: str) -> tuple[str, int]:
        """The media type and the size; packed text keeps an unknown one, or it would be unpacked twice."""
        head = read_at(stream, 0, HEAD_BYTES)
        if size is None and len(head) == HEAD_BYTES and not head.startswith(_ARMOURED):
            early = sniff(head, head, _UNKNOWN_SIZE, untrusted_name)
            if early in TOLD_BY_THEIR_HEAD:
                return early, _UNKNOWN_SIZE
        size = size_of(stream) if size is None else size
        tail = read_at(stream, max(0, size - TAIL_BYTES), TAIL_BYTES) if size > HEAD_BYTES else head
        return sniff(head, tail, size, untrusted_name), size

    def _contents(self, stream: BinaryIO, media_type: str) -> Iterator[Content]:
        reader = readers().get(media_type)
        if reader is None:
            unknown = media_type == UNKNOWN and looks_random(stream, size_of(stream))
            raise Unreadable(Reason.OPAQUE if unknown else Reason.UNSUPPORTED)
        if self._light and any(name not in sys.modules for name in getattr(reader, "HEAVY", ())):
            raise NeedsHeavy
        stream.seek(0)
        contents: Iterator[Content] = reader.read(stream, media_type, self._limits)
        return iter(contents)

    def _content(self, content: Content, judgement: FileJudgement, part: Examined) -> None:
        match content:
            case Table():
                content.rows = self._counted(content.rows, 0, _EFFORT.get(MEDIA_TYPES[part.media_type], 1))
                content.bulk = self._counted_bulk(content.bulk)
                judgement.table(content)
            case Text():
                content.lines = self._counted(content.lines, _LINE_SHIFT, 1)
                judgement.text(content)
            case Protected():
                self.note(Examined(part.position, part.media_type, protected=content))
            case Part():
                self._member(content, (*part.position, content.position))

    def _counted(self, rows: Iterator[Countable], shift: int, effort: int) -> Iterator[Countable]:
        """The same rows or lines, as long as the file has work left."""
        self._unfinished += 1
        for row in rows:
            self._work_left -= (_ROW_WORK + (len(row) >> shift)) * effort
            if self._work_left < 0:
                raise Unreadable(Reason.PARTIAL)
            yield row
        self._unfinished -= 1

    def _counted_bulk(self, bulk: _Bulk) -> _Bulk:
        """The same for rows that come many at once and are looked through as lines."""

        def counted(forms: Forms) -> Lines | int:
            found = bulk(forms)
            if isinstance(found, Lines):
                self._work_left -= _PLAIN_WORK * len(found)
                if self._work_left < 0:
                    raise Unreadable(Reason.PARTIAL)
            return found

        return counted

    def _member(self, member: Part, position: tuple[int, ...]) -> None:
        if self._plain_only:
            raise NotPlain
        if member.protected is not None:
            self.note(Examined(position, UNKNOWN, protected=member.protected))
            return
        try:
            stream = member.open()
        except Unreadable as fault:
            self.note(Examined(position, UNKNOWN, reason=fault.reason))
            return
        try:
            self.stream(stream, None, position, member.untrusted_name)
        finally:
            with suppress(Exception):
                stream.close()

    def verdict(self) -> Verdict:
        """The answer for the file as a whole."""
        worst = self._worst
        assert worst is not None
        conclusion = worst.conclusion
        outcome, reason, protected = conclusion.outcome, self._unread, Protection.NONE
        is_told = not self._plain_only or bool(self._advisories)  # docs/decisions/0015
        rank = worst.severity[0]
        if rank in (4, 7):
            assert worst.protected is not None
            strong = worst.protected.strong
            outcome = Outcome.ENCRYPTED
            protected = Protection.STRONG if strong else Protection.WEAK
            reason = Reason.STRONG_ENCRYPTION if strong else Reason.PASSWORD
        elif rank == 6:
            outcome = Outcome.UNREADABLE
            reason = worst.reason
        return Verdict(
            outcome=outcome,
            reason=reason,
            flagged=conclusion.flagged,
            confidence=conclusion.confidence,
            tier=conclusion.tier,
            subject=conclusion.subject,
            records_estimated=conclusion.records_estimated,
            protection=protected,
            media_type=self._file_type,
            complete=self._unread is None and not self._stopped_early and rank != 7,
            member="/".join(map(str, worst.position)) or None,
            advisories=tuple(self._advisories)[:MAX_ADVISORIES],
            findings=conclusion.findings + self._scheme(worst) if is_told else (),
            config_digest=self._judge.digest,
            layout=conclusion.layout,
        )

    def _scheme(self, part: Examined) -> tuple[Finding, ...]:
        """Which protection was met, as evidence."""
        if part.protected is None:
            return ()
        return (Finding("protection", Polarity.AGAINST, part.protected.scheme),)
