"""A release in one real process, from the approvers' signatures to the key that is forgotten.

Supervisor's steps and the command's work are one process here, so that a fault at any system call of either
can be tried (`custody_rig` says how). What comes before is made once; `fresh` brings it back.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyrage
from custody_rig import CALL, ERRORS, OF_FILES, Fault, attach_strace, fork_held, wait_for

from agent import audit
from agent.audit import AuditLog
from agent.authority import Authority, Place
from agent.ledger import Ledger
from agent.placing import Handed, Order, put_in_place
from agent.policy import RootFacts, VolumeFacts
from agent.protocol import Identity
from agent.releases import Releases, Wish
from agent.schema import AlertRow, AlertState, Entry, EntryState, RequestState, RootRow
from agent.sealing import Source
from agent.service import prepare_state
from agent.statements import Envelope, Release, read
from agent.vault import Vault, manifest, parse_recipients
from config.settings import Handling, Mode, Settings, Zone
from detectors.engine.verdict import Outcome, Subject, Tier, Verdict

LIKELY = Verdict(Outcome.MICRODATA, flagged=True, tier=Tier.LIKELY, subject=Subject.PERSON)
ENTRY_ID = "01234567-entry"
NAME = "survey.csv"


class ReleaseRig:
    """`base` is a folder of its own; `medium` is where the file goes, on whatever file system."""

    def __init__(self, base: Path, medium: Path, approvers: Sequence[Any], sign: Any, content: bytes) -> None:
        self.base, self.root, self.content = base, medium / "root", content
        self.state, self.kept = base / "state", base / "kept"
        self.settings = Settings(state_dir=self.state, approvers=tuple(approvers))
        self.security = pyrage.x25519.Identity.generate()
        self.request, self.rewrapped = base / "request.json", base / "rewrapped.age"
        self.root.mkdir(parents=True)
        self._prepare(sign)

    def _prepare(self, sign: Any) -> None:
        prepare_state(self.settings)
        ledger = Ledger.open(self.state / "ledger.db")
        ledger.attach(RootRow("r1", str(self.root), "shared", "restricted"))
        file = self.root / NAME
        file.write_bytes(self.content)
        file.chmod(0o640)
        fd = os.open(file, os.O_RDONLY)
        try:
            source = Source(fd, os.fstat(fd), "r1", str(self.root), NAME)
            vault = Vault(self.state / "vault", [str(self.security.to_public())], 0)
            deposit = vault.deposit(ENTRY_ID, source, time.time())
        finally:
            os.close(fd)
        file.unlink()
        entry = Entry(
            ENTRY_ID, "r1", str(file), Identity(NAME, 1, 2, 3, 4, 5), EntryState.INTENDED, LIKELY.to_json(),
            {"kind": "quarantined", "proof": ""}, 0, 0, 1.0, 2.0,
        )  # fmt: skip
        held = AlertRow("a1", "k", "r1", ENTRY_ID, str(file), "x", "x", AlertState.HELD, {}, 1.0, 1.0)
        ledger.intend(entry)
        taken = replace(
            entry, sha256=deposit.sha256, size=deposit.size, ciphertext_sha256=deposit.ciphertext_sha256,
            ciphertext_size=deposit.ciphertext_size, vaulted_at=3.0,
        )  # fmt: skip
        ledger.commit_custody(taken, held)
        ledger.conclude(ENTRY_ID, EntryState.QUARANTINED, "", True, None, [])
        found = ledger.entry(ENTRY_ID)
        assert found is not None
        wish = Wish(found, LIKELY, self._place(), "D. Analyst", "x", "uid:0", 86400.0, 86400.0)
        envelope: Envelope = sign(self._releases(ledger).request(wish))
        self.request.write_text(json.dumps(envelope.to_json()))
        once = parse_recipients([envelope.as_kind(Release).recipient])
        self.rewrapped.write_bytes(pyrage.encrypt(self.content, once))
        AuditLog.open(self.state / "audit.jsonl", ledger).close()
        ledger.close()
        shutil.copytree(self.state, self.kept)

    def _place(self) -> Place:
        facts = RootFacts(Zone.SHARED, Handling.RESTRICTED, Mode.ENFORCE)
        return Place(str(self.root / NAME), "r1", True, facts, VolumeFacts())

    def _releases(self, ledger: Ledger) -> Releases:
        authority = Authority(ledger, lambda: self.settings)
        return Releases(ledger, authority, lambda: self.settings, "host-1")

    def fresh(self) -> None:
        """As before the first step."""
        shutil.rmtree(self.state)
        shutil.copytree(self.kept, self.state)
        for path in self.root.iterdir():
            path.unlink()

    def run(self, options: list[str] | None = None) -> int:
        """The release, or what is left of it to do; the exit code, negative for a signal."""
        pid = fork_held(self._work, lambda: None, options is not None)
        tracer = attach_strace(pid, options) if options is not None else None
        code = wait_for(pid, 30)
        if tracer is not None:
            tracer.wait(10)
        return code

    def _work(self) -> None:
        ledger = Ledger.open(self.state / "ledger.db")
        log = AuditLog.open(self.state / "audit.jsonl", ledger)
        releases = self._releases(ledger)
        releases.tend()
        envelope = read(self.request.read_bytes())
        request_id = envelope.as_kind(Release).request_id
        if releases.row(request_id).state is not RequestState.DONE:
            entry = ledger.entry(ENTRY_ID)
            assert entry is not None
            row = releases.begin(envelope, entry, LIKELY, self._place(), "uid:0")
            key = pyrage.x25519.Identity.from_str(releases.key_file(request_id).read_text().strip())
            put_in_place(
                Order(request_id, str(self.root / NAME), row.detail["beside"], "", row.state == "written"),
                manifest(self.state / "vault", ENTRY_ID), Handed(self.rewrapped, ""), [key],
                _Steps(releases, request_id),
            )  # fmt: skip
            releases.placed(request_id, "uid:0", None, [])
        log.drain()
        ledger.close()

    # -- what is looked at afterwards

    def faults_after(self, *, recovered: bool) -> list[str]:
        """What is wrong, in words; nothing must be."""
        wrong = []
        file = self.root / NAME
        if file.exists() and file.read_bytes() != self.content:
            wrong.append("something else than the whole content has the name")
        sealed = self.state / "vault" / "entries" / f"{ENTRY_ID}.age"
        if pyrage.decrypt(sealed.read_bytes(), [self.security]) != self.content:
            wrong.append("the entry does not open from the vault any more")
        if recovered:
            wrong += self._unfinished()
        return wrong

    def _unfinished(self) -> list[str]:
        wrong = []
        if (names := os.listdir(self.root)) != [NAME]:
            wrong.append(f"in the folder: {names}")
        if keys := os.listdir(self.state / "releases"):
            wrong.append(f"keys that are left: {len(keys)}")
        ledger = Ledger.read_only(self.state / "ledger.db")
        [row], entry = ledger.requests(), ledger.entry(ENTRY_ID)
        if row.state is not RequestState.DONE or entry is None or entry.state is not EntryState.RESTORED:
            wrong.append(f"request {row.state}, entry {entry and entry.state}")
        log = self.state / "audit.jsonl"
        wrong += [f"audit log: {f.kind}: {f.detail}" for f in audit.verify(log, audit.stored_head(ledger))[1]]
        told = [line["event"] for _, line in audit.lines(log) if line]
        if told.count("released") != 1 or told.count("release_approved") != 1:
            wrong.append(f"in the audit log: {told}")
        ledger._db.close()
        return wrong


class _Steps:
    def __init__(self, releases: Releases, request_id: str) -> None:
        self._releases, self._request_id = releases, request_id

    def written(self, lost: Sequence[str]) -> None:
        self._releases.written(self._request_id, lost)

    def unwritten(self) -> None:
        self._releases.unwritten(self._request_id)


def points(trace: Path) -> list[Fault]:
    """Every fault that can be tried, out of the trace of a whole run."""
    counts: dict[str, int] = {}
    found: list[Fault] = []
    for line in trace.read_text(errors="replace").splitlines():
        if match := CALL.match(line):
            call = match[1]
            counts[call] = counts.get(call, 0) + 1
            errors = ("kill", *ERRORS) if call in OF_FILES else ("kill",)
            found += [Fault("supervisor", call, counts[call], error) for error in errors]
    return found
