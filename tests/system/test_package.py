"""The package on a clean machine: installed, set up, drives plugged in and out, killed, suspended, removed.

`make deb && RECORDWARDEN_VM=FOLDER make system`; FOLDER is made by tests/system/build_image.sh. One machine
for all; each test goes on where the one before left it. QEMU emulates, so this takes many minutes; with
MACHINE=container all that needs no kernel and no clock of its own runs in a container, in four.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from collections.abc import Iterator

import pytest
from custody_rig import survey
from packaged import ALERTS, PYTHON, STATE, SURVEY, Packaged, newest, packaged

pytestmark = [pytest.mark.system, pytest.mark.timeout(3600)]
PULLED = "disk/by-id/*PULLED*"
UNDER_WAY = (
    f"for i in $(seq 12000); do for f in {STATE}/vault/tmp/*; do [ -s $f ] && break 2; done; sleep .05; done;"
    " [ $i -lt 12000 ]"
)
STATES = """
import sys, time
from pathlib import Path
from agent.commands.asking import ask_at
socket, path, wanted = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
until = time.monotonic() + 600
while time.monotonic() < until:
    if wanted in (root["state"] for root in ask_at(socket, "status")["roots"] if root["path"] == path):
        sys.exit(0)
    time.sleep(0.1)
sys.exit(1)
"""
"""Asks for the status often enough to see what lasts a second."""


def _large() -> bytes:
    """A survey that takes seconds to be taken."""
    return survey(11, rows=2_000_000)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Packaged]:
    with packaged(tmp_path_factory, recordwarden=newest("*.deb")) as made:
        made.drive("stick", {"survey.csv": SURVEY, "notes.txt": b"Meeting at ten.\n"})
        made.drive("locked", {})
        made.drive("pulled", {"survey.csv": _large()})
        yield made


def test_it_installs_sets_up_and_watches(machine: Packaged) -> None:
    begun = time.monotonic()
    machine.run("dpkg -i /shared/files/recordwarden.deb", 1800)
    print(f"\ninstalled after {time.monotonic() - begun:.0f} s", flush=True)
    machine.set_up()
    print(f"set up and watching after {time.monotonic() - begun:.0f} s", flush=True)
    checks = machine.run("recordwarden doctor --json || true").splitlines()
    assert not [c for c in map(json.loads, checks) if c["level"] == "fault"], checks


def test_a_survey_on_a_stick_is_caught_with_its_notice_and_its_alert(machine: Packaged) -> None:
    machine.plug("stick", "sda")
    machine.run("mkdir -p /media/stick && mount /dev/sda /media/stick")
    took = machine.until("[ ! -e /media/stick/survey.csv ]", "the survey is taken")
    print(f"\ncaught {took:.1f} s after it was mounted", flush=True)
    machine.until("[ -s /media/stick/survey.csv.quarantined.txt ]", "the notice is there")
    assert machine.run("cat /media/stick/notes.txt") == "Meeting at ten."
    machine.until(f"grep -q quarantined {ALERTS} && grep -q /media/stick {ALERTS}", "the alert is out")
    machine.until("journalctl -q _TRANSPORT=syslog | grep -q quarantined.*/media/stick", "syslog has it")
    assert machine.ciphertexts() == len(machine.entries()) == 1


@pytest.mark.parametrize(
    ("kind", "mkfs", "device"),
    [
        pytest.param("stick", "mkfs.vfat", "disk/by-id/usb*_VFAT-*", id="vfat"),
        pytest.param("stick", "mkfs.exfat", "disk/by-id/usb*_EXFAT-*", id="exfat"),
        pytest.param("disk", "mkfs.vfat", "disk/by-id/usb*_DISK-*", id="disk"),
        pytest.param("card", "mkfs.vfat", "mmcblk0", id="card"),
    ],
)
def test_whatever_kind_of_drive_comes_its_survey_is_taken(
    machine: Packaged, request: pytest.FixtureRequest, kind: str, mkfs: str, device: str
) -> None:
    """A stick, a USB disk that does not call itself removable, an SD card in a reader of its own."""
    machine.emulated()
    name = request.node.callspec.id
    if kind == "card":
        machine.run(f"udevadm settle; {mkfs} /dev/{device}")
    else:
        with (machine.folder / name).open("wb") as file:
            file.truncate(64 << 20)
        subprocess.run([mkfs, machine.folder / name], check=True, capture_output=True)
        machine.plug(name, device, removable=kind == "stick")
    place = f"/media/{name}"
    machine.run(f"mkdir -p {place} && mount /dev/{device} {place} && cp /shared/files/survey.csv {place}/")
    took = machine.until(f"[ ! -e {place}/survey.csv ]", "the survey is taken")
    print(f"\n{name}: caught {took:.1f} s after it was written", flush=True)
    machine.until(f"[ -s {place}/survey.csv.quarantined.txt ]", "the notice is there")
    [root] = [r for r in machine.status()["roots"] if r["path"] == place]
    assert (root["zone"], root["volume"]["kind"]) == ("removable", "removable")
    machine.run(f"umount {place}")
    machine.until(f"! recordwarden status | grep -q {place}", "its root is gone")
    if kind != "card":
        machine.emulated().unplug(name)


def test_a_stick_with_luks_is_left_alone_and_recorded_with_the_proof(machine: Packaged) -> None:
    machine.emulated()
    machine.plug("locked", "sdb")
    machine.run(
        "printf word > /run/k; cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2"
        " --pbkdf-force-iterations 1000 /dev/sdb /run/k && cryptsetup open -d /run/k /dev/sdb luks"
        " && mkfs.ext4 -q -F /dev/mapper/luks && mkdir -p /media/locked"
        " && mount /dev/mapper/luks /media/locked"
    )
    machine.until("recordwarden status | grep -q /media/locked", "it is watched")
    machine.run("cp /shared/files/survey.csv /media/locked/ && sync")
    machine.until(
        f"grep -q dm-crypt {STATE}/audit.jsonl || recordwarden alerts list --json | grep -q dm-crypt",
        "it is on record with the proof",
    )
    machine.run("cmp /shared/files/survey.csv /media/locked/survey.csv")


def test_a_stick_pulled_out_in_mid_quarantine_loses_nothing_and_is_finished_at_the_next_plug(
    machine: Packaged,
) -> None:
    known, mount = machine.entries(), f"mkdir -p /media/pulled && mount /dev/{PULLED} /media/pulled"
    machine.plug("pulled", PULLED)
    machine.run(mount)
    machine.run(UNDER_WAY, 1200)
    machine.machine.unplug("pulled")
    machine.run("umount -l /media/pulled")  # as a desktop does when a drive is gone
    machine.until("! recordwarden status | grep -q /media/pulled", "its root is gone")
    machine.until(f'[ -z "$(ls {STATE}/vault/tmp)" ]', "nothing half-written is left")
    counted = [e for e in machine.entries() if e not in known]
    print(f"\npulled out; in custody by then: {[e['state'] for e in counted]}", flush=True)
    # whole or not at all: what memory still held of the file may have been enough
    assert {e["state"] for e in counted} <= {"vaulted", "not_removed"}
    assert machine.ciphertexts() == len(known) + len(counted)
    machine.run("recordwarden quarantine verify --identity /shared/files/key", 1200)
    machine.plug("pulled", PULLED)
    machine.run(mount)
    took = machine.until("[ -s /media/pulled/survey.csv.quarantined.txt ]", "it is finished")
    print(f"finished {took:.0f} s after it was mounted again", flush=True)
    machine.run("[ ! -e /media/pulled/survey.csv ]")
    [entry] = [e for e in machine.entries() if e not in known]
    assert (entry["state"], entry["sha256"]) == ("quarantined", hashlib.sha256(_large()).hexdigest())
    machine.run("recordwarden quarantine verify --identity /shared/files/key", 1200)


def test_an_ordinary_users_file_is_caught_while_the_unit_is_hardened(machine: Packaged) -> None:
    machine.run("id tess 2>/dev/null || useradd -m tess; chmod 1777 /srv/returns")
    machine.run("su tess -c 'cp /shared/files/survey.csv /srv/returns/of-tess.csv'")
    machine.until("[ ! -e /srv/returns/of-tess.csv ]", "it is taken")
    machine.run("[ $(stat -c %U /srv/returns/of-tess.csv.quarantined.txt) = tess ]")


def test_killed_it_is_back_by_itself_and_what_came_meanwhile_is_caught(machine: Packaged) -> None:
    kill = "kill -9 $(systemctl show -p MainPID --value recordwarden)"
    machine.run(f"{kill}; cp /shared/files/survey.csv /srv/returns/late.csv")
    took = machine.until("[ ! -e /srv/returns/late.csv ]", "it is back and took it")
    print(f"\nback and caught {took:.0f} s after the kill", flush=True)
    machine.run("systemctl is-active recordwarden")


def test_a_keeper_that_is_suspended_shows_as_stuck_and_is_replaced(machine: Packaged) -> None:
    roots = {root["path"]: root for root in machine.status()["roots"]}
    machine.run(
        f"kill -STOP {roots['/srv/returns']['pid']}; cp /shared/files/survey.csv /srv/returns/slept.csv"
    )
    begun = time.monotonic()
    machine.run(f"{PYTHON} -c '{STATES}' {STATE}/control.sock /srv/returns stuck")
    print(f"\nstuck after {time.monotonic() - begun:.0f} s", flush=True)
    took = machine.until("[ ! -e /srv/returns/slept.csv ]", "another keeper took it")
    print(f"taken {took:.0f} s later", flush=True)
    machine.until("recordwarden status | grep -q returns.*native", "it is watched as before")
    machine.run(f"grep keeper_lost {STATE}/audit.jsonl | grep -q stuck")


def test_a_service_that_is_suspended_is_replaced_by_systemd(machine: Packaged) -> None:
    pid = machine.run("systemctl show -p MainPID --value recordwarden")
    machine.run(f"kill -STOP {pid}; cp /shared/files/survey.csv /srv/returns/watchdog.csv")
    took = machine.until("[ ! -e /srv/returns/watchdog.csv ]", "its successor took it")
    print(f"\nback and caught {took:.0f} s after it was suspended", flush=True)
    assert machine.run("systemctl show -p MainPID --value recordwarden") != pid


def test_a_machine_that_slept_goes_on(machine: Packaged) -> None:
    machine.machine.pause()
    time.sleep(90)
    machine.machine.go_on()
    machine.run("cp /shared/files/survey.csv /srv/returns/awake.csv")
    took = machine.until("[ ! -e /srv/returns/awake.csv ]", "it is taken after the machine slept")
    print(f"\ncaught {took:.0f} s after it woke", flush=True)
    machine.until("systemctl is-active recordwarden", "the service runs")


def test_a_clock_that_jumps_holds_nothing_up(machine: Packaged) -> None:
    machine.emulated()
    for number, jump in enumerate(("+3 hours", "-2 days")):
        name = f"/srv/returns/clock-{number}.csv"
        machine.run(f"date -s '{jump}' && cp /shared/files/survey.csv {name}")
        machine.until(f"[ ! -e {name} ]", f"it is taken with the clock moved by {jump}")
    machine.run("systemctl is-active recordwarden")


def test_a_stop_is_told_and_closed_by_the_next_start_but_no_restart_is(machine: Packaged) -> None:
    machine.run("systemctl restart recordwarden", 600)
    assert machine.run(f"grep -c agent_ended {ALERTS} || true") == "0"
    machine.run(f"systemctl stop recordwarden && grep agent_stopped {ALERTS}", 600)
    machine.run("systemctl start recordwarden", 600)
    machine.until(f"grep -q agent_started {ALERTS}", "the alert is closed")


def test_removal_keeps_the_vault_and_so_does_purge_while_it_holds_something(machine: Packaged) -> None:
    entries = machine.ciphertexts()
    assert entries == len(machine.entries()) > 0
    machine.run("dpkg -r recordwarden", 900)
    assert machine.ciphertexts() == entries
    machine.run(f"grep agent_removed {ALERTS}")
    machine.run("dpkg -P recordwarden || true", 900)
    assert machine.ciphertexts() == entries
    machine.run("! pgrep -f agent.keeper")
