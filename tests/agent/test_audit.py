"""The audit log: complete, in order, and every tampering named by its line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.audit import ZERO, AuditLog, anchor_faults, digest_of, export, stored_head, verify
from agent.ledger import Ledger, LedgerError


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(tmp_path / "ledger.db")
    yield ledger
    ledger.close()


@pytest.fixture
def path(tmp_path: Path, ledger: Ledger) -> Path:
    path = tmp_path / "audit.jsonl"
    log = AuditLog.open(path, ledger)
    for n in range(6):
        ledger.queue_audit([{"event": "quarantined", "path": f"/srv/\udcff{n}\n", "time": float(n)}])
    log.drain()
    log.close()
    return path


def test_an_untouched_log_is_whole(path: Path, ledger: Ledger) -> None:
    assert verify(path, stored_head(ledger)) == (6, [])
    assert path.stat().st_mode & 0o777 == 0o600


Tampering = Callable[[list[bytes]], list[bytes]]


def swapped(lines: list[bytes]) -> list[bytes]:
    lines[2], lines[3] = lines[3], lines[2]
    return lines


def edited(lines: list[bytes]) -> list[bytes]:
    lines[2] = lines[2].replace(b"quarantined", b"allowed")
    return lines


def reforged(lines: list[bytes]) -> list[bytes]:
    from agent.audit import digest_of

    plain = json.loads(lines[2]) | {"event": "allowed"}
    plain["digest"] = digest_of(plain)
    lines[2] = json.dumps(plain).encode() + b"\n"
    return lines


@pytest.mark.parametrize(
    ("tampering", "line", "kind"),
    [
        (edited, 3, "changed"),
        (reforged, 4, "changed"),
        (lambda x: x[:2] + x[3:], 3, "removed"),
        (lambda x: x[1:], 1, "removed"),
        (swapped, 3, "removed"),
        (lambda x: x[:3] + x[2:], 4, "reordered"),
        (lambda x: x[:4], 4, "cut_off"),
        (lambda x: [], 0, "cut_off"),
        (lambda x: [*x[:2], b"{}\n", *x[3:]], 3, "unreadable"),
        (lambda x: [*x[:2], b"\xff\n", *x[3:]], 3, "unreadable"),
    ],
)
def test_tampering_is_found_and_the_line_is_named(
    path: Path, ledger: Ledger, tampering: Tampering, line: int, kind: str
) -> None:
    path.write_bytes(b"".join(tampering(path.read_bytes().splitlines(keepends=True))))
    _, faults = verify(path, stored_head(ledger))
    assert (faults[0].line, faults[0].kind) == (line, kind)


def test_reordering_is_called_so(path: Path) -> None:
    path.write_bytes(b"".join(swapped(path.read_bytes().splitlines(keepends=True))))
    assert "reordered" in {f.kind for f in verify(path)[1]}


def test_events_that_were_committed_but_not_written_come_at_the_next_start(
    path: Path, ledger: Ledger
) -> None:
    ledger.queue_audit([{"event": "late"}])
    AuditLog.open(path, ledger).close()
    assert verify(path, stored_head(ledger)) == (7, [])
    assert ledger.audit_waiting() == []


def test_events_that_were_written_but_not_struck_off_are_not_doubled(path: Path, ledger: Ledger) -> None:
    class Dies(Exception):
        pass

    def die(number: int, head: object) -> None:
        raise Dies

    log = AuditLog.open(path, ledger)
    ledger.queue_audit([{"event": "once"}])
    ledger.audited = die  # type: ignore[method-assign, assignment]
    with pytest.raises(Dies):
        log.drain()
    del ledger.audited
    AuditLog.open(path, ledger).close()
    assert verify(path, stored_head(ledger)) == (7, [])
    assert path.read_text().count('"once"') == 1


def test_a_torn_last_line_is_written_again_whole(path: Path, ledger: Ledger) -> None:
    class Dies(Exception):
        pass

    def die(number: int, head: object) -> None:
        raise Dies

    log = AuditLog.open(path, ledger)
    ledger.queue_audit([{"event": "torn"}])
    ledger.audited = die  # type: ignore[method-assign, assignment]
    with pytest.raises(Dies):
        log.drain()
    del ledger.audited
    path.write_bytes(path.read_bytes()[:-20])
    AuditLog.open(path, ledger).close()
    assert verify(path, stored_head(ledger)) == (7, [])


def test_a_log_that_cannot_be_written_stops_the_service(path: Path, ledger: Ledger) -> None:
    with open("/dev/full", "r+b", buffering=0) as full:
        log = AuditLog.open(path, ledger)
        log._file = full
        ledger.queue_audit([{"event": "x"}])
        with pytest.raises(LedgerError, match="audit log"):
            log.drain()


def test_a_span_of_time_can_be_exported(path: Path) -> None:
    assert [e["time"] for e in export(path, 2.0, 4.0)] == [2.0, 3.0]


@pytest.mark.parametrize("replaced", [False, True])
def test_a_log_that_was_removed_or_replaced_stops_the_service(
    path: Path, ledger: Ledger, replaced: bool
) -> None:
    log = AuditLog.open(path, ledger)
    log.check_in_place()
    path.rename(path.with_name("away"))
    if replaced:
        path.write_bytes(b"")
    with pytest.raises(LedgerError, match="removed or replaced"):
        log.check_in_place()
    log.close()


@pytest.mark.parametrize("left", [0, 3])
def test_a_restart_does_not_hide_that_a_log_was_cut_off(path: Path, ledger: Ledger, left: int) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:left]))
    log = AuditLog.open(path, ledger)
    ledger.queue_audit([{"event": "service_started"}])
    log.drain()
    log.close()
    count, faults = verify(path, stored_head(ledger))
    assert count == left + 1
    assert [(f.line, f.kind) for f in faults] == [(left + 1, "removed")]
    assert f"entries {left + 1} to 6 are missing" in faults[0].detail


def test_a_log_made_anew_does_not_have_what_alerts_were_told(path: Path, ledger: Ledger) -> None:
    told = [(line["sequence"], line["digest"]) for line in map(json.loads, path.read_text().splitlines())]
    assert anchor_faults(path, told) == []
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    before, anew = ZERO, []
    for entry in entries[:-1]:
        made = {**entry, "path": "/elsewhere", "prev": before}
        made["digest"] = before = digest_of(made)
        anew.append(json.dumps(made))
    path.write_text("\n".join(anew) + "\n")
    assert verify(path)[1] == [], "it is whole in itself"
    kinds = [fault.kind for fault in anchor_faults(path, told)]
    assert kinds == ["changed"] * (len(told) - 1) + ["cut_off"]


def test_two_lines_that_changed_places_do_not_accuse_the_next_one(path: Path) -> None:
    entries = path.read_text().splitlines()
    entries[2], entries[3] = entries[3], entries[2]
    path.write_text("\n".join(entries) + "\n")
    assert {fault.line for fault in verify(path)[1]} == {3, 4}
