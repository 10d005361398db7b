"""What the pages say is true: code in them runs, links lead somewhere, commands exist."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from agent.cli import COMMANDS
from detectors.engine.stanza import options_from

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


def test_the_worked_detector_of_the_guide_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """As written there: the detector, its stanza, and each of its tests."""
    code, tests = blocks(ROOT / "CONTRIBUTING.md", "python")
    detector = ModuleType("detectors.household_lists")
    monkeypatch.setitem(sys.modules, detector.__name__, detector)
    exec(compile(code, "CONTRIBUTING.md", "exec"), vars(detector))
    (stanza,) = blocks(ROOT / "CONTRIBUTING.md", "toml")
    (plain,) = tomllib.loads(stanza)["detectors"].values()
    options_from(detector.Options, "detectors.household_lists", plain)
    written: dict[str, object] = {}
    exec(compile(tests, "CONTRIBUTING.md", "exec"), written)
    stated = [test for name, test in written.items() if name.startswith("test_") and callable(test)]
    assert len(stated) == 3
    for test in stated:
        test()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    assert not [link for link in links if "://" not in link and not (page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_on_a_page_exists(page: Path) -> None:
    named = set(re.findall(r"(?:^    |`|bin/)recordwarden ([a-z-]+)", page.read_text(), re.MULTILINE))
    assert named <= set(COMMANDS), page


def test_every_command_that_a_message_recommends_exists() -> None:
    for path in [*(ROOT / "agent").rglob("*.py"), *(ROOT / "config").iterdir()]:
        if path.suffix in (".py", ".toml"):
            assert set(re.findall(r"`recordwarden ([a-z-]+)", path.read_text())) <= set(COMMANDS), path


def test_make_targets_on_the_pages_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        assert set(re.findall(r"`make ([a-z]+)", page.read_text())) <= targets, page
