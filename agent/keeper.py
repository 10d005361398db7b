"""The process that handles one root: `python -I -m agent.keeper CHANNEL_FD EXAMINER_FD`.

It may hang with its medium; it is then abandoned by the supervisor, which never touches one. One
thread does all the work, the most urgent first: what the supervisor says, files that have settled,
files that a sweep has found, the sweep itself. The root is held open only while there is work.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from agent.canary import Canary
from agent.channel import Channel
from agent.clocks import Clocks
from agent.crew import DONE, Crew, Examines, Fate, later
from agent.examiner import Examiner
from agent.finishing import is_absent
from agent.line import Ended, Line
from agent.opening import RootFolder, RootUnavailable
from agent.others import ASIDE_LOOK_SECONDS, ASIDE_SECONDS, is_aside
from agent.patrol import Patrol
from agent.pipeline import one_file
from agent.protocol import Beat, ChannelClosed, Done, Doubted, Hello, Tell, Welcome
from agent.removal import MediumLost, tidy
from agent.rounds import Rounds
from agent.settle import Settle
from agent.sweep import Surveyed, Sweep
from agent.vault import Vault
from agent.watcher import Cause, Change, FileEvent, Watcher
from detectors.engine.verdict import Reason

DOUBT_SECONDS = 10.0
"""How long a doubt that was put on record is not put there again."""
POLL_SECONDS = 30.0
"""How often the root is swept while not all of it is watched."""
RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
REST_SECONDS = (60.0, 600.0, 3600.0)
"""After a last try, how long the same name has none: a log that never closes is not taken each minute."""
_COSTLY = frozenset({Reason.TIMEOUT, Reason.CRASHED, Reason.BAD_ANSWER, Reason.INTERNAL})
_COSTLY_TRIES = 2
_MOST_NAMES = 10_000
_WATCH_PATIENCE = 1.0
_NO_ROOT_SECONDS = (1.0, 2.0, 5.0, 15.0, 30.0)

T = TypeVar("T")


class Keeper:
    """One root's keeper, once it was welcomed. `run` raises `Ended` or `ChannelClosed` at the end."""

    def __init__(self, welcome: Welcome, channel: Channel, examiner: Examines) -> None:
        self._welcome, self._channel = welcome, channel
        self._line = Line(channel, self.state, paused=welcome.paused)
        self._settle = Settle(welcome.settle_seconds, welcome.quiet_seconds)
        self._rounds = Rounds(
            self._settle, self._line.ask, self._judge, welcome.quiet_seconds, welcome.cursor,
            lambda events, following: self._crew.foresee(events, following, apart=self._tries),
        )  # fmt: skip
        vault = None
        if welcome.recipients:
            vault = Vault(
                Path(welcome.vault_dir), welcome.recipients, welcome.reserve_bytes, welcome.capacity_bytes
            )
        self._patrol = Patrol(welcome.share_seconds) if welcome.share_seconds else None
        self._crew = Crew(
            welcome, self._line.ask, self._line.breathe, examiner, vault, lambda: not len(self._settle)
        )
        self._wake_in, self._wake_out = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._canary = Canary(welcome.canary_seconds)
        self._watcher = Watcher(
            welcome.path, welcome.device, self._wake, os.getpid(), share=welcome.share_seconds > 0
        )
        self._clocks = Clocks()
        self._doubted: dict[Cause, float] = {}
        self._watched = 0
        self._unfinished = list(welcome.unfinished)
        self._leftovers = list(welcome.leftovers)
        self._finish_at: float | None = 0.0
        self._absent, self._absent_until = 0, 0.0
        self._check_at = 0.0
        self._asides: dict[str, float] = {}
        self._tries: dict[str, int] = {}
        self._rests: dict[str, tuple[int, float]] = {}

    def state(self) -> Beat:
        """How things stand with this root."""
        state = "no_access" if self._absent else self._watcher.state
        if state == "native" and self._canary.proof == "missed":
            state = "degraded"
        backlog, canary = len(self._settle) + self._rounds.backlog, self._canary
        return Beat(state, backlog, sorted(self._crew.missing), canary.proof, canary.seen_at)

    def run(self) -> None:
        """The main loop. Whatever ends it, everything is let go of, without touching the medium."""
        self._rounds.want(time.monotonic(), at_once=True, routine=True)
        try:
            while True:
                now = time.monotonic()
                self._line.hear()
                self._line.beat(now)
                self._notice_changes(now)
                if not self._work(now):
                    self._rest()
        finally:
            self._rounds.let_go()
            self._crew.close()
            self._watcher.stop()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # full: awake already
            os.write(self._wake_out, b"!")

    def _notice_changes(self, now: float) -> None:
        self._rounds.paused = self._line.paused
        events, doubts = self._watcher.take()
        for event in [*events, *self._line.wishes()]:
            if not self._canary.met(event):
                self._settle.note(event, now)
        doubts |= self._clocks.look(now)
        if self._settle.overflowed:
            self._settle.overflowed = False
            doubts.add("overflow")
        if self._line.sweep_wanted:
            self._line.sweep_wanted = False
            self._rounds.want(now, at_once=True)
        elif doubts:
            self._rounds.want(now)
        if doubts - {"started"}:
            self._check_at = now
            self._tell_doubts(doubts - {"started"}, now)
        if now >= self._check_at:
            self._check_at = self._line.next_beat  # one awakening for both
            if self._watched:
                self._watcher.check()
                if self._has_moved():
                    self._rounds.want(now, at_once=True)
            if now >= self._rounds.ended_at + self._between_sweeps():
                self._rounds.want(now, routine=True)

    def _tell_doubts(self, doubts: set[Cause], now: float) -> None:
        """Each cause goes on record, but not a thousand times."""
        news = [str(c) for c in sorted(doubts) if now >= self._doubted.get(c, 0.0)]
        self._doubted |= {c: now + DOUBT_SECONDS for c in doubts if c in news}
        if news:
            self._line.ask(Doubted(news), Done)

    def _has_moved(self) -> bool:
        """Whether another folder, or none, is at the root's path now: a watch follows the old one."""
        try:
            found = os.lstat(self._welcome.path)
        except OSError:
            return True
        return (found.st_dev, found.st_ino) != (self._welcome.device, self._watched)

    def _between_sweeps(self) -> float:
        seconds = self._welcome.sweep_seconds
        return seconds if self._watcher.state == "native" else min(seconds, POLL_SECONDS)

    def _work(self, now: float) -> bool:
        """One piece of work, the most urgent one; False if nothing can be done now."""
        due = self._settle.due()
        fresh = due is not None and due <= now
        sweep = self._rounds.due()
        finish = self._finish_at is not None and now >= self._finish_at
        proof = self._watched and (at := self._canary.due) is not None and at <= now
        patrol = self._patrol is not None and self._patrol.next(now) is not None
        wanted = self._rounds.under_way or (sweep is not None and sweep <= now)
        if not (fresh or finish or proof or wanted or patrol) or not self._reach(now):
            return self._crew.erasures.go_on()
        if proof:
            self._prove(now)
            return True
        if finish:
            self._finish(now)
            return True
        event = self._settle.ready(now)
        if event is None:
            return (
                self._crew.erasures.go_on()
                or self._rounds.work(self._crew.root, self._line.breathe, now)
                or self._look_around(now)
            )
        if event.change is Change.FOLDER:
            self._rounds.want_folder(event.relpath, now)
        else:
            self._judge(event)
        return True

    def _prove(self, now: float) -> None:
        """See whether the watch is deaf; if it is, watch anew, and sweep what it may have missed."""
        if not self._canary.work(self._crew.root, now):
            self._watcher.restart()
            self._rounds.want(now)

    def _look_around(self, now: float) -> bool:
        """One folder of a network share, held against how it was before."""
        relpath = self._patrol.next(now) if self._patrol is not None else None
        if self._patrol is None or relpath is None:
            return False
        walk = Sweep(time.time(), relpath, shallow=True)
        surveyed: list[Surveyed] = []
        while not walk.done:
            surveyed += walk.step(self._crew.root, self._line.breathe)
        if not walk.folders:
            self._patrol.gone(relpath)
            return True
        ended = time.monotonic()
        digest = surveyed[0].digest if surveyed else "empty"
        if self._patrol.looked(relpath, digest, walk.below, ended - now, ended) and surveyed:
            self._rounds.want_look(relpath)
        return True

    def _judge(self, event: FileEvent) -> Fate:
        if self._canary.is_out(event.relpath):
            return DONE
        if event.relpath.partition("/")[0] in {entry.aside for entry in self._unfinished}:
            return DONE  # in custody already, and to be taken up again
        now = time.monotonic()
        if is_aside(event.relpath):
            if is_absent(self._crew.root, event.relpath):
                return DONE
            # perhaps of another workstation's removal: its business, but not for ever
            until = self._asides.get(event.relpath, now + ASIDE_SECONDS)
            _keep(self._asides, event.relpath, until)
            if now < until:
                self._settle.postpone(event, now + ASIDE_LOOK_SECONDS)
                return later(None)
        tries = self._tries.pop(event.relpath, 0)
        rests, rested_at = self._rests.get(event.relpath, (0, 0.0))
        last_try = tries >= len(RETRY_SECONDS) and now >= rested_at
        fate = one_file(event, self._crew, last_try=last_try)
        if fate.step == "later":
            if fate.reason in _COSTLY:
                tries = max(tries, len(RETRY_SECONDS) - _COSTLY_TRIES)
            pause = RETRY_SECONDS[tries] if tries < len(RETRY_SECONDS) else max(rested_at - now, 1.0)
            self._settle.postpone(event, time.monotonic() + pause)
            _keep(self._tries, event.relpath, tries + 1)
        elif last_try:
            rest = REST_SECONDS[min(rests, len(REST_SECONDS) - 1)]
            _keep(self._rests, event.relpath, (rests + 1, time.monotonic() + rest))
        elif fate.step == "done":
            self._rests.pop(event.relpath, None)
        return fate

    def _reach(self, now: float) -> bool:
        """Have the root open; False if that is not possible now."""
        if self._crew.has_root:
            return True
        if now < self._absent_until:
            return False
        try:
            root = RootFolder.open(self._welcome.path, self._welcome.device)
        except RootUnavailable:
            self._absent_until = now + _NO_ROOT_SECONDS[min(self._absent, len(_NO_ROOT_SECONDS) - 1)]
            self._absent += 1
            self._rounds.stop(now)
            return False
        self._absent = 0
        self._crew.arrive(root)
        if self._patrol is not None and not len(self._patrol):
            self._patrol.begin(now)
        while self._leftovers:
            tidy(root, self._leftovers.pop())
        if root.inode != self._watched:
            self._watch(root)
        return True

    def _watch(self, root: RootFolder) -> None:
        """Watch the folder that the root is now; wait a little, so that the first sweep sees it done."""
        first, self._watched = not self._watched, root.inode
        if first:
            self._watcher.start()
        else:
            self._watcher.restart()
        until = time.monotonic() + _WATCH_PATIENCE
        while not self._watcher.wait_started(0.05) and time.monotonic() < until:
            self._line.breathe()
        if first and self._watcher.state == "native":
            self._watcher.take()  # its doubt about the time before: the sweep at the start answers it

    def _rest(self) -> None:
        """Let go of the medium and wait until something happens or is due."""
        if not self._rounds.under_way:
            self._crew.leave()
        now = time.monotonic()
        times = [
            self._line.next_beat,
            self._check_at,
            self._settle.due(),
            self._rounds.due(),
            self._finish_at,
            self._canary.due if self._watched else None,
            self._patrol.due() if self._patrol is not None else None,
        ]
        due = min(t for t in times if t is not None)
        if self._absent:
            due = max(due, min(self._absent_until, self._line.next_beat))
        if select.select([self._channel.fileno(), self._wake_in], [], [], max(due - now, 0.0))[0]:
            with contextlib.suppress(BlockingIOError):
                while len(os.read(self._wake_in, 4096)) == 4096:
                    pass

    def _finish(self, now: float) -> None:
        """Take up what was under way when a keeper of this root, or the service, died."""
        self._unfinished = [entry for entry in self._unfinished if not self._crew.finish(entry)]
        self._finish_at = now + RETRY_SECONDS[-1] if self._unfinished else None


