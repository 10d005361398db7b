"""The rig's console on a socket, and its command line with the token of somebody."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from console_place import listening

from agent import cli
from console.remote.connection import TOKEN_VARIABLE
from console.roles import Role


@dataclass
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """One JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture(scope="session")
def address(made_once: Any) -> Iterator[str]:
    """Where the application of all rigs listens."""
    with listening(made_once[0]) as address:
        yield address


@pytest.fixture
def run(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Answer]:
    """`recordwarden console WORDS`; `given` is its standard input."""
    monkeypatch.setenv("RECORDWARDEN_CONSOLE_URL", address)

    def run(*words: str, given: str = "") -> Answer:
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        code = cli.run(["console", *words])
        out, err = capsys.readouterr()
        return Answer(code, out, err)

    return run


@pytest.fixture
def as_(rig: Any, run: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """From now on with the token of a new person of these roles."""

    def become(name: str, *roles: Role) -> Callable[..., Answer]:
        token = rig.token(name, *roles)["Authorization"].removeprefix("Bearer ")
        monkeypatch.setenv(TOKEN_VARIABLE, token)
        return run

    return become


@pytest.fixture
def ann(rig: Any, as_: Callable[..., Any]) -> Callable[..., Answer]:
    """The command line of an analyst, with five alerts of one agent waiting."""
    agent = rig.agent()
    rig.send(agent, *(agent.alert(n, at=rig.now - n) for n in range(5)))
    run: Callable[..., Answer] = as_("ann", Role.ANALYST)
    return run
