"""A post: one root, the keeper that stands there, and whether it still does.

    waiting -> probing -> starting -> native | polling | degraded | no_access     as the keeper's beats say
                  |           |          |
                  +-----------+----------+--> waiting     it died, the path is not there, there are too many
                                         +--> stuck       silent for too long: abandoned, then probing again
    ending -> ended

The keeper is a process, because it may hang in the kernel together with its medium. It is then left
behind, its channel closed: whatever it does when it wakes, it can get no permission any more.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from agent.births import Begin, Process
from agent.channel import Channel
from agent.loop import Loop, Timer
from agent.protocol import Beat, ChannelClosed, Hello, Message, Tell
from agent.volumes import WatchedRoot
from detectors.engine.verdict import BadWire

PROBE_SECONDS = 5.0
END_SECONDS = 3.0
RESTART_MOST_SECONDS = 60.0
_LATER_SECONDS = 0.01
ABANDONED_MOST = 3
"""No more keepers of one root are left hanging at a time; then it waits until one of them dies."""

_HERE = Path(__file__).parent


class House(Protocol):
    """What a post needs from the supervisor."""

    loop: Loop
    begin: Begin

    @property
    def stuck_seconds(self) -> float: ...
    @property
    def restart_seconds(self) -> float: ...
    def attach_examiner(self) -> socket.socket: ...
    def born(self, pid: int, root: WatchedRoot) -> None: ...
    def welcome(self, root: WatchedRoot) -> Message: ...
    def arrived(self, post: Post) -> None: ...
    def answer(self, root: WatchedRoot, message: Message) -> Message | None: ...
    def keeper_lost(self, root: WatchedRoot, why: str) -> None: ...
    def found_elsewhere(self, root: WatchedRoot, real_path: str) -> None: ...
    def check_protections(self, root: WatchedRoot, missing: list[str]) -> bool: ...
    def say(self, text: str) -> None: ...


@dataclass(slots=True)
class _Keeper:
    process: Process
    channel: Channel
    heard_at: float
    born_at: float


class Post:
    """One root and its keeper."""

    def __init__(self, root: WatchedRoot, house: House) -> None:
        self.root = root
        self.state = "waiting"
        self.since = time.time()
        self.beat: Beat | None = None
        self.fault = ""
        self.hold_state = "off"
        """Of `agent.hold`: off, starting, held, or why not."""
        self.abandoned: list[Process] = []
        self._house = house
        self._keeper: _Keeper | None = None
        self._probe: subprocess.Popen[bytes] | None = None
        self._timer: Timer | None = None
        self._failures = 0
        self.unseen = False
        """Nobody looked for a while (a keeper was lost): only a sweep finds what came, and no pause may put
        that off."""
        self._ended: Callable[[], None] | None = None

    @property
    def pid(self) -> int | None:
        return self._keeper.process.pid if self._keeper else None

    @property
    def over(self) -> bool:
        return self.state == "ended"

    @property
    def works(self) -> bool:
        """A keeper is there and can reach its root."""
        return self.state in ("native", "polling", "degraded")

    def _become(self, state: str) -> None:
        if state != self.state:
            self.state, self.since = state, time.time()

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._house.loop.after(seconds, call)

    # -- looking at the path, in a process of its own

    def start(self) -> None:
        if self.over or self.state == "ending":
            return
        self.abandoned = [p for p in self.abandoned if p.poll() is None]
        if len(self.abandoned) >= ABANDONED_MOST:
            self._later(self._house.stuck_seconds, self.start)
            return
        if self.state != "stuck":
            self._become("probing")
        try:
            self._probe = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_HERE / "probe.py"), self.root.path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
            )
        except OSError as error:
            self._cannot_start(error)
            return
        assert self._probe.stdout is not None
        self._house.loop.watch(self._probe.stdout, self._probed)
        self._later(PROBE_SECONDS, self._probe_hangs)

    def _cannot_start(self, error: OSError) -> None:
        """No memory or no more processes: that may pass, and is no reason to leave the other roots."""
        self.fault = errno.errorcode.get(error.errno or 0, "EAGAIN")
        self._become("waiting")
        self._again()

    def _drop_probe(self) -> None:
        probe, self._probe = self._probe, None
        if probe is not None and probe.stdout is not None:
            self._house.loop.unwatch(probe.stdout)
            probe.stdout.close()
            probe.kill()
            self._leave_behind(probe)

    def _leave_behind(self, process: Process) -> None:
        """Reap it now if it is dead, else whenever it dies."""
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            self.abandoned.append(process)

    def _probe_hangs(self) -> None:
        self._drop_probe()
        self.fault = "ETIMEDOUT"
        self._become("stuck")
        self._again()

    def _probed(self) -> None:
        assert self._probe is not None and self._probe.stdout is not None
        told = self._probe.stdout.read1(1 << 16)  # type: ignore[attr-defined]
        self._drop_probe()
        try:
            found: dict[str, Any] = json.loads(told)
        except ValueError:
            found = {"fault": "EIO"}
        if not found.get("folder"):
            self.fault = str(found.get("fault", "ENOTDIR"))
            self._become("waiting")
            self._again()
            return
        real_path = os.fsdecode(bytes.fromhex(found["path"]))
        if real_path != self.root.path:
            self._house.found_elsewhere(self.root, real_path)
            return
        self.root = replace(self.root, device=int(found["device"]))
        self._spawn()

    # -- the keeper

    def _spawn(self) -> None:
        channel, theirs = Channel.pair()
        examiner = self._house.attach_examiner()
        with theirs.sock, examiner:
            try:
                process = self._house.begin("agent.keeper", [theirs.fileno(), examiner.fileno()])
            except OSError as error:
                channel.close()
                self._cannot_start(error)
                return
        self._house.born(process.pid, self.root)
        channel.sock.setblocking(False)
        now = time.monotonic()
        self._keeper = _Keeper(process, channel, now, now)
        self.fault = ""
        self._become("starting")
        self._house.loop.watch(channel, self._heard)
        self._later(self._house.stuck_seconds / 4, self._check)

    def _heard(self) -> None:
        keeper = self._keeper
        if keeper is None:
            return
        try:
            message = keeper.channel.receive(0)
            keeper.heard_at = time.monotonic()
            if message is not None:
                self._take(keeper, message)
        except ChannelClosed:
            self._lost("died")
        except (BadWire, ValueError, TypeError, KeyError) as error:
            self._lost(f"spoke nonsense ({type(error).__name__})")

    def _take(self, keeper: _Keeper, message: Message) -> None:
        match message:
            case Hello():
                keeper.channel.send(self._house.welcome(self.root))
                self._house.arrived(self)
                self.unseen = self.unseen and not self.sweep()
            case Beat():
                self.beat = message
                if self.state != "ending":
                    self._become(message.state)
                    if not self._house.check_protections(self.root, message.missing):
                        self._lost("lacks a compulsory protection")
            case _:
                answer = self._house.answer(self.root, message)
                if answer is None:
                    raise ValueError("no question")
                keeper.channel.send(answer)

    def _check(self) -> None:
        keeper = self._keeper
        if keeper is None:
            return
        now = time.monotonic()
        left = keeper.heard_at + self._house.stuck_seconds - now
        if left < 0:
            self._house.say(f"keeper of {self.root.root_id} is stuck with its medium: abandoned")
            self._lost("stuck", stuck=True)
            return
        if now - keeper.born_at > RESTART_MOST_SECONDS:
            self._failures = 0
        self._later(left + _LATER_SECONDS, self._check)  # not before it can be

    def _lost(self, why: str, *, stuck: bool = False) -> None:
        """The keeper is gone, or counts as gone: its intents are revoked before anything else."""
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        self._house.loop.unwatch(keeper.channel)
        keeper.channel.close()
        keeper.process.kill()
        self._leave_behind(keeper.process)
        self._house.keeper_lost(self.root, "ended" if self.state == "ending" else why)
        if self.state == "ending":
            self._finish()
            return
        self.fault, self.unseen = why, True
        if not stuck:
            self._house.say(f"keeper of {self.root.root_id} {why}")
        self._become("stuck" if stuck else "waiting")
        self._again()

    def _again(self) -> None:
        if self.state == "ending":
            self._finish()
            return
        wait = min(RESTART_MOST_SECONDS, self._house.restart_seconds * 2.0**self._failures)
        self._failures = min(self._failures + 1, 16)
        self._later(wait, self.start)

    # -- orders

    def sweep(self) -> bool:
        """Whether there is a keeper to do it."""
        return self._tell("sweep")

    def look(self, relpath: str) -> bool:
        """Have one file judged now; whether there is a keeper to do it."""
        return self._tell("look", relpath)

    def pause(self, paused: bool) -> None:
        """Have routine sweeps wait, or go on."""
        self._tell("pause" if paused else "resume")

    def hold(self, why: str) -> None:
        """Do not begin now; a keeper that is there already stays."""
        if self._keeper is None and self._probe is None:
            self.fault = why

    def hurry(self) -> None:
        """Begin, or if it is waiting for its path, let it look again at once."""
        if self._keeper is None and self._probe is None and self.state in ("waiting", "stuck"):
            self._failures = 0
            self._later(0.0, self.start)

    def end(self, ended: Callable[[], None] = lambda: None) -> None:
        """Let the keeper go; `ended` is called when it has gone, or has been left behind."""
        self._ended = ended
        self._become("ending")
        self._drop_probe()
        if self._keeper is None or not self._tell("end"):
            self._lost("gone")
            self._finish()
            return
        self._later(END_SECONDS, lambda: self._lost("does not end"))

    def _tell(self, do: Any, relpath: str = "") -> bool:
        if self._keeper is None:
            return False
        with suppress(ChannelClosed):
            self._keeper.channel.send(Tell(do, relpath))
            return True
        return False

    def _finish(self) -> None:
        if self.over:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._become("ended")
        if self._ended is not None:
            self._ended()
