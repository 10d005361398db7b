"""Agreements from the command line: written, signed by two, handed in, checked, reported, revoked.

The report is `agent.commands.authorised`.
"""

from __future__ import annotations

import csv
import io
import json
import os
import time
from datetime import UTC, datetime

import pytest
from running_service import until

from agent.cli import run
from agent.demo_files import demo_files

CONTENT = {file.name: file.content for file in demo_files()}["survey_2026.csv"]


@pytest.fixture
def running(own_service):
    return own_service


def day(days: int) -> str:
    return datetime.fromtimestamp(time.time() + days * 86400, UTC).date().isoformat()


@pytest.fixture
def terms(tmp_path):
    """Writes the terms of an agreement; gives back the file."""

    def terms(name, *scope, holder="University of Somewhere"):
        file = tmp_path / f"{name}.json"
        code = run(
            [
                "agreements", "new", str(file), "--id", name, "--holder", holder, "--purpose", "A study",
                "--condition", "no onward sharing", "--until", day(90), "--review", day(60), *map(str, scope),
            ]
        )  # fmt: skip
        assert code == 0
        return file

    return terms


@pytest.fixture
def approve(agreed, tmp_path):
    def approve(file, *who):
        for person in who or (agreed.owner, agreed.officer):
            key = person.key_file(tmp_path)
            assert run(["agreements", "approve", str(file), "--key", str(key), "--yes"]) == 0

    return approve


@pytest.fixture
def in_force(typed, terms, approve):
    def in_force(name, *scope, **terms_):
        file = terms(name, *scope, **terms_)
        approve(file)
        code, out, err = typed("agreements", "add", str(file))
        assert code == 0 and f"{name} is in_force" in out, err
        return file

    return in_force


def test_it_is_in_force_once_both_have_signed(typed, objects, terms, approve, agreed):
    file = terms("DAA-two", "--content", "00" * 32)
    for who, standing in ((agreed.owner, "pending"), (agreed.officer, "in_force")):
        approve(file, who)
        code, out, _ = typed("agreements", "add", str(file))
        assert code == 0 and f"DAA-two is {standing}" in out
    (row,) = [r for r in objects("agreements", "list") if r["agreement_id"] == "DAA-two"]
    assert row["standing"] == "in_force" and set(row["approved_by"]) == {"A. Owner", "B. Officer"}
    code, out, _ = typed("agreements", "show", "DAA-two")
    assert code == 0 and "no onward sharing" in out


def test_an_edited_file_is_refused(typed, terms, approve):
    file = terms("DAA-narrow", "--content", "00" * 32)
    wide = terms("DAA-wide", "--root", "/")
    approve(file)
    plain = json.loads(wide.read_text()) | {"signatures": json.loads(file.read_text())["signatures"]}
    wide.write_text(json.dumps(plain))
    code, _, err = typed("agreements", "add", str(wide))
    assert code == 1 and "edited or forged" in err


@pytest.mark.parametrize(
    "wrong",
    [
        ["--review", day(6 * 365)],
        ["--until", "2020-01-01"],
        ["--content", "/nowhere/at/all"],
        ["--layout-of", "/nowhere/at/all", "--root", "/srv"],
        [],
    ],
)
def test_terms_that_may_not_be_are_not_written(tmp_path, wrong):
    file = tmp_path / "x.json"
    common = ["--id", "DAA-x", "--holder", "X", "--purpose", "x", "--until", day(9), "--review", day(9)]
    assert run(["agreements", "new", str(file), *common, *wrong]) == 2
    assert not file.exists()


def test_what_it_covers_stays_where_it_is_until_it_is_revoked(
    typed, objects, running, in_force, agreed, tmp_path
):
    shared = running.watched / "agreed"
    shared.mkdir()
    in_force("DAA-folder", "--root", shared)
    file = shared / "survey.csv"
    file.write_bytes(CONTENT)
    running.judge_all()
    assert file.exists()
    code, out, _ = typed("agreements", "check", str(file))
    assert code == 0 and "DAA-folder  University of Somewhere  holds" in out
    beside = running.watched / "beside.csv"
    assert typed("agreements", "check", str(beside))[0] == 2  # nothing is there
    key = agreed.officer.key_file(tmp_path)
    carried = tmp_path / "revocation.json"
    revoke = ("agreements", "revoke", "DAA-folder", "--key", str(key), "--reason", "breach")
    assert typed(*revoke, "--out", str(carried))[0] == 0
    assert running.entry_of(file)["path"] == str(file)
    assert not file.exists()
    assert typed("agreements", "add", str(carried))[0] == 0  # once more changes nothing
    (row,) = [r for r in objects("agreements", "list") if r["agreement_id"] == "DAA-folder"]
    assert row["standing"] == "revoked" and row["revoked_at"]


def test_a_content_that_is_covered_may_be_anywhere(running, in_force, tmp_path, typed):
    content = CONTENT + b"\n"
    (tmp_path / "copy.csv").write_bytes(content)
    in_force("DAA-content", "--content", tmp_path / "copy.csv")
    file = running.watched / "covered.csv"
    file.write_bytes(content)
    running.judge_all()
    assert file.read_bytes() == content
    code, _, _ = typed("agreements", "check", str(file))
    assert code == 0
    assert typed("agreements", "check", "11" * 32)[0] == 1