def _keep(memory: dict[str, T], name: str, value: T) -> None:
    """Remember, and forget the oldest if there are too many."""
    memory[name] = value
    if len(memory) > _MOST_NAMES:
        memory.pop(next(iter(memory)))


def main(arguments: list[str]) -> int:
    """Run one keeper on two inherited descriptors. 70: a fault of ours, told by place, never by content."""
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: the supervisor decides
    channel = Channel(socket.socket(fileno=int(arguments[0])))
    try:
        serve(channel, lambda welcome: _examiner(int(arguments[1]), welcome))
    except (Ended, ChannelClosed, MediumLost):
        return 0  # what is under way is taken up by the next one
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        print(f"keeper: {type(error).__name__} at {place}", file=sys.stderr)
        return 70
    return 0


def serve(channel: Channel, examiner: Callable[[Welcome], Examines]) -> None:
    """Say hello, be welcomed, and keep the root until the end; raises `Ended` or `ChannelClosed`."""
    channel.send(Hello(os.getpid()))
    while not isinstance(welcome := channel.receive(), Welcome):
        if welcome == Tell("end"):
            raise Ended
    Keeper(welcome, channel, examiner(welcome)).run()


def _examiner(fd: int, welcome: Welcome) -> Examiner:
    return Examiner(socket.socket(fileno=fd), welcome.vocabulary, welcome.config_digest)


if __name__ == "__main__":
    # Nothing is to be torn down: threads of watchdog may hang with the medium.
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)
