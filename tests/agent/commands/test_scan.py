"""`scan` and `explain`: what is printed, in which form, with which exit code; nothing is changed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from contextlib import contextmanager
from types import SimpleNamespace

import psutil
import pytest

from agent.cli import run
from agent.demo_files import demo_files
from detectors.engine.verdict import Outcome, Protection, Reason, Subject, Tier, Verdict

KEYS = {
    "path", "member", "outcome", "reason", "flagged", "confidence", "tier", "subject", "records_estimated",
    "protection", "media_type", "complete", "advisories", "findings", "config_digest", "elapsed_ms",
}  # fmt: skip

VERDICTS = {
    "flagged": Verdict(
        Outcome.MICRODATA, flagged=True, confidence=0.97, tier=Tier.LIKELY, subject=Subject.PERSON,
        records_estimated=1200, member="3/0",
    ),
    "possible": Verdict(Outcome.MICRODATA, tier=Tier.POSSIBLE, subject=Subject.PERSON),
    "table": Verdict(Outcome.AGGREGATE, advisories=("small_cells",)),
    "strong": Verdict(Outcome.ENCRYPTED, Reason.STRONG_ENCRYPTION, protection=Protection.STRONG),
    "weak": Verdict(Outcome.ENCRYPTED, Reason.PASSWORD, protection=Protection.WEAK),
    "broken": Verdict.unreadable(Reason.MALFORMED),
    "plain": Verdict(Outcome.NO_RECORDS),
}  # fmt: skip


class PlayedExamination:
    """Judges by the start of the file's name."""

    in_flight = 2

    def submit(self, found) -> Future[Verdict]:
        future: Future[Verdict] = Future()
        if found.descriptor >= 0:
            os.close(found.descriptor)
        kind = os.path.basename(found.path).split(".")[0]
        future.set_result(Verdict.unreadable(found.reason) if found.reason else VERDICTS[kind])
        return future


@pytest.fixture
def played(monkeypatch, tmp_path):
    @contextmanager
    def examination(settings, source=""):
        yield PlayedExamination()

    monkeypatch.setattr("agent.commands.scan.examination", examination)
    monkeypatch.setattr("agent.commands.explain.examination", examination)
    monkeypatch.setattr("config.load.DEFAULT_FILE", tmp_path / "none.toml")
    folder = tmp_path / "files"
    folder.mkdir()

    def put(*names: str) -> str:
        for name in names:
            (folder / name).write_text("x")
        return str(folder)

    return put


def _objects(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("plain.txt", "table.csv", "strong.age"), 0),
        ((), 0),
        (("plain.txt", "possible.csv"), 0),
        (("plain.txt", "broken.xlsx"), 3),
        (("weak.zip",), 3),
        (("broken.xlsx", "flagged.csv"), 1),
    ],
)
def test_exit_codes(played, names, code):
    assert run(["scan", played(*names)]) == code
    assert run(["scan", "--json", "--all", played(*names)]) == code


def test_what_is_not_there_is_wrong_usage(tmp_path, capsys):
    assert run(["scan", str(tmp_path / "nothing")]) == 2
    assert run(["explain", str(tmp_path / "nothing")]) == 2
    assert run(["explain", str(tmp_path)]) == 2


def test_json_has_exactly_the_promised_keys(played, capsys):
    run(["scan", "--json", "--all", played(*(f"{kind}.x" for kind in VERDICTS))])
    objects = _objects(capsys)
    assert len(objects) == len(VERDICTS)
    for found in objects:
        assert set(found) == KEYS


def test_without_all_only_flagged_and_not_examined_files_are_printed(played, capsys):
    folder = played(*(f"{kind}.x" for kind in VERDICTS))
    run(["scan", "--json", folder])
    names = [os.path.basename(o["path"]) for o in _objects(capsys)]
    assert names == ["broken.x", "flagged.x", "weak.x"]


def test_files_come_in_the_order_of_their_names(played, capsys):
    folder = played("plain.3", "plain.1", "table.2")
    run(["scan", "--json", "--all", folder])
    assert [os.path.basename(o["path"]) for o in _objects(capsys)] == ["plain.1", "plain.3", "table.2"]


