"""The real template, started as the service starts it, asked about real files."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from agent.errors import Misconfigured, Unprotected
from agent.sandbox import Examiner, Template
from config.settings import Limits, Protection, Service, Settings
from detectors.engine.verdict import Outcome, Reason, Verdict

HEADER = "record_id,age,sex,ethnic_group,marital_status,salary_grade"


def survey(rows: int = 400) -> bytes:
    """A pseudonymised survey of made-up people."""
    lines = [HEADER]
    lines += [
        f"{100000 + i * 37},{18 + i * 7 % 60},{i % 2 + 1},{i * 5 % 9},{i * 3 % 5},{i * 11 % 8}"
        for i in range(rows)
    ]
    return "\n".join(lines).encode() + b"\n"


def published() -> bytes:
    years = range(2010, 2024)
    regions = ("North", "South", "East", "West", "Total")
    lines = ["Table 1: Strength by region and year", "Region," + ",".join(map(str, years))]
    for i, region in enumerate(regions):
        lines.append(region + "," + ",".join(str((i + 3) * 1230 + y % 7 * 40) for y in years))
    return "\n".join(lines).encode() + b"\n"


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    started = Template(Settings(limits=Limits(examine_seconds=20)), heavy_idle_seconds=1.0)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def examiner(template: Template) -> Iterator[Examiner]:
    asker = template.examiner()
    yield asker
    asker.close()


@pytest.fixture
def judged(examiner: Examiner, tmp_path: Path) -> Callable[[bytes], Verdict]:
    def judge(content: bytes) -> Verdict:
        path = tmp_path / "file"
        path.write_bytes(content)
        fd = os.open(path, os.O_RDONLY)
        try:
            return examiner.examine(fd, len(content), time.monotonic() + 20)
        finally:
            os.close(fd)

    return judge


def until(template: Template, true: Callable[[], bool], seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        select.select([template], [], [], 0.02)
        template.poll()
        if true():
            return True
    return False


def test_a_survey_is_flagged_and_published_statistics_are_not(judged: Callable[[bytes], Verdict]) -> None:
    verdict = judged(survey())
    assert (verdict.outcome, verdict.flagged) == (Outcome.MICRODATA, True)
    verdict = judged(published())
    assert (verdict.outcome, verdict.flagged, verdict.complete) == (Outcome.AGGREGATE, False, True)


def test_the_same_bytes_get_the_same_verdict(judged: Callable[[bytes], Verdict]) -> None:
    first, second = (judged(survey()).to_json() | {"elapsed_ms": 0} for _ in range(2))
    assert first == second


def test_an_empty_file_holds_no_records(judged: Callable[[bytes], Verdict]) -> None:
    verdict = judged(b"")
    assert (verdict.outcome, verdict.complete) == (Outcome.NO_RECORDS, True)


@pytest.mark.root
def test_as_root_nothing_is_missing(template: Template) -> None:
    assert template.ready is not None
    assert template.ready.missing == {}
    courier_and_keeper = {"courier_user", "openat2", "private_mount", "write_lease"}
    assert set(template.ready.protections) == {p.value for p in Protection} - courier_and_keeper


WITHOUT_ROOT = """
import json, sys, time
from agent.sandbox import Template
from config.settings import Settings
template = Template(Settings())
ready = template.start()
size = int(sys.argv[1])
verdict = template.examiner().examine(0, size, time.monotonic() + 20)
print(json.dumps([ready.missing, verdict.flagged]))
template.stop()
"""


@pytest.mark.root
def test_without_root_it_still_judges_and_names_what_is_missing(tmp_path: Path, ordinary_python: str) -> None:
    path = tmp_path / "survey.csv"
    path.write_bytes(survey())
    with path.open("rb") as file:
        done = subprocess.run(
            [ordinary_python, "-I", "-c", WITHOUT_ROOT, str(len(survey()))],
            stdin=file, capture_output=True, text=True, timeout=60, check=False,
            user="daemon", group="daemon", extra_groups=[], cwd="/",
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    missing, flagged = json.loads(done.stdout)
    assert missing["worker_user"] == "not started as root"
    assert flagged


def test_a_wrong_stanza_refuses_to_start_and_names_its_key() -> None:
    with pytest.raises(Misconfigured) as refused:
        Template(Settings(detectors={"no_such_detector": {"a": 1}})).start()
    assert refused.value.key.startswith("detectors.no_such_detector")


def test_a_compulsory_protection_that_is_missing_refuses_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(worker_user="no-such-user-here", require=(Protection.WORKER_USER,))
    with pytest.raises(Unprotected, match="worker_user"):
        Template(Settings(service=service)).start()


def test_a_template_that_dies_is_replaced_and_its_peers_live_on(tmp_path: Path) -> None:
    template = Template(Settings(service=Service(restart_seconds=0.05)))
    template.start()
    examiner = template.examiner()
    path = tmp_path / "survey.csv"
    path.write_bytes(survey())
    fd = os.open(path, os.O_RDONLY)
    for _ in range(2):
        (old,) = template.pids
        os.kill(old, signal.SIGKILL)
        assert until(template, lambda old=old: template.pids not in ([], [old]))  # type: ignore[misc]
        verdicts = [examiner.examine(fd, len(survey()), time.monotonic() + 20) for _ in range(2)]
        assert verdicts[-1].flagged, "the new template works"
        assert verdicts[0].flagged or verdicts[0].reason is Reason.WORKER_UNAVAILABLE
    os.close(fd)
    template.stop()
    assert not psutil.pid_exists(old) or psutil.Process(old).status() == psutil.STATUS_ZOMBIE


def test_reloading_swaps_the_configuration_and_a_wrong_one_changes_nothing(tmp_path: Path) -> None:
    template = Template(Settings())
    first = template.start()
    (pid,) = template.pids
    with pytest.raises(Misconfigured):
        template.reload(Settings(detectors={"no_such_detector": {}}))
    assert template.pids == [pid]
    assert template.ready == first
    assert template.reload(Settings()).digest == first.digest
    assert template.pids != [pid]
    template.stop()


def test_stopping_leaves_no_process(tmp_path: Path) -> None:
    template = Template(Settings())
    template.start()
    pids = template.pids
    template.stop()
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_a_peer_that_closes_is_forgotten(template: Template) -> None:
    before = len(template._ends)
    asker = template.examiner()
    assert len(template._ends) == before + 1
    asker.close()
    assert until(template, lambda: len(template._ends) <= before)


def test_the_template_starts_quickly_and_is_small() -> None:
    started = time.monotonic()
    template = Template(Settings())
    template.start()
    assert time.monotonic() - started < 60, "half a second on an idle machine"
    (pid,) = template.pids
    assert psutil.Process(pid).memory_info().rss < 90 * 1024**2
    template.stop()
