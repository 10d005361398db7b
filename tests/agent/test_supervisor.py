"""The supervisor as it runs: roots that come and go, new configurations, faults of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from running_service import MadeUp, RunningService, put, until

from agent.audit import verify
from agent.supervisor import VOLUMES_MOST


@pytest.fixture
def service() -> Iterator[RunningService]:
    base = Path(tempfile.mkdtemp(prefix="rw-supervisor-"))
    running = RunningService(base)
    yield running
    running.stop()
    shutil.rmtree(base, ignore_errors=True)


def states(service: RunningService) -> dict[str, str]:
    status = service.status()
    return {r["path"]: r["state"] for r in status["roots"]} if status else {}


def events(service: RunningService) -> list[str]:
    log = service.state / "audit.jsonl"
    return [json.loads(line)["event"] for line in log.read_text().splitlines()]


def hang_up(service: RunningService) -> None:
    assert service.process is not None
    service.process.send_signal(signal.SIGHUP)


def test_a_wrong_configuration_on_reload_keeps_the_last_good_one_and_names_the_key(
    service: RunningService,
) -> None:
    root = service.root()
    service.start()
    service.config.write_text(service.config.read_text() + "\n[watch.nonsense]\nx = 1\n")
    hang_up(service)
    until(lambda: "refused" in service.log(), "the refusal is said")
    assert "nonsense" in service.log()
    service.caught(put(root / "a.csv", MadeUp.survey()))


def test_a_stanza_that_only_the_worker_understands_is_refused_on_reload_too(service: RunningService) -> None:
    service.root()
    service.start()
    digest = (service.status() or {})["config_digest"]
    service.config.write_text(service.config.read_text() + "\n[detectors.no_such_detector]\nx = 1\n")
    hang_up(service)
    until(lambda: "refused" in service.log(), "the refusal is said")
    assert (service.status() or {})["config_digest"] == digest


def test_a_reload_brings_new_roots_and_lets_old_ones_go(service: RunningService) -> None:
    old = service.root("old")
    service.start()
    service.roots.clear()
    new = service.root("new")
    survey = put(old / "a.csv", MadeUp.statistics())
    service.configure()
    hang_up(service)
    until(lambda: list(states(service)) == [str(new)], "only the new root is watched")
    service.caught(put(new / "b.csv", MadeUp.survey()))
    assert survey.exists()


def test_stricter_rules_after_a_reload_judge_again_what_lies_there(service: RunningService) -> None:
    root = service.root()
    service.settings["policy"]["mode"] = "audit"
    service.start()
    file = put(root / "a.csv", MadeUp.survey())
    until(lambda: service.alerts(file), "it is told")
    until(lambda: service.status()["sinks"]["file"]["delivered"], "and known to be")  # else it is told anew
    assert file.exists()
    service.settings["policy"]["mode"] = "enforce"
    service.configure()
    hang_up(service)
    service.caught(file)
    until(lambda: len(service.alerts(file)) == 2, "the alert is updated")
    assert len({r["finding_info"]["uid"] for r in service.alerts(file)}) == 1
    assert [r["activity_name"] for r in service.alerts(file)] == ["Create", "Update"]


def test_a_root_behind_a_link_is_watched_where_it_leads(service: RunningService) -> None:
    real = service.root("real")
    (service.base / "link").symlink_to(real)
    service.roots[0]["path"] = service.base / "link"
    service.start()
    assert list(states(service)) == [str(real)]
    service.caught(put(real / "a.csv", MadeUp.survey()))


def test_a_file_dated_far_into_the_future_is_taken_like_any_other(service: RunningService) -> None:
    root = service.root()
    file = root / "a.csv"
    file.write_bytes(MadeUp.survey())
    file.with_name("table.csv").write_bytes(MadeUp.statistics())
    seconds = 13_569_465_600  # in 2400: its nanoseconds do not fit into 64 bits with a sign
    for path in (file, file.with_name("table.csv")):
        os.utime(path, (seconds, seconds))
    service.start()
    service.caught(file)
    service.settled()
    assert file.with_name("table.csv").exists()


def test_a_restricted_folder_inside_a_root_is_left_alone_and_recorded(service: RunningService) -> None:
    root = service.root()
    inner = service.root("root/approved", handling="restricted")
    service.start()
    kept = put(inner / "a.csv", MadeUp.survey())
    service.caught(put(root / "b.csv", MadeUp.survey(seed=2)))
    service.settled()
    assert kept.exists()
    rows = service.ask("alerts", recorded=True)
    assert [(r["reason"], r["state"]) for r in rows if r["path"] == str(kept)] == [
        ("restricted_root", "recorded")
    ]
    assert service.alerts(kept) == []


def test_a_root_that_is_not_there_yet_is_shown_and_taken_up_later(service: RunningService) -> None:
    service.root("here")
    later = service.base / "later"
    service.roots.append({"path": later})
    service.configure()
    service.start(wait=False)
    until(lambda: states(service).get(str(later)) == "waiting", "it is shown as waiting")
    later.mkdir()
    until(lambda: states(service).get(str(later)) == "native", "it is watched")
    service.caught(put(later / "a.csv", MadeUp.survey()))


def test_a_rotated_alert_file_is_followed(service: RunningService) -> None:
    root = service.root()
    service.start()
    service.caught(put(root / "a.csv", MadeUp.survey()))
    service.alert_file.rename(service.base / "alerts.1")
    service.caught(put(root / "b.csv", MadeUp.survey(seed=2)))
    assert len(service.alerts()) == 1


def test_alerts_wait_while_nothing_can_take_them_and_arrive_once(service: RunningService) -> None:
    root = service.root()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    service.settings["alerts.syslog"] = {"transport": "tcp", "host": "127.0.0.1", "port": port}
    service.start()
    service.caught(put(root / "a.csv", MadeUp.survey()))
    until(lambda: (service.status() or {})["sinks"]["syslog"]["error"] == "ECONNREFUSED", "syslog refuses")
    with socket.create_server(("127.0.0.1", port)) as server:
        server.settimeout(60)
        connection, _ = server.accept()
        with connection:
            message = b"".join(iter(lambda: connection.recv(65536), b""))
    uid = service.alerts()[0]["finding_info"]["uid"].encode()
    assert uid in message and message.split(b" ", 1)[1].startswith(b"<1")
    until(lambda: (service.status() or {})["sinks"]["syslog"]["delivered"] == 1, "it counts as delivered")


def test_a_dead_courier_is_replaced(service: RunningService) -> None:
    root = service.root()
    service.start()
    assert service.kill("courier")
    service.caught(put(root / "a.csv", MadeUp.survey()))
    assert len(service.alerts()) == 1


def test_it_ends_in_order_and_quickly(service: RunningService) -> None:
    service.root()
    service.start()
    assert service.process is not None
    family = [p for role in ("keeper", "template", "courier") for p in service.processes(role)]
    started = time.monotonic()
    service.process.terminate()
    assert service.process.wait(60) == 0
    assert time.monotonic() - started < 15
    until(lambda: not any(p.is_running() for p in family), "all of them are gone", 60)
    assert not (service.state / "control.sock").exists()
    assert events(service)[-1] == "service_stopped"
    assert verify(service.state / "audit.jsonl") == (len(events(service)), [])


def test_two_services_on_one_state_folder_do_not_both_run(service: RunningService) -> None:
    service.root()
    service.start()
    done = service.command("run")
    assert done.returncode != 0
    assert "another service" in done.stderr
    assert service.status()


def test_the_own_disk_without_a_proof_is_told_once(service: RunningService) -> None:
    service.root()
    service.settings["alerts"]["own_disk"] = True
    service.start()
    bare = [v for v in (service.status() or {})["own_disk"] if not v["encryption_proof"]]
    if not bare:
        pytest.skip("this machine's disk is encrypted")
    until(lambda: len(service.alerts()) == 1, "it is told")
    service.stop()
    service.start()
    service.settled()
    [record] = service.alerts()
    assert record["unmapped"]["finding"] == "own_disk" and record["is_alert"]
    assert "not provably encrypted" in service.command("status").stdout


def test_heartbeats_tell_each_root_with_its_proof_and_its_changes_are_on_record(
    service: RunningService,
) -> None:
    root = service.root()
    service.settings["alerts"]["heartbeat_seconds"] = 0.5
    service.settings["watch"]["canary_seconds"] = 0.5
    service.start()

    def beats(word: str, proof: str) -> bool:
        told = [r["unmapped"]["coverage"][0] for r in service.alerts() if r["class_uid"] == 6007]
        return any((t["coverage"], t["proof"]) == (word, proof) for t in told)

    until(lambda: beats("native", "seen"), "a heartbeat with its proof")
    until(lambda: "heartbeat" in events(service), "it is in the audit log")
    assert "proved by a canary" in service.command("coverage").stdout
    assert not list(root.glob(".rw-canary-*.txt"))
    root.rename(service.base / "away")
    until(lambda: beats("offline", "seen") or beats("no_access", "seen"), "a heartbeat without the root")
    assert "coverage_changed" in events(service)
    (service.base / "away").rename(root)
    service.stop()
    assert list(root.iterdir()) == []


@pytest.mark.root
def test_a_full_disk_stops_protection_loudly_and_loses_nothing(service: RunningService) -> None:
    root = service.root()
    service.state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", service.state], check=True)
    try:
        service.start()
        survey = MadeUp.survey()
        filler = os.open(service.state / "filler", os.O_WRONLY | os.O_CREAT)
        with contextlib.suppress(OSError):
            while os.write(filler, b"x" * 4096):
                pass
        os.close(filler)
        file = put(root / "a.csv", survey)
        assert service.process is not None
        code = service.process.wait(60)
        assert code != 0
        assert "PROTECTION HAS STOPPED" in service.log()
        assert file.read_bytes() == survey
        (service.state / "filler").unlink()
        service.start()
        service.caught(file)
    finally:
        service.stop()
        subprocess.run(["umount", "-l", service.state], check=True)


@pytest.mark.root
def test_a_drive_is_a_root_within_a_moment_of_its_mount(service: RunningService) -> None:
    service.root()
    point = service.base / "stick"
    point.mkdir()
    service.settings["watch.volumes"] = {
        "removable": True,
        "shares": False,
        "treat_as_removable": [str(point)],
    }
    service.start()
    subprocess.run(["mount", "-t", "tmpfs", "none", point], check=True)
    try:
        started = time.monotonic()
        until(lambda: str(point) in states(service), "it is a root")
        assert time.monotonic() - started < 15  # 50 ms on an idle machine
        until(lambda: states(service)[str(point)] == "native", "it is watched")
        service.caught(put(point / "a.csv", MadeUp.survey()))
    finally:
        assert subprocess.run(["umount", point]).returncode == 0
    until(lambda: str(point) not in states(service), "it is none any more")
    until(lambda: "root_detached" in events(service), "that is on record")


@pytest.mark.root
def test_a_removal_that_was_under_way_when_everything_died_is_finished_under_its_one_alert(
    service: RunningService,
) -> None:
    service.root()
    point, image = service.base / "stick", service.base / "image"
    point.mkdir()
    with image.open("wb") as file:
        file.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, point], check=True)
    survey = put(point / "a.csv", MadeUp.survey())
    service.settings["watch.volumes"] = {
        "removable": True,
        "shares": False,
        "treat_as_removable": [str(point)],
    }
    try:
        # as if all had died between custody and removal
        service.start()
        service.caught(survey)
        service.stop()
        ledger = sqlite3.connect(service.state / "ledger.db")
        ledger.execute("UPDATE entries SET state = 'vaulted'")
        ledger.execute("UPDATE alerts SET state = 'held', disposition = 'not_removed'")
        ledger.commit()
        ledger.close()
        point.joinpath("a.csv").write_bytes(MadeUp.survey())
        point.joinpath("a.csv.quarantined.txt").unlink()
        service.start()
        until(lambda: not survey.exists(), "the removal is finished")
        until(lambda: len(service.alerts(survey)) == 2, "and told")
        assert len({r["finding_info"]["uid"] for r in service.alerts(survey)}) == 1
        assert len(service.vault_digests()) == 1
    finally:
        service.stop()
        subprocess.run(["umount", point], check=True)


@pytest.mark.root
@pytest.mark.system
def test_more_mounts_than_it_will_watch_are_shown_as_such(
    service: RunningService,
) -> None:
    """Whoever may mount could make it start a keeper for each of a thousand mounts."""
    most = 64
    points = [service.base / "many" / f"{n:03}" for n in range(most + 6)]
    service.root()
    service.settings["watch.volumes"] = {
        "removable": True, "shares": False, "treat_as_removable": [str(service.base / "many" / "*")],
    }  # fmt: skip
    service.settings["service"]["stuck_seconds"] = 60.0
    assert most == VOLUMES_MOST
    service.start()
    try:
        for point in points:
            point.mkdir(parents=True)
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", point], check=True)
        until(lambda: len(states(service)) == len(points) + 1, "all are shown")
        faults = [r["fault"] for r in (service.status() or {})["roots"]]
        assert faults.count("too_many") == 6
        assert "mounts should be watched" in service.log()
    finally:
        service.stop()
        for point in points:
            subprocess.run(["umount", point], check=False, capture_output=True)


def test_idle_it_does_next_to_nothing(service: RunningService) -> None:
    service.root()
    service.start()
    assert service.process is not None
    stat = Path(f"/proc/{service.process.pid}/stat")

    def ticks() -> int:
        fields = stat.read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def spent_in_three_seconds() -> float:
        before = ticks()
        time.sleep(3)
        return (ticks() - before) / os.sysconf("SC_CLK_TCK")

    time.sleep(0.5)
    # on a busy machine the same work costs more; a loop that spins costs fifty times as much, each time
    until(lambda: spent_in_three_seconds() < 0.06, "three seconds in which it does next to nothing")


@pytest.mark.system
def test_what_came_while_the_service_was_cut_off_is_taken_though_routine_sweeps_pause(
    service: RunningService,
) -> None:
    root = service.root()
    service.settings["governor"]["quiet_hours"] = ["00:00-12:00", "12:00-00:00"]
    service.start(wait=False)
    until(lambda: states(service).get(str(root)) == "native", "it is watched")
    assert service.process is not None
    os.killpg(service.process.pid, signal.SIGKILL)
    service.process.wait()
    file = put(root / "a.csv", MadeUp.survey())
    service.start(wait=False)
    service.caught(file)