def test_what_was_not_examined_is_summed_up_by_reason(played, capsys):
    folder = played("broken.1", "broken.2", "weak.1", "flagged.1")
    os.mkfifo(os.path.join(folder, "pipe"))
    os.symlink("/etc/shadow", os.path.join(folder, "link"))
    run(["scan", folder])
    out = capsys.readouterr().out
    for line in ("5 files not examined:", "2  broken", "(password)", "(not_regular)", "(link)"):
        assert line in out
    run(["scan", "--json", folder])
    out, err = capsys.readouterr()
    assert "5 files not examined:" in err and "not examined:" not in out


def test_a_flagged_file_is_told_in_words(played, capsys):
    run(["scan", played("flagged.csv")])
    out = capsys.readouterr().out
    assert "very likely microdata: one record per person, about 1,200 records (in member 3/0)" in out


def test_hostile_names_reach_the_terminal_escaped_and_json_exactly(played, capsys):
    folder = played()
    name = os.fsdecode(b"flagged.\x1b[2J\n\xff\xe2\x80\xae")
    open(os.path.join(folder, name), "w").close()
    run(["scan", folder])
    out = capsys.readouterr().out
    assert "\x1b" not in out and r"flagged.\x1b[2J\n\xff\u202e" in out
    run(["scan", "--json", folder])
    text = capsys.readouterr().out
    assert text.isascii() and "\x1b" not in text
    assert json.loads(text)["path"] == os.path.join(folder, name)


def test_explain_speaks_of_one_file_and_exits_as_scan_does(played, capsys):
    folder = played("flagged.csv", "table.csv", "broken.csv")
    assert run(["explain", f"{folder}/flagged.csv"]) == 1
    assert run(["explain", f"{folder}/table.csv"]) == 0
    assert "disclosively small counts" in capsys.readouterr().out
    assert run(["explain", "--json", f"{folder}/broken.csv"]) == 3
    assert json.loads(capsys.readouterr().out)["explanation"]


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """The demo's files, scanned once by the real workers."""
    folder = tmp_path_factory.mktemp("real")
    for file in demo_files():
        (folder / file.name).write_bytes(file.content)
    before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns, p.stat().st_atime_ns) for p in folder.iterdir()}
    command = [sys.executable, "-m", "agent", "scan", "--json", "--all", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    found = {os.path.basename(o["path"]): o for o in map(json.loads, done.stdout.splitlines())}
    return SimpleNamespace(folder=folder, before=before, done=done, found=found)


def test_real_workers_tell_records_of_people_from_the_rest(real):
    flagged = {name for name, o in real.found.items() if o["flagged"]}
    assert flagged == {"survey_2026.csv", "survey_2026.xlsx", "staff.zip"}
    assert real.found["table_3_strength.csv"]["outcome"] == "aggregate"
    assert real.found["for_partner.zip"]["protection"] == "strong"
    assert real.found["minutes.txt"]["outcome"] == "no_records"
    assert real.done.returncode == 1


def test_a_scan_changes_nothing(real):
    for path in real.folder.iterdir():
        known = path.stat()
        assert (path.read_bytes(), known.st_mtime_ns) == real.before[path.name][:2]
    assert len(list(real.folder.iterdir())) == len(real.before)


def test_an_interrupt_ends_a_scan_quickly_and_leaves_no_process(tmp_path):
    content = demo_files()[0].content
    for number in range(600):  # so many that it cannot have ended when it is interrupted
        (tmp_path / f"{number}.csv").write_bytes(content)
    command = [sys.executable, "-m", "agent", "scan", "--json", "--all", str(tmp_path)]
    scanning = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    assert scanning.stdout is not None
    scanning.stdout.readline()
    os.killpg(scanning.pid, signal.SIGINT)
    began = time.monotonic()
    _, err = scanning.communicate(timeout=120)
    assert scanning.returncode == 130
    assert b"Traceback" not in err
    assert time.monotonic() - began < 10
    assert [p for p in psutil.process_iter() if _alive_in(p, scanning.pid)] == []


def _alive_in(process: psutil.Process, group: int) -> bool:
    try:
        return os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, ProcessLookupError):
        return False
