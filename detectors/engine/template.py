"""The template: imports every light parser once, then forks one locked-down worker a file.

Run as `python -I -m detectors.engine.template FD`, where FD is a packet socket to the one who started it.
Single threaded; it never parses a byte of a file, and hands a worker's answer on unread. Large parsers
(pyarrow, pandas) live in a second, heavy template, run on demand and ended when idle.

Control messages, after the first one (the settings):

    in   {"attach": n} + socket       a new peer       {"attach": n, "again": true}: it had another template
         {"heavy": true} + socket     the heavy template that was asked for
    out  {"ready": {...}}  or  {"refused": {...}}
         {"need": "heavy"}            {"gone": n}      peer n has hung up
"""

from __future__ import annotations

import contextlib
import gc
import os
import selectors
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from detectors.engine import examine, exchange, lockdown, mappings, worker
from detectors.engine.exchange import Allowance, Broken, Kind, Wish
from detectors.engine.heavy import HeavyLink
from detectors.engine.jobs import Job, data_bytes, resident_bytes
from detectors.engine.judge import Judge
from detectors.engine.peers import Peer, may_be_read
from detectors.engine.shared import SharedJob, companions
from detectors.engine.spare import Ahead
from detectors.engine.table import ReadLimits
from detectors.engine.verdict import Reason

MAX_QUEUED_A_PEER = 80
MAX_STUCK = 8
_FIRST_LOOK_SECONDS, _LOOK_SECONDS = 0.01, 0.05


