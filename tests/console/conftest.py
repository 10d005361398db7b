"""A console over a database of its own, a clock that the test turns, people and agents to call it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient
from made_up_agents import MadeUpAgent, body_of
from sqlalchemy import event

from agent.statements import as_text, seal
from config.console import Console
from console import enrolment, papers, people, sessions
from console.database import Database
from console.doors import House
from console.roles import Caller, Role
from console.web import create

PASSWORD = "correct horse battery"
START = 1_790_000_000.0
EVERYTHING = Caller("setup", frozenset(Role))


@dataclass
class Rig:
    """The application with its database; `now` is its clock."""

    database: Database
    rules: Console
    now: float = START
    app: Any = None
    everything: Caller = EVERYTHING

    def browser(self) -> TestClient:
        """Somebody who has not signed in; redirects are not followed."""
        return TestClient(self.app, base_url="http://127.0.0.1:8710", follow_redirects=False)

    def signed_in(self, name: str, *roles: Role) -> TestClient:
        """A browser of a new person with these roles; its `csrf` is what the pages' forms hold."""
        with self.database.transaction() as db:
            person = people.add(db, "setup", name, PASSWORD, frozenset(roles), self.now)
            secret = sessions.begin(db, person, self.now)
        browser = self.browser()
        browser.cookies.set("recordwarden", secret, domain="127.0.0.1")
        found = re.search(r'name="csrf" value="([^"]+)"', browser.get("/account").text)
        assert found
        browser.csrf = found[1]  # type: ignore[attr-defined]
        return browser

    def token(self, name: str, *roles: Role) -> dict[str, str]:
        """The header with a personal token of a new person with these roles."""
        with self.database.transaction() as db:
            people.add(db, "setup", name, PASSWORD, frozenset(roles), self.now)
            secret = sessions.new_token(db, Caller(name, frozenset(roles)), "", 30, self.now)
        return {"Authorization": f"Bearer {secret}"}

    def agent(self, name: str = "agent-1") -> MadeUpAgent:
        """An agent that is enrolled."""
        made = MadeUpAgent(name)
        with self.database.transaction() as db:
            token = enrolment.new_token(db, EVERYTHING, "", None, self.now)
        assert self.browser().post("/api/v1/enrol", json=made.enrolment(token)).status_code == 201
        return made

    def send(
        self, agent: MadeUpAgent, *records: dict[str, Any], to: str = "/api/v1/alerts"
    ) -> dict[str, Any]:
        """What the console answers to these records."""
        body = body_of(list(records))
        answer = self.browser().post(to, content=body, headers=agent.headers(to, body, self.now))
        assert answer.status_code == 200, answer.text
        plain: dict[str, Any] = answer.json()
        return plain

    def hand_in(self, envelope: Any, role: Role = Role.ANALYST) -> Any:
        """A paper, by somebody of this role."""
        caller = Caller("somebody", frozenset({role}))
        with self.database.transaction() as db:
            return papers.hand_in(db, self.app.state.house.approvers, caller, as_text(envelope), self.now)

    def audited(self) -> list[tuple[str, str, str]]:
        """(who, what, about what) of each entry of the audit."""
        from console.audit import walk

        with self.database.transaction() as db:
            return [(e.actor, e.action, e.subject) for e in walk(db)]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """(the application, an empty database at the newest schema to copy)"""
    rules = Console(folder=tmp_path_factory.mktemp("console"))
    database = Database.open(rules.database_url)
    with database.engine.connect() as connection:
        connection.connection.execute("PRAGMA journal_mode=DELETE")
    database.close()
    return create(rules, database), rules.folder / "console.sqlite"


@pytest.fixture
def rig(tmp_path: Path, made_once: tuple[Any, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setattr(people, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    app, empty = made_once
    rules = Console(folder=tmp_path)
    shutil.copy(empty, tmp_path / "console.sqlite")
    made = Rig(Database(rules.database_url), rules, app=app)
    event.listen(made.database.engine, "connect", lambda c, _: c.execute("PRAGMA synchronous=OFF"))
    app.state.house = House(rules, made.database, app.state.house.templates, lambda: made.now)
    yield made
    made.database.close()


@pytest.fixture
def desk(rig: Rig, agreed: Any) -> Rig:
    """The console with an owner and an officer in its configuration."""
    rig.app.state.house = replace(rig.app.state.house, approvers=agreed.approvers)
    return rig


@pytest.fixture
def draft(desk: Rig, agreed: Any) -> Any:
    """An agreement that nobody has signed yet."""
    return seal(agreed.terms(desk.now, roots=("/srv/project",)))
