"""The progress line: on a terminal only, never in the results."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import subprocess
import sys
import threading

from agent.commands.progress import Silence, progress
from agent.demo_files import demo_files


def test_nobody_watching_means_no_line(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress(["/nowhere"]) as seen:
        assert isinstance(seen, Silence)


def test_on_a_terminal_it_shows_how_far_how_fast_and_how_long_still(tmp_path):
    for number in range(30):
        (tmp_path / f"{number}\x1b[2J.csv").write_bytes(demo_files()[3].content)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "agent", "scan", "--json", "--all", str(tmp_path)]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    scanning = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment)
    os.close(theirs)
    shown = bytearray()

    def read() -> None:
        with contextlib.suppress(OSError):  # EIO: nobody writes any more
            while piece := os.read(ours, 65536):
                shown.extend(piece)

    reader = threading.Thread(target=read)
    reader.start()
    assert scanning.stdout is not None
    results = scanning.stdout.read().decode()
    scanning.wait()
    reader.join(60)
    os.close(ours)
    assert b"30/30" in shown and b"files/s" in shown and b"0:00" in shown
    assert b"\x1b[2J" not in shown
    assert len(results.splitlines()) == 30 and "files/s" not in results
