"""A holder by itself: it answers in time though nobody tells it anything."""

from __future__ import annotations

import errno
import json
import socket
import subprocess
import sys
import threading

import pytest

from agent import holder
from agent.protocol import MAX_PACKET_BYTES


def order(path, **keys):
    settings = {"seconds": 1.0, "open_after": True, "own": 0, "device": path.stat().st_dev}
    return {"path": str(path), **settings, **keys}


@pytest.fixture
def line():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(60)
    yield ours, theirs
    ours.close()
    theirs.close()


def hear(line, what):
    while True:
        told = json.loads(line.recv(MAX_PACKET_BYTES))
        if told["say"] == what:
            return told


def another(path):
    """Another program that reads the file."""
    command = [sys.executable, "-I", "-S", "-c", "import sys; print(open(sys.argv[1]).read())", str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


@pytest.fixture
def hold(line):
    """Start a holder in a thread: it ends with its line."""
    threads = []

    def start(path, **keys):
        one = holder.Holder(line[1], order(path, **keys))
        threads.append(threading.Thread(target=one.run))
        threads[-1].start()
        return line[0]

    yield start
    line[0].shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join(60)


@pytest.mark.root
@pytest.mark.parametrize("open_after", [True, False])
def test_a_supervisor_that_never_answers_keeps_nobody_waiting(hold, drive, open_after):
    stick = drive().plug()
    (stick / "a.csv").write_text("words")
    hold(stick, open_after=open_after)
    said = another(stick / "a.csv").communicate(timeout=60)[0].strip()
    assert said == ("words" if open_after else "")


@pytest.mark.root
def test_each_waits_for_its_own_answer(hold, drive):
    stick = drive().plug()
    for name in ("a", "b", "c"):
        (stick / name).write_text("words")
    line = hold(stick, seconds=60.0)
    openers = {name: another(stick / name) for name in ("a", "b", "c")}
    answers = {"a": "wait", "b": "open", "c": "taken"}
    while openers["b"].poll() is None or openers["c"].poll() is None:
        files = hear(line, "look")["files"]
        line.send(json.dumps({"standings": [answers[f[0]] for f in files]}).encode())
    assert openers["b"].communicate()[0].strip() == "words"
    assert openers["c"].communicate()[0] == ""
    assert openers["a"].poll() is None
    openers["a"].kill()
    openers["a"].communicate()


def test_a_file_system_that_asks_nobody_is_named(line, tmp_path, monkeypatch):
    def refuse(fd, way):
        raise OSError(errno.EINVAL, "no")

    monkeypatch.setattr(holder, "Group", refuse)
    line[0].send(json.dumps(order(tmp_path)).encode())
    assert holder.main([str(line[1].detach())]) == 0
    assert "EINVAL" in hear(line[0], "ready")["fault"]
