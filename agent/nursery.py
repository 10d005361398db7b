"""The nursery: forks keepers and the courier, so that they share what each of them has to load.

Started as `python -I -m agent.nursery FD`; FD is a packet socket to the supervisor. It loads their code once,
opens nothing, and holds nothing of anybody: no medium, ledger, key or secret ever comes here.

    supervisor                                              nursery
                                                         <- {ready: true}
    {module, arguments} + its descriptors                ->
                                                         <- {pid}

The new process is the supervisor's own child: it is forked by a process in between that ends at once, while
the supervisor has asked the kernel for what is orphaned below it. Its arguments are its descriptors, then
the others.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from agent import courier, keeper

MOST_BYTES, MOST_DESCRIPTORS = 4096, 4
PROGRAMS: dict[str, Callable[[list[str]], int]] = {"agent.keeper": keeper.main, "agent.courier": courier.main}
_ME = b"agent.nursery"


def serve(sock: socket.socket) -> None:
    """Until the supervisor hangs up."""
    sock.send(json.dumps({"ready": True}).encode())
    while True:
        packet, descriptors, _, _ = socket.recv_fds(sock, MOST_BYTES, MOST_DESCRIPTORS)
        if not packet:
            return
        wanted = json.loads(packet)
        pid = _begin(wanted["module"], descriptors, wanted["arguments"], sock)
        for descriptor in descriptors:
            os.close(descriptor)
        sock.send(json.dumps({"pid": pid}).encode())


def _begin(module: str, descriptors: Sequence[int], arguments: Sequence[str], sock: socket.socket) -> int:
    """The id of a new process, whose parent is gone; 0 when the machine has none to give."""
    ours, theirs = os.pipe()
    try:
        between = os.fork()
        if between == 0:
            _between(
                theirs, lambda: _become(module, [*map(str, descriptors), *arguments], [sock.fileno(), ours])
            )
        os.waitpid(between, 0)
    except OSError:
        return 0
    finally:
        os.close(theirs)
    with os.fdopen(ours, "rb") as told:
        return int(told.read() or 0)


def _between(told: int, become: Callable[[], NoReturn]) -> NoReturn:
    try:
        pid = os.fork()
        if pid == 0:
            os.close(told)
            become()
        os.write(told, str(pid).encode())
    finally:
        os._exit(0)


def _become(module: str, arguments: list[str], not_ours: Sequence[int]) -> NoReturn:
    code = 70
    try:
        for descriptor in not_ours:
            os.close(descriptor)
        call_itself(module)
        code = PROGRAMS[module](arguments)
    finally:
        sys.stderr.flush()
        os._exit(code)  # nothing is to be torn down: threads of watchdog may hang with the medium


def call_itself(module: str) -> None:
    """Have the process list show what this process does. It shows the memory where the arguments lie."""
    with open("/proc/self/stat", "rb") as file:
        start, end = map(int, file.read().rpartition(b")")[2].split()[45:47])
    at = ctypes.string_at(start, end - start).find(_ME) if 0 < start < end else -1
    if at >= 0:
        ctypes.memmove(start + at, module.encode().ljust(len(_ME), b"\0"), len(_ME))


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: the supervisor decides
    sock = socket.socket(fileno=int(arguments[0]))
    gc.collect()
    gc.freeze()
    try:
        serve(sock)
    except OSError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
