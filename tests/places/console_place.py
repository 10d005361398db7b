"""The review console itself behind a small TLS server, with one agent enrolled."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from certificates import Authority
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from fastapi.testclient import TestClient
from made_up_agents import MadeUpAgent
from sqlalchemy import func, select
from web_places import WebPlace

from agent.signing import new_key
from agent.sinks.console import ConsoleSink
from agent.sinks.sink import Sink
from config.console import Console
from console import enrolment
from console.database import Database
from console.roles import Caller, Role
from console.schema import Alert
from console.web import create

AGENT = "agent-7"


@contextmanager
def listening(app: Any, port: int = 0) -> Iterator[str]:
    """An application at a port of this machine, or any; gives its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 60
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(60)


class ConsolePlace(WebPlace):
    path = ""

    def __init__(self, tmp_path: Path, authority: Authority, host: str = "127.0.0.1") -> None:
        folder = tmp_path / "console"
        folder.mkdir()
        self.rules = Console(folder=folder)
        self.database = Database.open(self.rules.database_url)
        self._app = TestClient(create(self.rules, self.database), base_url="http://127.0.0.1:8710")
        self._asking = threading.Lock()
        pem, self.public_key = new_key()
        self.secret = pem.decode()
        super().__init__(tmp_path, authority, host)
        self.enrol(AGENT, pem)

    def token(self, agent: str | None = None, at: float | None = None) -> str:
        """A one-time token that an administrator made."""
        with self.database.transaction() as db:
            everything = Caller("setup", frozenset(Role))
            return enrolment.new_token(db, everything, "", agent, time.time() if at is None else at)

    def enrol(self, agent: str, pem: bytes) -> None:
        made = MadeUpAgent(agent, load_pem_private_key(pem, None))  # type: ignore[arg-type]
        answer = self._app.post("/api/v1/enrol", json=made.enrolment(self.token()))
        assert answer.status_code == 201

    def make(self, timeout_seconds: float = 60.0, **other: Any) -> Sink:
        options: dict[str, Any] = {
            "url": self.url, "ca": self._authority.pem, "key": self.secret, "mask_paths": False,
            "timeout_seconds": timeout_seconds,
        } | other  # fmt: skip
        if options["key"] == "wrong":
            options["key"] = new_key()[0].decode()
        return ConsoleSink(**options)

    def judge(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        with self._asking:
            answer = self._app.post(path, content=body, headers=headers)
        return answer.status_code, answer.content

    def parts(self, body: bytes) -> list[bytes]:
        return [json.dumps(record).encode() for record in json.loads(body).get("records", ())]

    def counted(self) -> int:
        """How many alerts the console has."""
        with self.database.transaction() as db:
            return int(db.scalar(select(func.count()).select_from(Alert)) or 0)

    def close(self) -> None:
        super().close()
        self.database.close()
