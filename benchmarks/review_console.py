# ruff: noqa: E501 - the sentences of the page stand here as they are printed
"""How fast the console takes alerts in, and how fast its pages are with many: over PostgreSQL, and over SQLite.

    python benchmarks/review_console.py [--agents 1000] [--alerts 200000] [--sqlite 50000] [--write docs/performance.md]

Made-up agents really enrol, sign and post over HTTP, in processes of their own; while they do, the console is killed
and started again. Pages are timed over one kept connection, one after the other, beside `SELECT 1` and a bare
page in the same run.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from made_up_agents import MadeUpAgent, body_of
from page import machine, write_section
from postgresql_server import postgresql
from sqlalchemy import func, select, text

from console import enrolment
from console.database import Database
from console.roles import Caller, Role
from console.schema import Alert, Update

PASSWORD = "correct horse battery"
BATCH = 100
EVERYTHING = Caller("benchmark", frozenset(Role))
JSON = {"Content-Type": "application/json"}


class Served:
    """`recordwarden console` in a process of its own, that can be killed and started again."""

    def __init__(self, url: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rw-console-"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._environment = {
            **os.environ,
            "RECORDWARDEN_CONSOLE__FOLDER": str(self.folder),
            "RECORDWARDEN_CONSOLE__DATABASE": url,
            "RECORDWARDEN_CONSOLE__PORT": str(self.port),
        }
        self._program = str(Path(sys.executable).with_name("recordwarden"))
        words = ("user", "add", "ann", "--password-stdin", *(w for r in Role for w in ("--role", r.value)))
        subprocess.run(
            [self._program, "console", *words],
            env=self._environment,
            input=PASSWORD + "\n",
            text=True,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        self.database = Database(url or f"sqlite:///{self.folder}/console.sqlite")
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._program, "console"], env=self._environment, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 120
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit("console: it did not start")

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(60)
        self.database.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def served(url: str) -> Iterator[Served]:
    made = Served(url)
    try:
        yield made
    finally:
        made.stop()


def ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | str = b"",
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes, http.client.HTTPMessage]:
    connection.request(method, path, body or None, headers or {})
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.headers


def load(port: int, agents: list[tuple[str, str]], each: int, batch: int) -> tuple[int, int]:
    """In a process of its own: enrol these (id, token), then send `each` alerts of each, whatever it takes.
    Gives back (how many were accepted, how often something had to be sent again)."""
    accepted = again = 0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def persist(path: str, headers: Callable[[], dict[str, str]], body: bytes) -> dict[str, object]:
        nonlocal again
        while True:
            try:
                status, told, _ = ask(connection, "POST", path, body, headers())
            except (OSError, http.client.HTTPException):
                status = 0
                connection.close()
            if status in (200, 201):
                return json.loads(told)
            if status and status < 500:
                raise SystemExit(f"console: {status} {told!r}")
            again += 1
            time.sleep(0.2)

    for agent_id, token in agents:
        agent = MadeUpAgent(agent_id)
        persist("/api/v1/enrol", lambda: JSON, json.dumps(agent.enrolment(token)).encode())
        for first in range(0, each, batch):
            body = body_of([agent.alert(n) for n in range(first, min(first + batch, each))])
            told = persist("/api/v1/alerts", partial(agent.headers, "/api/v1/alerts", body), body)
            assert not told["refused"], told
            accepted += int(str(told["accepted"]))
    return accepted, again


def ingest(
    console: Served, start: int, agents: int, each: int, batch: int, kills: int
) -> tuple[float, int, int]:
    """(seconds, how often something was sent again, how many accepted) with two processes that send."""
    named = [f"agent-{n}" for n in range(start, start + agents)]
    with console.database.transaction() as db:
        tokens = [enrolment.new_token(db, EVERYTHING, "", None, time.time()) for _ in named]
    pairs = list(zip(named, tokens, strict=True))
    begun = time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        futures = [pool.submit(load, console.port, pairs[i::2], each, batch) for i in range(2)]
        for _ in range(kills):
            before = counted(console)
            while counted(console) < before + agents * each / (kills + 2) and not all(
                f.done() for f in futures
            ):
                time.sleep(0.5)
            console.kill()
            console.start()
        done = [future.result() for future in futures]
    return time.perf_counter() - begun, sum(again for _, again in done), sum(n for n, _ in done)


def counted(console: Served) -> int:
    with console.database.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(Alert)).scalar_one()


def timed(call: Callable[[], object], runs: int) -> str:
    """p50 and p95 in milliseconds."""
    took = []
    for _ in range(runs):
        begun = time.perf_counter()
        call()
        took.append((time.perf_counter() - begun) * 1000)
    cut = statistics.quantiles(took, n=20)
    return f"{statistics.median(took):.1f} | {cut[18]:.1f}"


def pages(console: Served, runs: int) -> list[str]:
    """A line of the table for each page."""
    connection = http.client.HTTPConnection("127.0.0.1", console.port, timeout=120)
    form = urlencode({"name": "ann", "password": PASSWORD})
    _, _, headers = ask(
        connection, "POST", "/sign-in", form, {"Content-Type": "application/x-www-form-urlencoded"}
    )
    cookie = {"Cookie": str(headers["set-cookie"]).split(";")[0]}
    dice = random.Random(7)

    def get(path: str) -> bytes:
        status, told, _ = ask(connection, "GET", path, headers=cookie)
        assert status == 200, (path, status)
        return told

    with console.database.engine.connect() as direct:
        ids = [row[0] for row in direct.execute(select(Alert.id).limit(2000))]
        plain = timed(lambda: direct.execute(text("SELECT 1")).scalar_one(), runs)
    following = re.search(rb'rel="next" href="([^"]+)"', get("/alerts"))
    assert following
    second = following[1].decode().replace("&amp;", "&")
    return [
        f"| `SELECT 1`, straight to the database | {plain} |",
        f"| a bare page (sign in) | {timed(lambda: get('/sign-in'), runs)} |",
        f"| inbox | {timed(lambda: get('/alerts'), runs)} |",
        f"| inbox, second page | {timed(lambda: get(second), runs)} |",
        f"| inbox, one zone, high or more | {timed(lambda: get('/alerts?zone=removable&severity=4'), runs)} |",
        f"| inbox, search of a part of a path | {timed(lambda: get(f'/alerts?state=all&q=%2F{dice.randrange(90)}%2Fpanel'), max(5, runs // 5))} |",
        f"| an alert | {timed(lambda: get('/alerts/' + dice.choice(ids)), runs)} |",
        f"| agents | {timed(lambda: get('/agents'), runs)} |",
        f"| trends, 30 days | {timed(lambda: get('/trends'), max(5, runs // 5))} |",
    ]


def measure(name: str, url: str, agents: int, alerts: int, kills: int, runs: int) -> list[str]:
    """The section of one database."""
    with served(url) as console:
        single = 2
        seconds_single, _, _ = ingest(console, 0, single, 200, 1, 0)
        each = max(BATCH, alerts // agents)
        seconds, again, accepted = ingest(console, single, agents, each, BATCH, kills)
        expected = single * 200 + agents * each
        with console.database.transaction() as db:
            stored = db.execute(select(func.count()).select_from(Alert)).scalar_one()
            updates = db.execute(select(func.count()).select_from(Update)).scalar_one()
            if console.database.engine.dialect.name == "postgresql":
                db.execute(text("ANALYZE"))
        assert stored == updates == expected, (stored, updates, expected)
        return [
            f"### {name}, {stored:,} alerts from {agents + single:,} agents",
            "",
            f"Taken in: **{agents * each / seconds:.0f} alerts/s** in requests of {BATCH} (enrolment included), {single * 200 / seconds_single:.0f}/s one by one, from two processes on the same machine. "
            f"The console was killed and started again {kills} times meanwhile ({again} requests were sent again, {agents * each - accepted:,} records came that it had already): none lost, none doubled.",
            "",
            "| | p50 ms | p95 ms |",
            "|---|---|---|",
            *pages(console, runs),
            "",
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--alerts", type=int, default=200_000)
    parser.add_argument("--sqlite", type=int, default=50_000)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    how = f"`benchmarks/review_console.py --agents {given.agents} --alerts {given.alerts} --sqlite {given.sqlite}`: console, database and senders on one machine."
    lines = ["## The console", "", machine(), how, ""]
    if given.sqlite:
        lines += measure("SQLite", "", 100, given.sqlite, given.kills, given.runs)
        print("\n".join(lines), flush=True)
    if given.alerts:
        with postgresql({"shared_buffers": "512MB", "max_wal_size": "2GB"}) as url:
            lines += measure("PostgreSQL", url, given.agents, given.alerts, given.kills, given.runs)
    print("\n".join(lines))
    if given.write:
        write_section(given.write, "console", lines)


if __name__ == "__main__":
    main()
