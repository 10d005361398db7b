"""Several files judged at the same time by real workers; descriptors are always closed."""

from __future__ import annotations

import os

import pytest

from agent.commands.examination import GivenUp, check_detectors, examination
from agent.commands.walk import Found, walk
from agent.demo_files import demo_files
from config.load import ConfigError
from config.settings import Settings
from detectors.engine.verdict import Outcome, Reason


def test_verdicts_belong_to_their_files_and_descriptors_are_closed(tmp_path):
    wanted = {"table_3_strength.csv": Outcome.AGGREGATE, "minutes.txt": Outcome.NO_RECORDS}
    for file in demo_files():
        if file.name in wanted:
            (tmp_path / file.name).write_bytes(file.content)
    before = len(os.listdir("/proc/self/fd"))
    with examination(Settings()) as workers:
        asked = [(found, workers.submit(found)) for found in walk(str(tmp_path)) for _ in range(1)]
        got = {os.path.basename(found.path): future.result(30).outcome for found, future in asked}
    assert got == wanted
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_could_not_be_opened_is_unreadable_with_its_reason():
    with examination(Settings()) as workers:
        verdict = workers.submit(Found("x", reason=Reason.LINK)).result(5)
    assert (verdict.outcome, verdict.reason) == (Outcome.UNREADABLE, Reason.LINK)


def test_closing_gives_up_what_is_under_way(tmp_path):
    file = tmp_path / "a.csv"
    file.write_bytes(demo_files()[0].content * 300)
    with examination(Settings()) as workers:
        futures = [workers.submit(next(walk(str(file)))) for _ in range(8)]
    outcomes = [future.exception(1) for future in futures]
    assert any(isinstance(error, GivenUp) for error in outcomes)


def test_a_wrong_stanza_names_its_file():
    settings = Settings(detectors={"no_such": {}})
    with pytest.raises(ConfigError, match=r"somewhere\.toml: detectors\.no_such") as caught:
        check_detectors(settings, "somewhere.toml")
    assert caught.value.hint
