"""A fault at every system call of a release: the file comes to its place once and whole, or can be again."""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from custody_rig import injection, survey
from release_rig import ReleaseRig, points
from running_service import until

from agent import audit
from agent.statements import read

pytestmark = pytest.mark.root

CONTENT = survey(rows=60_000)
TOLD_EVERY = 100


@pytest.mark.parametrize("sample", [30, pytest.param(None, marks=pytest.mark.system)])
def test_no_fault_at_any_call_places_a_file_twice_or_half_or_loses_it(
    tmp_path: Path, agreed: Any, need: Callable[..., None], sample: int | None
) -> None:
    need("strace")
    log = tmp_path / "log"
    rig = ReleaseRig(tmp_path, tmp_path, agreed.approvers, agreed.both, CONTENT)
    assert rig.run(["-s", "60", "-o", str(log)]) == 0
    assert rig.faults_after(recovered=True) == [], "a run without any fault"
    faults = points(log)
    tried = (
        faults if sample is None else random.Random(7).sample(faults, int(os.environ.get("SAMPLE", sample)))
    )
    wrong: list[str] = []
    reached, began = 0, time.monotonic()
    for number, fault in enumerate(tried):
        if number and not number % TOLD_EVERY:
            print(f"{number} of {len(tried)} faults tried, {len(wrong)} wrong", flush=True)
        rig.fresh()
        rig.run(injection(fault, log))
        reached += fault.error == "kill" or "INJECTED" in log.read_text(errors="replace")
        wrong += [f"{fault}: at once: {w}" for w in rig.faults_after(recovered=False)]
        if code := rig.run():
            wrong.append(f"{fault}: typed again it ended with {code}")
        wrong += [f"{fault}: in the end: {w}" for w in rig.faults_after(recovered=True)]
    took = time.monotonic() - began
    print(
        f"\n{len(tried)} of {len(faults)} faults tried, {reached} reached, {len(wrong)} wrong, {took:.0f} s"
    )
    assert not wrong, "\n".join(wrong)
    assert reached > 0.9 * len(tried)


@pytest.mark.parametrize("times", [2, pytest.param(60, marks=pytest.mark.system)])
def test_command_and_service_killed_at_any_moment_place_each_file_once(
    service: Any, agreed: Any, made_up: Any, drop: Any, tmp_path: Path, times: int
) -> None:
    """The two real processes: either is killed while the file is on its way, and the command typed again."""
    taken = service.root("taken")
    restricted = service.root("restricted", handling="restricted")
    service.stanzas = agreed.owner.stanza() + agreed.officer.stanza()
    service.start()
    file = drop(taken / "survey.csv", content := made_up.survey())
    service.caught(file)
    entry_id = service.ask("entries", states=["quarantined"])[0]["entry_id"]
    pick = random.Random(3)

    def typed(*arguments: Any) -> None:
        done = service.command(*map(str, arguments))
        assert done.returncode == 0, done.stderr

    for number in range(times):
        folder, target = tmp_path / str(number), restricted / f"back-{number}.csv"
        folder.mkdir()
        request = folder / "request.json"
        typed(
            "quarantine", "release", "request", entry_id, "--to", target, "--holder", "D. Analyst",
            "--purpose", "x", "--out", request,
        )  # fmt: skip
        request.write_text(json.dumps(agreed.both(read(request.read_text())).to_json()))
        typed("quarantine", "export", entry_id, "--to", folder / "bundle")
        rewrap = ("quarantine", "rewrap", folder / "bundle", "--request", request, "--out", folder / "new")
        typed(*rewrap, "--identity", service.key_file)
        complete = ("quarantine", "release", "complete", request, "--from", folder / "new")
        command = [service.python, "-I", "-m", "agent", *map(str, complete), "--config", str(service.config)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        beside = f".recordwarden-release-{read(request.read_text()).statement().request_id}"
        if number % 3:  # in the midst of it; else at any moment of a second
            until(lambda b=beside, p=process: (restricted / b).exists() or p.poll() is not None, "begun")
        else:
            time.sleep(pick.random())
        if number % 2:
            service.kill()
            process.wait(60)
            service.start()
        else:
            process.kill()
            process.wait()
        again = service.command(*map(str, complete))
        assert again.returncode == 0 or "cannot be used (again)" in again.stderr, again.stderr
        assert target.read_bytes() == content
    names = sorted(p.name for p in restricted.iterdir())
    assert names == sorted(f"back-{number}.csv" for number in range(times))
    assert list((service.state / "releases").iterdir()) == []

    def told() -> int:
        log = service.state / "audit.jsonl"
        return sum(1 for _, line in audit.lines(log) if line and line["event"] == "released")

    until(lambda: told() == times, "each is in the audit log once")