def test_a_layout_covers_other_waves_of_the_same_survey_in_that_folder(
    running, typed, terms, approve, tmp_path
):
    folder = running.watched / "waves"
    folder.mkdir()
    (tmp_path / "first.csv").write_bytes(CONTENT)
    file = terms("DAA-layout", "--layout-of", tmp_path / "first.csv", "--root", folder)
    approve(file)
    assert "is in_force" in typed("agreements", "add", str(file))[1]
    head, *rows = CONTENT.splitlines(keepends=True)
    second, other = folder / "second.csv", folder / "other.csv"
    second.write_bytes(head + b"".join(rows[100:900]))
    swapped = [b",".join(line.rstrip().split(b",")[::-1]) + b"\n" for line in (head, *rows)]
    other.write_bytes(b"".join(b"note " + line for line in swapped))
    running.judge_all()
    running.entry_of(other)
    assert second.exists() and not other.exists()
    assert typed("agreements", "check", str(second))[0] == 0


def report(typed, *options):
    code, out, err = typed("agreements", "report", *options)
    assert code == 0, err
    return out


def test_the_report_tells_who_was_authorised_to_what_and_by_whom(typed, running, in_force, tmp_path):
    folder = running.watched / "=reported"
    folder.mkdir()
    in_force("DAA-report", "--root", folder, holder="Institute of Examples")
    file = folder / "survey.csv"
    file.write_bytes(CONTENT)
    running.judge_all()
    log = running.settings.state_dir / "audit.jsonl"
    until(lambda: str(file) in log.read_text(), "it is in the audit log")
    lines = [json.loads(x) for x in report(typed, "--holder", "institute of EXAMPLES", "--json").splitlines()]
    assert lines[0]["audit_log_whole"] is True and lines[0]["rows"] == len(lines) - 1
    by_record = {line["record"]: line for line in lines[1:]}
    assert set(by_record) == {"agreement", "agreement_accepted", "exempted"}
    agreement, exempted = by_record["agreement"], by_record["exempted"]
    assert set(agreement["approved_by"].split(", ")) == {"A. Owner", "B. Officer"}
    assert "no onward sharing" in agreement["detail"] and str(folder) in agreement["detail"]
    assert (exempted["path"], exempted["proof"]) == (str(file), "DAA-report")
    assert int(exempted["records"]) > 100 and exempted["holder"] == "Institute of Examples"
    rows = list(
        csv.DictReader(io.StringIO(report(typed, "--holder", "Institute of Examples", "--format", "csv")))
    )
    assert {r["record"] for r in rows} == set(by_record)
    text = report(typed, "--holder", "Institute of Examples")
    assert "3 records" in text and str(file) in text
    assert report(typed, "--holder", "Nobody", "--format", "csv").splitlines()[1:] == []


def test_the_report_is_of_the_days_that_were_asked_for(typed, in_force):
    in_force("DAA-days", "--content", "22" * 32, holder="Days")
    past = ("--holder", "Days", "--from", "2020-01-01", "--to", "2020-02-01", "--format", "csv")
    assert len(report(typed, *past).splitlines()) == 1
    now = ("--holder", "Days", "--from", day(0), "--to", day(1), "--format", "csv")
    assert len(report(typed, *now).splitlines()) == 3


def test_a_report_from_a_log_that_is_not_whole_says_so(typed, running):
    log = running.settings.state_dir / "audit.jsonl"
    whole = log.read_bytes()
    try:
        log.write_bytes(whole.replace(b'"exempted"', b'"detected"', 1))
        code, out, err = typed("agreements", "report", "--json")
        assert (code == 1 and "not whole" in err) or "fault" in err
        assert json.loads(out.splitlines()[0])["audit_log_whole"] is False
    finally:
        with open(log, "r+b") as file:
            file.write(whole)


def test_an_entry_is_reviewed_and_kept(typed, objects, running):
    entry = objects("quarantine", "list")[0]
    assert entry["review_at"] > time.time() + 360 * 86400
    assert "nothing is due" in typed("quarantine", "list", "--due")[1]
    review = ("quarantine", "review", entry["entry_id"], "--note", "still needed")
    assert typed(*review, "--until", day(30))[0] == 0
    (now,) = objects("quarantine", "show", entry["entry_id"])
    assert now["review_at"] < time.time() + 31 * 86400
    assert typed(*review, "--until", "2020-01-01")[0] == 2
    assert typed(*review, "--until", day(6 * 366))[0] == 2


def test_a_statement_of_another_kind_is_not_signed_by_mistake(terms, agreed, tmp_path, capsys):
    file, key = terms("DAA-kind", "--content", "00" * 32), agreed.owner.key_file(tmp_path)
    assert run(["quarantine", "release", "approve", str(file), "--key", str(key), "--yes"]) == 2
    assert "not release" in capsys.readouterr().err
    assert json.loads(file.read_text())["signatures"] == []


def test_a_key_file_that_is_none_signs_nothing(terms, tmp_path, capsys):
    file = terms("DAA-key", "--content", "00" * 32)
    (tmp_path / "key").write_text("AGE-SECRET-KEY-1NONSENSE")
    for key in (tmp_path / "key", tmp_path / "none"):
        assert run(["agreements", "approve", str(file), "--key", str(key), "--yes"]) == 2
    assert "NONSENSE" not in capsys.readouterr().err
    assert os.listdir(tmp_path) and json.loads(file.read_text())["signatures"] == []
