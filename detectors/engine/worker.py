"""One worker: examines one file behind the walls and answers once.

Runs in a process that the template has just forked, or had forked ahead (`detectors.engine.spare`). All it
has is the descriptor it reads, the pipe it answers on and /dev/null. The answer is one status byte and,
for `ANSWER`, a verdict. A worker that is shared has several files, and answers once for each, with the length
before it.
"""

from __future__ import annotations

import gc
import io
import json
import os
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO, NoReturn, cast

from detectors.engine.examine import examine
from detectors.engine.exchange import MOST_SHARED_FILES, harmless
from detectors.engine.judge import Judge
from detectors.engine.lockdown import Bounds, Report, Walls, die_with_parent
from detectors.engine.rehearsal import rehearse
from detectors.engine.table import NeedsHeavy, NotPlain, ReadLimits, Unreadable
from detectors.engine.verdict import Reason, Verdict

ANSWER, NEEDS_HEAVY, ALONE = b"V", b"H", b"A"
READY = b"R"
LENGTH = struct.Struct("=I")
_JOB, _SIZE = struct.Struct("=d"), struct.Struct("=Q")
EXIT_WALLS_MISSING, EXIT_INTERNAL, EXIT_MEMORY = 70, 71, 72

SPARE_SECONDS = 2
"""Processor time beyond the wall clock's: that one shall come first."""

_NEW_OBJECTS = 20_000
"""So many more before cycles are looked for among them: a small file leaves hardly any."""
_FILE_FD, _ANSWER_FD = 3, 4
_BUFFER_BYTES = 256 * 1024


class Medium(io.RawIOBase):
    """Read-only view of a descriptor, `size` bytes long, with a position of its own.

    An error of the medium becomes `Unreadable(io_error)` and stays in `fault`, for a parser may
    swallow it and go on as if the file ended there.
    """

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor, self._size, self._position = descriptor, size, 0
        self.fault: Reason | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("negative seek position")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        wanted = max(0, min(len(buffer), self._size - self._position))
        try:
            got = os.preadv(self._descriptor, [memoryview(buffer)[:wanted]], self._position) if wanted else 0
        except OSError:
            self.fault = Reason.IO_ERROR
            raise Unreadable(Reason.IO_ERROR) from None
        if got < wanted and not got:
            self.fault = Reason.CHANGED  # shorter than it was when the request was made
        self._position += got
        return got


@dataclass(frozen=True, slots=True)
class Duty:
    """What all workers of a template share."""

    judge: Judge
    limits: ReadLimits
    walls: Walls
    bounds: Bounds
    must_hold: frozenset[str]
    """Protections that held when the template tried them; a worker that lacks one reads nothing."""
    light: bool


def probe(walls: Walls, bounds: Bounds) -> Report:
    """Close the walls in a throw-away process and say which of them stand."""
    ours, theirs = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            die_with_parent(parent)
            os.write(theirs, json.dumps(walls.close(bounds)).encode())
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as answer:
        said = answer.read()
    os.waitpid(pid, 0)
    report: Report = json.loads(said)
    return report


def work(files: Sequence[tuple[int, int]], answer: int, parent: int, duty: Duty, seconds: float) -> NoReturn:
    """Examine `files` (descriptor, size) and write to `answer`, within so many seconds of processor time.

    Never returns, never raises.
    """

    def act() -> None:
        _keep_only([descriptor for descriptor, _ in files], answer)
        _examine([size for _, size in files], duty, seconds)

    _last(act, parent)


def work_later(channel: int, answer: int, parent: int, duty: Duty) -> NoReturn:
    """Get ready, say so on the socket `channel`, wait there for one message of `job` with its files, and go
    on as `work`.

    Nothing of any file is there before, so the walls close when the files have come, as for any worker.
    """

    def act() -> None:
        _keep_only([channel], answer)
        rehearse(duty.judge)
        os.write(_FILE_FD, READY)
        sizes, seconds = _receive()
        _examine(sizes, duty, seconds)

    _last(act, parent)


def job(sizes: Sequence[int], seconds: float) -> bytes:
    """What a worker that waits is told: for how long, and how much of each of the files beside this."""
    return _JOB.pack(seconds) + b"".join(map(_SIZE.pack, sizes))


