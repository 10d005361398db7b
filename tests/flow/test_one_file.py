"""The whole path on real files: what is caught, what is never touched, what is left behind."""

from __future__ import annotations

import json
import os
import subprocess
import time

import pytest

CAUGHT_WITHIN_SECONDS = 30.0
"""Generous on purpose: the suite shares its machine. `make bench` measures."""


def test_a_pseudonymised_survey_is_taken_and_statistics_beside_it_are_untouched(service, made_up, drop):
    root = service.root()
    service.start()
    innocent = {
        drop(root / "table3.csv", made_up.statistics()): made_up.statistics(),
        drop(root / "extract.zip", made_up.aes_zip(made_up.survey())): None,
        drop(root / "photo.png", made_up.photo()): made_up.photo(),
    }
    innocent = {path: path.read_bytes() for path in innocent}
    stats = {path: path.stat() for path in innocent}
    survey = made_up.survey()
    started = time.monotonic()
    file = drop(root / "wave4.csv", survey)
    service.caught(file)
    assert time.monotonic() - started < CAUGHT_WITHIN_SECONDS

    assert list(service.vault_digests().values()) == [made_up.digest(survey)]
    service.settled()
    for path, content in innocent.items():
        assert path.read_bytes() == content
        now, before = path.stat(), stats[path]
        assert (now.st_ino, now.st_mtime_ns, now.st_mode) == (
            before.st_ino,
            before.st_mtime_ns,
            before.st_mode,
        )
    assert {p.name for p in root.iterdir()} == {
        "table3.csv", "extract.zip", "photo.png", "wave4.csv.quarantined.txt",
    }  # fmt: skip


def test_exactly_one_alert_tells_what_was_done(service, made_up, drop):
    root = service.root()
    service.start()
    record = service.caught(drop(root / "wave4.csv", made_up.survey()))
    service.settled(quiet=1.0)
    records = service.alerts("wave4.csv")
    assert len({r["finding_info"]["uid"] for r in records}) == 1
    assert len(records) == 1
    assert record["class_uid"] == 2006
    assert record["disposition"] == "Quarantined"
    assert record["action"] == "Denied"


def test_the_notice_gives_the_reference_that_opens_the_entry(service, made_up, drop):
    root = service.root()
    service.start()
    file = drop(root / "wave4.csv", made_up.survey())
    service.caught(file)
    (entry_id,) = service.vault_digests()
    assert entry_id in (root / "wave4.csv.quarantined.txt").read_text()


def test_debians_age_opens_an_entry_without_us(service, made_up, drop, need):
    need("age")
    root = service.root()
    service.start()
    survey = made_up.survey()
    service.caught(drop(root / "wave4.csv", survey))
    (file,) = (service.state / "vault" / "entries").glob("*.age")
    opened = subprocess.run(
        ["age", "-d", "-i", str(service.key_file), str(file)], capture_output=True, check=True
    )
    assert opened.stdout == survey


def test_a_file_is_restored_byte_for_byte_and_then_let_be(service, made_up, drop):
    root = service.root()
    service.start()
    survey = made_up.survey()
    file = root / "wave4.csv"
    temporary = drop(service.base / "made", survey)
    temporary.chmod(0o640)
    os.utime(temporary, (1_600_000_000, 1_600_000_000))
    temporary.rename(file)
    alert = service.caught(file)
    (entry_id,) = service.vault_digests()
    restore = ("quarantine", "restore", entry_id, "--identity", str(service.key_file))
    refused = service.command(*restore)
    assert refused.returncode != 0, "given back to where it would be taken again"
    assert not file.exists()
    decided = service.command(
        "alerts", "decide", alert["finding_info"]["uid"], "false_positive", "--note", "made up"
    )
    assert decided.returncode == 0, decided.stderr
    done = service.command(*restore)
    assert done.returncode == 0, done.stderr
    assert file.read_bytes() == survey
    assert (file.stat().st_mode & 0o777, file.stat().st_mtime) == (0o640, 1_600_000_000)
    service.settled(quiet=0.5)
    assert file.exists(), "the file was taken again though it had been given back"


def test_a_wrong_key_gives_nothing_back(service, made_up, drop):
    root = service.root()
    service.start()
    file = drop(root / "wave4.csv", made_up.survey())
    service.caught(file)
    (entry_id,) = service.vault_digests()
    wrong = service.base / "wrong.txt"
    assert service.command("keys", "new", str(wrong)).returncode == 0
    to = service.base / "out.csv"
    done = service.command("quarantine", "restore", entry_id, "--identity", str(wrong), "--to", str(to))
    assert done.returncode != 0
    assert not to.exists()


