"""One seam: Linux answers through it like the others, and the others answer the same questions."""

from __future__ import annotations

import inspect

import pytest

from agent.platform import linux, macos, windows
from agent.platform.choose import PLATFORM, Platform, here
from agent.volumes import facts_teller
from config.settings import Settings

QUESTIONS = [name for name, _ in inspect.getmembers(Platform, inspect.isfunction) if name[0] != "_"]


def test_linux_goes_through_the_seam(monkeypatch: pytest.MonkeyPatch, made_up, a_mount) -> None:
    assert PLATFORM is here is linux
    asked = []
    monkeypatch.setattr(here, "facts", lambda mount, *rest: asked.append(mount))
    facts_teller(Settings(), [a_mount()], made_up.kernel)(a_mount())
    assert asked == [a_mount()]


@pytest.mark.parametrize("module", [linux, macos, windows])
def test_each_platform_answers_the_same_questions(module) -> None:
    """mypy asserts the types, with `--platform` for each (`make check`)."""
    assert QUESTIONS == ["facts", "mounted"]
    for name in QUESTIONS:
        wanted = list(inspect.signature(getattr(Platform, name)).parameters)[1:]
        found = inspect.signature(getattr(module, name)).parameters
        assert list(found)[: len(wanted)] == wanted
        assert all(p.default is not p.empty for p in list(found.values())[len(wanted) :])


def test_what_is_mounted_here_has_facts() -> None:
    assert {here.facts(mount).kind for mount in here.mounted()} <= {
        "removable", "shared", "fixed", "memory", "unknown",
    }  # fmt: skip
