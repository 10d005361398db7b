"""Asking the service: a broken or missing other end is told, never a traceback."""

from __future__ import annotations

import json
import os
import socket
import threading

import pytest

from agent.commands.asking import ask
from agent.errors import Mistyped, NotFound, NotPermitted, NotRunning, Refused
from config.settings import Settings


@pytest.fixture
def answering(tmp_path):
    """A service that gives one answer, in the pieces given."""
    threads = []

    def answering(*pieces: bytes) -> Settings:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "control.sock"))
        listener.listen(1)

        def serve() -> None:
            with listener, listener.accept()[0] as line:
                line.recv(1 << 16)
                for piece in pieces:
                    line.sendall(piece)

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return Settings(state_dir=tmp_path)

    yield answering
    for thread in threads:
        thread.join()


def test_an_answer_in_pieces_is_put_together(answering):
    assert ask(answering(b'{"ok": true, "res', b'ult": [1, 2]}', b"\n"), "status") == [1, 2]


@pytest.mark.parametrize(
    ("code", "kind"),
    [("not_found", NotFound), ("not_permitted", NotPermitted), ("mistyped", Mistyped), ("refused", Refused)],
)
def test_a_refusal_is_a_problem_of_its_kind(answering, code, kind):
    answer = {"ok": False, "error": code, "message": "no\x1b[2J", "hint": "try again"}
    with pytest.raises(kind, match=r"no\\x1b") as caught:
        ask(answering(json.dumps(answer).encode() + b"\n"), "status")
    assert caught.value.hint == "try again"


@pytest.mark.parametrize("pieces", [(), (b'{"ok": tr',), (b"nonsense\n",), (b"[]\n",)])
def test_a_broken_answer_is_said_so(answering, pieces):
    with pytest.raises(NotRunning, match="does not answer"):
        ask(answering(*pieces), "status")


def test_no_service_is_said_so(tmp_path):
    with pytest.raises(NotRunning, match="no service is running"):
        ask(Settings(state_dir=tmp_path), "status")
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "control.sock"))
    left.close()
    assert os.path.exists(tmp_path / "control.sock")
    with pytest.raises(NotRunning, match="no service is running"):
        ask(Settings(state_dir=tmp_path), "status")
