"""Bundles of papers by file, at a real service; what it then says of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.carried import KEY_FILE
from agent.commands.demo_service import DemoService
from agent.paper_bundle import seal_bundle
from agent.signing import new_key

Typed = Callable[..., tuple[int, str, str]]
PEM, KEY = new_key()


@pytest.fixture
def bundle(running: DemoService, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Writes a bundle; the service trusts no console before or afterwards."""

    def write(serial: int, *papers: object) -> str:
        file = tmp_path / f"papers-{serial}.json"
        file.write_text(seal_bundle(serial, 1_790_000_000, papers, PEM))  # type: ignore[arg-type]
        return str(file)

    yield write
    (running.config.with_name("state") / KEY_FILE).unlink(missing_ok=True)


def test_without_a_key_nothing_is_taken_and_with_it_the_bundle_shows_in_status(
    bundle: Callable[..., str], typed: Typed
) -> None:
    code, _, said = typed("agreements", "import", bundle(7))
    assert code != 0 and "no_key" in said
    assert "papers" not in [line.split()[0] for line in typed("status")[1].splitlines() if line]
    code, told, _ = typed("agreements", "import", bundle(7), "--trust", KEY)
    assert code == 0 and "bundle 7" in told
    assert "bundle 7" in typed("status")[1]
    code, _, said = typed("agreements", "import", bundle(6))
    assert code != 0 and "older" in said and "last good one stays" in typed("status")[1]


def test_a_refused_paper_is_named_and_calls_for_a_person(bundle: Callable[..., str], typed: Typed) -> None:
    code, told, _ = typed("agreements", "import", bundle(9, {}), "--trust", KEY)
    assert code == 1 and "paper:0: malformed" in told
    code, told, _ = typed("status")
    assert code == 1 and "a paper of the console's bundle is refused: paper:0 (malformed)" in told
    found = json.loads(typed("agreements", "import", bundle(10), "--json")[1])
    assert (found["serial"], found["refused"]) == (10, {})


@pytest.mark.parametrize("content", ["", "{}", "\xff"])
def test_what_is_no_bundle_and_what_is_no_key_is_said(
    bundle: Callable[..., str], typed: Typed, tmp_path: Path, content: str
) -> None:
    (tmp_path / "x").write_text(content, "latin-1")
    code, _, said = typed("agreements", "import", str(tmp_path / "x"), "--trust", KEY)
    assert code != 0 and "bundle" in said
    assert typed("agreements", "import", bundle(8), "--trust", "ed25519:x")[0] == 2
    assert typed("agreements", "import", str(tmp_path / "nowhere"))[0] == 2