def _receive() -> tuple[list[int], float]:
    """The one job of this worker; its files come to lie where any worker has them, and the socket goes."""
    channel = socket.socket(fileno=_FILE_FD)
    most = _JOB.size + MOST_SHARED_FILES * _SIZE.size
    packet, files, _, _ = socket.recv_fds(channel, most, MOST_SHARED_FILES)
    sizes = [size for (size,) in _SIZE.iter_unpack(packet[_JOB.size :])]
    if not files or len(files) != len(sizes):
        os._exit(EXIT_INTERNAL if packet else 0)  # 0: never needed
    channel.detach()
    _arrange(files)
    return sizes, _JOB.unpack_from(packet)[0]


def _last(act: Callable[[], None], parent: int) -> NoReturn:
    """All that this process does."""
    try:
        die_with_parent(parent)
        act()
    except MemoryError:
        os._exit(EXIT_MEMORY)
    except BaseException:  # the outermost frame: a traceback would quote the file
        os._exit(EXIT_INTERNAL)
    os._exit(0)


def _examine(sizes: Sequence[int], duty: Duty, seconds: float) -> None:
    gc.set_threshold(_NEW_OBJECTS)
    bounds = replace(duty.bounds, cpu_seconds=int(seconds) + SPARE_SECONDS)
    standing = duty.walls.close(bounds)
    if any(standing.get(p, "not tried") for p in duty.must_hold):
        os._exit(EXIT_WALLS_MISSING)
    if len(sizes) == 1:
        _write(_answer(sizes[0], duty))
        os.close(_ANSWER_FD)  # that was all: what a process held takes a while to be given back
    else:
        for number, size in enumerate(sizes):
            said = _answer_among_others(_place(number), size, duty)
            _write(LENGTH.pack(len(said)) + said)


def _answer(size: int, duty: Duty) -> bytes:
    medium = Medium(_FILE_FD, size)
    try:
        stream = cast(BinaryIO, io.BufferedReader(medium, _BUFFER_BYTES))
        verdict = examine(stream, size, duty.judge, duty.limits, light=duty.light)
    except NeedsHeavy:
        return NEEDS_HEAVY
    except MemoryError:
        verdict = Verdict.unreadable(Reason.LIMIT_MEMORY, config_digest=duty.judge.digest)
    if medium.fault is not None and not verdict.flagged:
        verdict = Verdict.unreadable(
            medium.fault, config_digest=duty.judge.digest, media_type=verdict.media_type
        )
    return ANSWER + verdict.to_wire()


def _answer_among_others(descriptor: int, size: int, duty: Duty) -> bytes:
    """The verdict on a plain text in which there is nothing; `ALONE` for everything else.

    Decided before a parser that is not ours, libmagic among them, has seen a byte.
    """
    medium = Medium(descriptor, size)
    stream = cast(BinaryIO, io.BufferedReader(medium, _BUFFER_BYTES))
    try:
        verdict = examine(stream, size, duty.judge, duty.limits, light=True, plain_only=True)
    except (NotPlain, NeedsHeavy):
        return ALONE
    if medium.fault is not None or not harmless(verdict):
        return ALONE
    return ANSWER + verdict.to_wire()


def _write(message: bytes) -> None:
    while message:
        message = message[os.write(_ANSWER_FD, message) :]


def _place(number: int) -> int:
    """The descriptor of so many a file."""
    return _FILE_FD if number == 0 else _ANSWER_FD + number


def _keep_only(descriptors: Sequence[int], answer: int) -> None:
    """Leave this process /dev/null, the files and the answer pipe, and no way to print."""
    spare = max(*descriptors, answer, _place(len(descriptors))) + 1
    files, pipe = [_dup_above(d, spare) for d in descriptors], _dup_above(answer, spare)
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.dup2(pipe, _ANSWER_FD)
    _arrange(files)
    silent: Callable[..., None] = lambda *_: None  # noqa: E731
    sys.excepthook = sys.unraisablehook = silent


def _arrange(files: Sequence[int]) -> None:
    """Put files where a worker has them, none of which may lie below its place; all else above is closed."""
    for number, file in enumerate(files):
        os.dup2(file, _place(number))
    os.closerange(_place(len(files)), os.sysconf("SC_OPEN_MAX"))


def _dup_above(descriptor: int, lowest: int) -> int:
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_DUPFD, lowest)
