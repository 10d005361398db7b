"""The package on a clean machine: installed, set up, drives plugged in, killed, removed.

`make deb && RECORDWARDEN_VM=FOLDER make system`; FOLDER is made by tests/system/build_image.sh. One machine
for all; each test goes on where the one before left it. QEMU emulates, so this takes minutes.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest
from custody_rig import survey
from machine import Machine

pytestmark = [pytest.mark.system, pytest.mark.timeout(3600)]
CHECKOUT = Path(__file__).parents[2]
SURVEY = survey(7, rows=600)
STATE = "/var/lib/recordwarden"
PATIENCE = 600


def until(machine: Machine, condition: str, what: str) -> float:
    """Seconds until a shell's condition holds in the machine."""
    begun = time.monotonic()
    ask = f"for i in $(seq {PATIENCE * 2}); do {condition} && break; sleep .5; done; {condition}"
    try:
        machine.run(ask, PATIENCE * 3)
    except AssertionError:
        log = machine.run("journalctl -u recordwarden -n 40 --no-pager; recordwarden status")
        raise AssertionError(f"never: {what}\n{log}") from None
    return time.monotonic() - begun


def plug(machine: Machine, name: str, device: str) -> None:
    folder: Path = machine.drives  # type: ignore[attr-defined]
    machine.plug(name, folder / name, device, removable=True, serial=name.upper())


def drive(path: Path, files: dict[str, bytes]) -> Path:
    """An ext4 image with these files."""
    tree = path.with_suffix(".tree")
    tree.mkdir()
    for name, content in files.items():
        (tree / name).write_bytes(content)
    with path.open("wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", str(tree), str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def identity() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, identity: pyrage.x25519.Identity) -> Iterator[Machine]:
    image, packages = os.environ.get("RECORDWARDEN_VM"), sorted((CHECKOUT / "build").glob("*.deb"))
    if not image:
        pytest.skip("RECORDWARDEN_VM names no machine: see tests/system/build_image.sh")
    if not packages:
        pytest.skip("there is no package in build/: make deb")
    folder = tmp_path_factory.mktemp("package")
    (folder / "shared").mkdir()
    (folder / "shared" / "recordwarden.deb").write_bytes(packages[-1].read_bytes())
    (folder / "shared" / "survey.csv").write_bytes(SURVEY)
    drive(folder / "stick", {"survey.csv": SURVEY, "notes.txt": b"Meeting at ten.\n"})
    drive(folder / "locked", {})
    made = Machine(Path(image), {"files": folder / "shared"})
    made.drives = folder  # type: ignore[attr-defined]
    try:
        yield made
    finally:
        made.stop()


def test_it_installs_sets_up_and_watches(machine: Machine, identity: pyrage.x25519.Identity) -> None:
    begun = time.monotonic()
    machine.run("dpkg -i /shared/files/recordwarden.deb", 1800)
    print(f"\ninstalled after {time.monotonic() - begun:.0f} s", flush=True)
    machine.run("mkdir -p /srv/returns")
    said = machine.run(
        f"recordwarden setup --yes --json --mode enforce --recipient {identity.to_public()}"
        " --root shared=/srv/returns --contact 'Room 7' --review-by 2027-10-01",
        600,
    )
    assert json.loads(said.splitlines()[0])["config"] == "/etc/recordwarden/config.toml"
    machine.run("systemctl restart recordwarden", 600)
    took = until(machine, "recordwarden status | grep -q returns.*native", "the folder is watched")
    print(
        f"set up and watching after {time.monotonic() - begun:.0f} s ({took:.0f} s of them to start)",
        flush=True,
    )
    checks = machine.run("recordwarden doctor --json || true").splitlines()
    assert not [c for c in map(json.loads, checks) if c["level"] == "fault"], checks


def test_a_survey_on_a_stick_is_caught_with_its_notice_and_its_alert(machine: Machine) -> None:
    plug(machine, "stick", "sda")
    machine.run("mkdir -p /media/stick && mount /dev/sda /media/stick")
    took = until(machine, "[ ! -e /media/stick/survey.csv ]", "the survey is taken")
    print(f"\ncaught {took:.1f} s after it was mounted", flush=True)
    until(machine, "[ -s /media/stick/survey.csv.quarantined.txt ]", "the notice is there")
    assert machine.run("cat /media/stick/notes.txt") == "Meeting at ten."
    alerts = "/var/log/recordwarden/alerts.jsonl"
    until(machine, f"grep -q quarantined {alerts} && grep -q /media/stick {alerts}", "the alert is out")


def test_a_stick_with_luks_is_left_alone_and_recorded_with_the_proof(machine: Machine) -> None:
    plug(machine, "locked", "sdb")
    machine.run(
        "printf word > /run/k; cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2"
        " --pbkdf-force-iterations 1000 /dev/sdb /run/k && cryptsetup open -d /run/k /dev/sdb luks"
        " && mkfs.ext4 -q -F /dev/mapper/luks && mkdir -p /media/locked"
        " && mount /dev/mapper/luks /media/locked"
    )
    until(machine, "recordwarden status | grep -q /media/locked", "it is watched")
    machine.run("cp /shared/files/survey.csv /media/locked/ && sync")
    until(
        machine,
        f"grep -q dm-crypt {STATE}/audit.jsonl || recordwarden alerts list --json | grep -q dm-crypt",
        "it is on record with the proof",
    )
    machine.run("cmp /shared/files/survey.csv /media/locked/survey.csv")


def test_an_ordinary_users_file_is_caught_while_the_unit_is_hardened(machine: Machine) -> None:
    machine.run("id tess 2>/dev/null || useradd -m tess; chmod 1777 /srv/returns")
    machine.run("su tess -c 'cp /shared/files/survey.csv /srv/returns/of-tess.csv'")
    until(machine, "[ ! -e /srv/returns/of-tess.csv ]", "it is taken")
    machine.run("[ $(stat -c %U /srv/returns/of-tess.csv.quarantined.txt) = tess ]")


def test_killed_it_is_back_by_itself_and_what_came_meanwhile_is_caught(machine: Machine) -> None:
    kill = "kill -9 $(systemctl show -p MainPID --value recordwarden)"
    machine.run(f"{kill}; cp /shared/files/survey.csv /srv/returns/late.csv")
    took = until(machine, "[ ! -e /srv/returns/late.csv ]", "it is back and took it")
    print(f"\nback and caught {took:.0f} s after the kill", flush=True)
    machine.run("systemctl is-active recordwarden")


def test_removal_keeps_the_vault_and_so_does_purge_while_it_holds_something(machine: Machine) -> None:
    entries = machine.run(f"ls {STATE}/vault/entries/*.age | wc -l")
    assert int(entries) == 3
    machine.run("dpkg -r recordwarden", 900)
    assert machine.run(f"ls {STATE}/vault/entries/*.age | wc -l") == entries
    machine.run("dpkg -P recordwarden || true", 900)
    assert machine.run(f"ls {STATE}/vault/entries/*.age | wc -l") == entries
    machine.run("! pgrep -f agent.keeper")