def test_audit_mode_tells_and_touches_nothing(service, made_up, drop):
    service.settings["policy"]["mode"] = "audit"
    root = service.root()
    service.start()
    survey = made_up.survey()
    file = drop(root / "wave4.csv", survey)
    made_up.wait(lambda: service.alerts(file), "an alert")
    service.settled(quiet=0.5)
    assert file.read_bytes() == survey
    assert os.listdir(root) == ["wave4.csv"]
    assert service.alerts(file)[0]["disposition"] == "Detected"
    assert service.vault_digests() == {}


SMALL_COUNTS = b"""Table 4: Leavers by area and year
Area,2021,2022,2023,2024,Total
North,120,131,3,140,394
South,220,2,231,240,693
East,75,81,88,1,245
West,64,61,70,72,267
Total,479,275,392,453,1599
"""


def test_small_counts_on_a_website_are_told_and_left(service, made_up, drop):
    website, share = service.root("website", zone="website"), service.root("share")
    service.start()
    drop(share / "table.csv", SMALL_COUNTS)
    table = drop(website / "table.csv", SMALL_COUNTS)
    made_up.wait(lambda: service.alerts(table), "an alert")
    service.settled(quiet=0.5)
    (record,) = service.alerts("table.csv")
    assert (record["disposition"], record["status_detail"]) == ("Detected", "small_cells")
    assert record["file"]["path"] == str(table)
    assert table.read_bytes() == (share / "table.csv").read_bytes() == SMALL_COUNTS


def test_files_that_were_there_before_the_start_are_found_by_the_sweep(service, made_up, drop):
    root = service.root()
    (root / "deep" / "er").mkdir(parents=True)
    survey = made_up.survey()
    file = drop(root / "deep" / "er" / "old.csv", survey)
    service.start()
    service.caught(file)
    assert list(service.vault_digests().values()) == [made_up.digest(survey)]


def test_a_save_by_rename_is_caught(service, made_up, drop):
    root = service.root()
    service.start()
    temporary = drop(root / ".wave4.csv.tmp1234", made_up.survey())
    temporary.rename(root / "wave4.csv")
    made_up.wait(lambda: service.vault_digests(), "the content in the vault")
    made_up.wait(lambda: not (root / "wave4.csv").exists(), "the file gone")


def test_a_file_that_is_still_open_for_writing_is_taken_only_when_whole(service, made_up):
    root = service.root()
    service.start()
    survey = made_up.survey(2000)
    with (root / "slow.csv").open("wb") as file:
        for start in range(0, len(survey), 20_000):
            file.write(survey[start : start + 20_000])
            file.flush()
            time.sleep(0.05)
    service.caught(root / "slow.csv")
    assert list(service.vault_digests().values()) == [made_up.digest(survey)]


def test_an_unchanged_file_is_not_judged_twice(service, made_up, drop):
    root = service.root()
    for number in range(20):
        drop(root / f"table{number}.csv", made_up.statistics())
    service.start()
    service.settled()
    service.stop()
    service.start()
    (swept,) = [r["swept"] for r in service.status()["roots"]]
    assert swept["files"] == 20
    assert swept["judged"] == 0


def test_a_name_cannot_steer_a_terminal_or_forge_a_line(service, made_up, drop):
    root = service.root()
    service.start()
    name = "wave\x1b[2Jfour\nforged: line\u202e.csv"
    service.caught(drop(root / name, made_up.survey()))
    shown = [
        service.command("quarantine", "list"),
        service.command("alerts", "list"),
        service.command("status"),
        service.command("scan", str(root), "--all"),
    ]
    for done in shown:
        for bad in ("\x1b[2J", "\nforged", "\u202e"):
            assert bad not in done.stdout + done.stderr
    assert "\x1b[2J" not in service.log()
    for line in service.alert_file.read_text().splitlines():
        json.loads(line)


def test_enforcing_without_a_recipient_refuses_to_start(service):
    service.root()
    service.settings["vault"]["recipients"] = []
    service.start(wait=False)
    assert service.process.wait(60) == 78
    assert "recipient" in service.log()


@pytest.mark.parametrize("broken", ['[policy]\nmode = "enforced"\n', "[polcy]\n", "not toml"])
def test_a_reload_of_a_wrong_configuration_keeps_the_last_good_one(service, made_up, drop, broken):
    root = service.root()
    service.start()
    good = service.config.read_text()
    service.config.write_text(good.replace("[policy]\n", broken) if "policy" in broken else good + broken)
    service.process.send_signal(1)
    made_up.wait(lambda: "config" in service.log().lower(), "the log names the fault")
    service.caught(drop(root / "wave4.csv", made_up.survey()))
