"""The supervisor's end of the hold: which drives are held, by whom, and what their holders are told.

With `[watch.hold]`, a holder (`agent.holder`, one for each drive, beside its keeper) has the kernel ask
before a file of the drive is opened. What was judged as it is now opens at once; whoever opens anything else
waits until it is judged, `seconds` at most. The holder counts that time itself, so neither a keeper nor a
supervisor that hangs can keep anybody waiting; a holder that is silent is killed, and then the kernel lets
all through.

    holder                             supervisor
    ready   fault ("" if it holds)
    look    files that are waited for -> their standing: open | taken | wait
    beat
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from agent import alerts
from agent.ledger import Ledger
from agent.loop import Loop
from agent.post import Post
from agent.protocol import MAX_PACKET_BYTES, Identity
from agent.schema import EntryState
from agent.telling import Teller
from agent.volumes import WatchedRoot, is_drive

OFF, STARTING, HELD = "off", "starting", "held"
HOLDING = (OFF, STARTING, HELD)
"""What `hold` says of a root where nothing is wrong."""
START_SECONDS = 60.0
"""A holder that has not begun keeps nobody waiting; a busy machine may take long to start it."""
RESTART_SECONDS, RESTART_MOST_SECONDS = 0.1, 60.0
_MOST_WISHES = 1000


@dataclass(slots=True)
class _Hold:
    post: Post
    process: subprocess.Popen[bytes]
    sock: socket.socket
    seconds: float
    heard_at: float
    failures: int
    wishes: dict[tuple[Any, ...], None] = field(default_factory=dict)
    """What a keeper was asked to judge, so that it is not asked again."""


class Holds:
    """One for the service. `begin` and `end` may be called again at any time."""

    def __init__(self, loop: Loop, teller: Teller, ledger: Ledger, say: Callable[[str], None]) -> None:
        self._loop = loop
        self._teller = teller
        self._ledger = ledger
        self._say = say
        self._holds: dict[str, _Hold] = {}

    def begin(self, post: Post) -> None:
        """Hold the post's root, if it is a drive and that is wanted. Called whenever a keeper has come."""
        # by mounts only: a folder lies on a file system of which we do not know who needs it, we among them
        wanted = post.root.origin == "volume" and is_drive(post.root)
        if self._teller.settings.watch.hold.enabled and wanted and post.root.root_id not in self._holds:
            self._start(post, 0)

    def _start(self, post: Post, failures: int) -> None:
        hold = self._teller.settings.watch.hold
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        order = {
            "path": post.root.path, "device": post.root.device, "seconds": hold.seconds,
            "open_after": hold.then == "open", "own": os.getpid(),
        }  # fmt: skip
        post.hold_state = STARTING
        with theirs:
            try:
                process = subprocess.Popen(
                    [sys.executable, "-I", "-m", "agent.holder", str(theirs.fileno())],
                    pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, cwd="/",
                )  # fmt: skip
            except OSError as error:
                ours.close()
                post.hold_state = f"the holder cannot be started: {error.strerror}"
                return
        held = _Hold(post, process, ours, hold.seconds, time.monotonic(), failures)
        self._holds[post.root.root_id] = held
        self._loop.watch(ours, lambda: self._heard(held))
        self._send(held, order)
        self._loop.after(patience(hold.seconds), lambda: self._check(held))

    def _send(self, held: _Hold, order: dict[str, Any]) -> None:
        try:
            held.sock.send(json.dumps(order).encode())
        except OSError:
            self._lost(held)

    def _heard(self, held: _Hold) -> None:
        try:
            packet = held.sock.recv(MAX_PACKET_BYTES)
        except BlockingIOError:
            return
        except OSError:
            packet = b""
        if not packet:
            self._lost(held)
            return
        held.heard_at = time.monotonic()
        told = json.loads(packet)
        match told["say"]:
            case "ready":
                self._ready(held, str(told["fault"]))
            case "look":
                files = [Identity(*one) for one in told["files"]]
                root = held.post.root
                found = standings(self._ledger, root, self._teller.digest(root), files)
                self._wish(held, [f for f, standing in zip(files, found, strict=True) if standing == "wait"])
                self._send(held, {"standings": found})

    def _ready(self, held: _Hold, fault: str) -> None:
        held.post.hold_state = fault or HELD
        if not fault:
            held.failures = 0
            return
        self._say(f"root {held.post.root.root_id} cannot be held: {fault}")
        self._drop(held)

    def _wish(self, held: _Hold, files: Sequence[Identity]) -> None:
        for file in files:
            wish = (held.post.pid, *asdict(file).values())
            if wish not in held.wishes and held.post.look(file.relpath):
                held.wishes[wish] = None
                if len(held.wishes) > _MOST_WISHES:
                    held.wishes.pop(next(iter(held.wishes)))

    def _check(self, held: _Hold) -> None:
        """Whether the holder still says that it lives: who waits for it must not wait longer than allowed."""
        if not self._is_on(held):
            return
        allowed = START_SECONDS if held.post.hold_state == STARTING else patience(held.seconds)
        if time.monotonic() - held.heard_at > allowed:
            self._lost(held)
        else:
            self._loop.after(patience(held.seconds) / 4, lambda: self._check(held))

    def _is_on(self, held: _Hold) -> bool:
        return self._holds.get(held.post.root.root_id) is held

    def _lost(self, held: _Hold) -> None:
        if not self._is_on(held):
            return
        self._drop(held)
        held.post.hold_state = STARTING
        self._say(f"the holder of {held.post.root.root_id} died or hung: whoever waited was let through")
        wait = min(RESTART_MOST_SECONDS, RESTART_SECONDS * 2.0**held.failures)
        self._holds[held.post.root.root_id] = held  # so that nobody else begins, and `end` is heard

        def again() -> None:
            if self._is_on(held):
                del self._holds[held.post.root.root_id]
                self._start(held.post, min(held.failures + 1, 16))

        self._loop.after(wait, again)

    def _drop(self, held: _Hold) -> None:
        self._holds.pop(held.post.root.root_id, None)
        self._loop.unwatch(held.sock)
        held.sock.close()
        held.process.kill()
        try:
            held.process.wait(0.5)
        except subprocess.TimeoutExpired:
            held.post.abandoned.append(held.process)

    def end(self, post: Post) -> None:
        """Let all through from now on."""
        if (held := self._holds.get(post.root.root_id)) is not None:
            self._drop(held)
        post.hold_state = OFF


def patience(seconds: float) -> float:
    """How long a holder may be silent: killed then, it has kept nobody longer than `seconds`."""
    return seconds / 2


def standings(ledger: Ledger, root: WatchedRoot, digest: str, files: Sequence[Identity]) -> list[str]:
    """For each file: `open` (judged as it is now, or not ours), `taken` (in custody, and soon gone) or
    `wait` (not judged yet)."""
    unseen = set(ledger.unseen(root.root_id, files, digest))
    found = []
    for index, file in enumerate(files):
        if index not in unseen or root.is_elsewhere(file.relpath):
            found.append("open")
        else:
            known = ledger.alert_about(alerts.file_key(root.root_id, file))
            entry = ledger.entry(known.entry_id) if known is not None and known.entry_id else None
            taken = entry is not None and entry.state in (EntryState.VAULTED, EntryState.QUARANTINED)
            found.append("taken" if taken else "wait")
    return found
