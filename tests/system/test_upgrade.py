"""From a former package to the present one on a clean machine, with an entry in the vault.

`make deb && tests/system/build_former.sh COMMIT && RECORDWARDEN_VM=FOLDER make system`. One machine for all.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from packaged import ALERTS, STATE, Packaged, newest, packaged

from agent.schema import MIGRATIONS

pytestmark = [pytest.mark.system, pytest.mark.timeout(3600)]
LEDGER = f"{STATE}/ledger.db"
BEFORE = (
    "ALTER TABLE entries DROP COLUMN writer; DROP TRIGGER seen_forgotten; DROP TRIGGER seen_doubted;"
    " DROP TABLE folders; PRAGMA user_version = 3;"
)
"""What the last migration did, undone: no package has been built yet whose ledger was older."""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Packaged]:
    former, present = newest("former/*.deb"), newest("*.deb")
    with packaged(tmp_path_factory, former=former, present=present) as made:
        yield made


def sql(machine: Packaged, script: str) -> str:
    told = f"import sqlite3; print(*sqlite3.connect('{LEDGER}').execute('{script}').fetchone())"
    return machine.run(f'python3 -c "{told}"')


def test_an_upgrade_keeps_configuration_and_vault_and_the_service_runs_on(machine: Packaged) -> None:
    machine.run("dpkg -i /shared/files/former.deb", 1800)
    machine.set_up()
    machine.run("cp /shared/files/survey.csv /srv/returns/taken.csv")
    machine.until("[ ! -e /srv/returns/taken.csv ]", "it is taken by the former service")
    machine.run("cp /etc/recordwarden/config.toml /var/tmp/as-it-was; recordwarden audit verify")
    before = machine.run("systemctl show -p MainPID --value recordwarden")

    begun = time.monotonic()
    machine.run("dpkg -i /shared/files/present.deb", 1800)
    print(f"\nupgraded after {time.monotonic() - begun:.0f} s", flush=True)
    machine.run("cmp /var/tmp/as-it-was /etc/recordwarden/config.toml")
    machine.run("cp /shared/files/survey.csv /srv/returns/after.csv")
    machine.until("[ ! -e /srv/returns/after.csv ]", "it is taken by the present service")
    assert machine.run("systemctl show -p MainPID --value recordwarden") != before
    assert machine.run("dpkg-query -W -f '${Version}' recordwarden") != "0.0.9"
    assert machine.run(f"grep -c agent_ended {ALERTS} || true") == "0"  # nobody took the protection away


def test_what_the_former_one_took_can_be_listed_and_given_back(machine: Packaged) -> None:
    [old] = [e for e in machine.entries() if e["path"] == "/srv/returns/taken.csv"]
    assert old["state"] == "quarantined"
    machine.run("recordwarden quarantine verify --identity /shared/files/key && recordwarden audit verify")
    back = (
        f"recordwarden quarantine restore {old['entry_id']} --identity /shared/files/key --to /var/tmp/back"
    )
    machine.run(f"{back} && cmp /var/tmp/back /shared/files/survey.csv")


def test_a_ledger_of_a_former_version_is_brought_up_to_date_at_the_start(machine: Packaged) -> None:
    known = [{**entry, "writer": None} for entry in machine.entries()]  # its column goes with the migration
    machine.run("systemctl stop recordwarden")
    undo = f"import sqlite3; sqlite3.connect('{LEDGER}').executescript('{BEFORE}')"
    machine.run(f'python3 -c "{undo}"; systemctl start recordwarden', 600)
    assert int(sql(machine, "PRAGMA user_version")) == len(MIGRATIONS)
    assert machine.entries() == known
    machine.run("cp /shared/files/survey.csv /srv/returns/later.csv")
    machine.until("[ ! -e /srv/returns/later.csv ]", "it is taken with the ledger brought up to date")