class Loop:
    """The event loop. `running` holds every worker that is not reaped yet, also those that are condemned."""

    def __init__(self, control: socket.socket, duty: worker.Duty, settings: dict[str, Any]) -> None:
        self.control, self.duty = control, duty
        self.allowed = Allowance(settings["examine_seconds"], settings["examine_seconds_per_gb"])
        self.slots: int = settings["workers"]
        self.memory: int = settings["worker_memory_bytes"]
        self.idle_seconds: float | None = settings.get("idle_seconds")
        self.selector = selectors.DefaultSelector()
        self.selector.register(control, selectors.EVENT_READ, self._on_control)
        self.peers: dict[int, Peer] = {}
        self.queue: deque[Job] = deque()
        self.running: list[Job] = []
        self.heavy = HeavyLink(
            self.selector, self.allowed, lambda: self._tell({"need": "heavy"}), self._began, self._end
        )
        self.last_work = time.monotonic()
        self.ahead = Ahead(duty, settings["spare_seconds"])

    def run(self) -> None:
        """Serve until the control socket closes (or, when heavy, until idle for long)."""
        control_open = True
        while control_open:
            for key, _ in self.selector.select(self._patience()):
                act: Callable[[], bool | None] = key.data
                if act() is False:
                    control_open = False
            now = time.monotonic()
            self._watch(now)
            self._start_waiting()
            if self.running or self.queue or self.heavy:
                self.last_work = now
            elif self.idle_seconds is not None and now - self.last_work > self.idle_seconds:
                break
            else:
                self.ahead.rest(now - self.last_work)
        for job in self.running:
            job.kill(Reason.GONE)
        self.ahead.end()

    def _patience(self) -> float | None:
        if self.running:
            latest = max(job.begun for job in self.running)
            return _FIRST_LOOK_SECONDS if time.monotonic() - latest < 0.2 else _LOOK_SECONDS
        rested = time.monotonic() - self.last_work
        return 0.5 if self.heavy else self.ahead.patience(rested, self.idle_seconds)

    # -- the one who started us

    def _on_control(self) -> bool:
        try:
            message, fds = exchange.receive_control(self.control)
        except BlockingIOError:
            return True
        except Broken:
            return False
        sock = socket.socket(fileno=fds[0]) if fds else None
        if sock is not None and "attach" in message:
            self._attach(message["attach"], sock, bool(message.get("again")))
        elif sock is not None and "heavy" in message:
            self.heavy.attach(sock)
        return True

    def _tell(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(Broken):  # its end is seen where we read
            exchange.send_control(self.control, message)

    # -- peers

    def _attach(self, number: int, sock: socket.socket, again: bool) -> None:
        sock.setblocking(False)
        peer = self.peers[number] = Peer(number, sock)
        self.selector.register(sock, selectors.EVENT_READ, lambda: self._on_peer(peer))
        if again:
            self._send(number, exchange.reply(0, Kind.LOST))

    def _on_peer(self, peer: Peer) -> None:
        try:
            peer.flush()
            with contextlib.suppress(BlockingIOError):
                while peer.asked < MAX_QUEUED_A_PEER and self._take_request(peer):
                    peer.await_next()
            self._listen(peer)
        except (Broken, OSError):
            self._drop(peer)

    def _take_request(self, peer: Peer) -> bool:
        packet, fds, _, _ = socket.recv_fds(peer.sock, exchange.MAX_REQUEST_BYTES, 4)
        try:
            request_id, wish, size = exchange.parse_request(packet)
            if len(fds) != (0 if wish is Wish.CANCEL else 1):
                raise Broken
        except Broken:
            for descriptor in fds:
                os.close(descriptor)
            raise
        if wish is Wish.CANCEL:
            self._abandon(lambda job: job.peer == peer.number and job.request_id == request_id)
            return False
        peer.asked += 1
        job = Job(peer.number, request_id, fds[0], size, shareable=wish is not Wish.EXAMINE)
        if may_be_read(fds[0]):
            self.queue.append(job)
        else:
            job.fate = Reason.NOT_REGULAR
            self._end(job)
        return wish is Wish.EXAMINE_AMONG_OTHERS  # with the next, if that follows at once

    def _listen(self, peer: Peer) -> None:
        """Hear a peer only as far as it is within its share, and wait for room to reply."""
        events = selectors.EVENT_READ if peer.asked < MAX_QUEUED_A_PEER else 0
        events |= selectors.EVENT_WRITE if peer.waiting else 0
        registered = self.selector.get_map().get(peer.sock)
        if registered is None and events:
            self.selector.register(peer.sock, events, lambda: self._on_peer(peer))
        elif registered is not None and not events:
            self.selector.unregister(peer.sock)
        elif registered is not None and registered.events != events:
            self.selector.modify(peer.sock, events, registered.data)

    def _send(self, number: int, packet: bytes) -> None:
        if (peer := self.peers.get(number)) is None:
            return
        peer.waiting.append(packet)
        try:
            peer.flush()
            self._listen(peer)
        except OSError:
            self._drop(peer)

    def _drop(self, peer: Peer) -> None:
        if self.peers.pop(peer.number, None) is None:
            return
        if peer.sock in self.selector.get_map():
            self.selector.unregister(peer.sock)
        peer.sock.close()
        self._abandon(lambda job: job.peer == peer.number)
        self._tell({"gone": peer.number})

    def _abandon(self, chosen: Callable[[Job], bool]) -> None:
        """Nobody waits for these any more."""
        for job in [job for job in self.queue if chosen(job)]:
            self.queue.remove(job)
            self._forget(job)
        for run in self.running:
            for job in filter(chosen, run.parts):
                self._disown(job)
            if run.forsaken:
                run.kill(Reason.GONE)
        for job in self.heavy.give_up(chosen):
            self._forget(job)

    # -- workers

    def _start_waiting(self) -> None:
        stuck = sum(job.killed for job in self.running)
        while self.queue and len(self.running) - min(stuck, MAX_STUCK) < self.slots:
            job = self._next()
            try:
                job.start(self.duty, self.allowed.of(job.size), self.ahead.take())
            except OSError:
                for part in job.parts:
                    part.fate = Reason.WORKER_UNAVAILABLE
                    self._end(part)
                continue
            self.running.append(job)
            self.selector.register(job.pipe, selectors.EVENT_READ, lambda job=job: self._on_pipe(job))
            self.selector.register(job.pidfd, selectors.EVENT_READ, lambda job=job: self._on_death(job))
            for part in job.parts:
                self._began(part)

    def _next(self) -> Job:
        """The first that waits, rather one that is to be alone; else with those that may share its worker."""
        job = next((job for job in self.queue if not job.shareable), self.queue[0])
        self.queue.remove(job)
        together = [job, *companions(job, self.queue, free_slots=self.slots - len(self.running))]
        for other in together[1:]:
            self.queue.remove(other)
        return SharedJob.of(together) if len(together) > 1 else job

    def _began(self, job: Job) -> None:
        self._send(job.peer, exchange.reply(job.request_id, Kind.STARTED))

    def _on_pipe(self, job: Job) -> None:
        if job not in self.running:
            return  # its death came first
        job.drain()
        if job.closed or job.killed:
            self._unregister(job.pipe)
        if self.duty.light and not job.unwanted and (packet := job.hand_on()) is not None:
            self._send(job.peer, packet)

    def _on_death(self, job: Job) -> None:
        if job not in self.running:
            return
        self._unregister(job.pipe)
        self._unregister(job.pidfd)
        if not job.reap():
            self.selector.register(job.pidfd, selectors.EVENT_READ, lambda: self._on_death(job))
            return
        self.running.remove(job)
        if isinstance(job, SharedJob):
            self._part_company(job)
        elif job.needs_heavy and self.duty.light and not job.unwanted:
            self.heavy.pass_on(job)
        else:
            self._end(job)

    def _part_company(self, shared: SharedJob) -> None:
        """Hand on what it found harmless; every other file gets a worker of its own, next."""
        for job, packet in reversed(shared.replies()):
            if job.unwanted or packet is not None:
                self._end(job, packet)
            else:
                job.shareable = False
                self.queue.appendleft(job)

    def _unregister(self, descriptor: int) -> None:
        with contextlib.suppress(KeyError):
            self.selector.unregister(descriptor)

    def _watch(self, now: float) -> None:
        for job in self.running:
            job.watch(now, self.memory)
            if job.killed and not job.forsaken and now >= job.deadline:
                # It does not die: stuck in its medium. Whoever asked must not wait for it.
                for part in job.parts:
                    self._disown(part, Reason.STUCK)
        self.heavy.watch(now)

    def _disown(self, job: Job, why: Reason | None = None) -> None:
        """Nobody waits for this one any more; `why` is told."""
        if job.unwanted:
            return
        job.unwanted = True
        if why is not None:
            self._send(job.peer, exchange.reply(job.request_id, Kind.FAULT, why.value.encode()))
        self._count_down(job)

    def _end(self, job: Job, packet: bytes | None = None) -> None:
        if job.unwanted:
            job.close()
            return
        packet = packet or job.reply()
        self._forget(job)
        self._send(job.peer, packet)

    def _forget(self, job: Job) -> None:
        job.close()
        self._count_down(job)

    def _count_down(self, job: Job) -> None:
        if (peer := self.peers.get(job.peer)) is not None:
            peer.asked -= 1
            self._listen(peer)


class Unprotected(Exception):
    """A protection that is compulsory is missing."""

    def __init__(self, protection: str, why: str) -> None:
        super().__init__(why)
        self.protection, self.message = protection, why


def _prepare(settings: dict[str, Any]) -> tuple[worker.Duty, dict[str, str]]:
    """Import, load, touch everything once; then give up what privilege there is."""
    heavy: bool = settings["heavy"]
    walls = lockdown.Walls.prepare(threads=heavy)
    judge = Judge(settings["stanzas"])
    examine.warm_up(judge, heavy)
    report = lockdown.settle_in(settings["worker_user"])
    memory: int = settings["worker_memory_bytes"]
    here = os.getpid()
    bounds = lockdown.Bounds(
        cpu_seconds=int(settings["examine_seconds"]) + worker.SPARE_SECONDS,
        memory_bytes=memory + max(0, data_bytes(here) - resident_bytes(here)),
    )
    report |= worker.probe(walls, bounds)
    for protection in settings["require"]:
        if report.get(protection):
            raise Unprotected(protection, report[protection])
    held = frozenset(p for p, why in report.items() if not why and p in lockdown.WALLS)
    duty = worker.Duty(judge, ReadLimits(**settings["read_limits"]), walls, bounds, held, light=not heavy)
    return duty, report


def main(control_fd: int) -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the one who started us
    control = socket.socket(fileno=control_fd)
    try:
        settings, _ = exchange.receive_control(control)
    except Broken:
        return 1
    try:
        duty, report = _prepare(settings)
    except Exception as error:  # nothing of a file has been seen yet: this may be said in full
        refused = {name: getattr(error, name, None) for name in ("key", "protection", "hint")}
        refused["message"] = getattr(error, "message", None) or f"{type(error).__name__}: {error}"
        with contextlib.suppress(Broken):
            exchange.send_control(control, {"refused": refused})
        return 1
    vocabulary = sorted(duty.judge.vocabulary | examine.vocabulary())
    ready = {"vocabulary": vocabulary, "digest": duty.judge.digest, "report": report}
    exchange.send_control(control, {"ready": ready})
    control.setblocking(False)
    gc.collect()
    gc.freeze()
    mappings.let_go()
    Loop(control, duty, settings).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
