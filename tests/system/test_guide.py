"""The administrator's guide followed word for word, by one who knows nothing else.

`make deb && RECORDWARDEN_VM=FOLDER make system`. The team's machine is this one, the workstation a clean
Debian. What the guide tells to type is read from its page.
"""

from __future__ import annotations

import base64
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaged import CHECKOUT, SURVEY, Packaged, newest, packaged

pytestmark = [pytest.mark.system, pytest.mark.timeout(3600)]
GUIDE = (CHECKOUT / "docs" / "guide.md").read_text()
KEYS, INSTALL, LOOK, TUNE, ENFORCE = "1. Keys", "2. Install", "3. Look on", "4. Tune", "5. Enforce"
CONFIG = "/etc/recordwarden/config.toml"
FINDS = ("explain", "what-if", "status", "coverage", "doctor")
"""These exit with 1 when they found something."""
ASKED_FOR_LESS_THAN = 15
TYPIST = """
import os, pty, sys
command, *answers = sys.argv[1:]
pid, terminal = pty.fork()
if not pid:
    os.execvp("sh", ["sh", "-c", command])
heard = b""
while True:
    try:
        heard += os.read(terminal, 4096)
    except OSError:
        break
    if answers and heard.endswith(b": "):
        os.write(terminal, answers.pop(0).encode() + b"\\n")
        heard += b"\\n"
print(heard.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
"""Waits for each question on a terminal before it answers."""


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}.*?(?=^## |\Z)", GUIDE, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[0]


def commands(title: str) -> list[str]:
    """What a section says to type, without what it says about it."""
    lines = re.findall(r"^    (\S.*)$", section(title).replace("\\\n", ""), re.MULTILINE)
    return [re.sub(r"\s+#.*", "", line) for line in lines]


def snippet(title: str) -> str:
    return str(re.findall(r"```toml\n(.*?)```", section(title), re.DOTALL)[0])


class Newcomer:
    """Types on the workstation, and counts."""

    def __init__(self, machine: Packaged) -> None:
        self.machine, self.typed = machine, 0
        machine.run("mkdir -p /home/newcomer /srv/returns")

    def type(self, command: str, answers: tuple[str, ...] = ()) -> str:
        """What it prints; the answers are typed on a terminal, one to a question."""
        self.typed += 1
        if answers:
            command = f"python3 -c {shlex.quote(TYPIST)} {shlex.join([command, *answers])}"
        found = any(f"recordwarden {word}" in command for word in FINDS)
        return self.machine.run(f"cd /home/newcomer; {command}{'; [ $? -le 1 ]' if found else ''}", 1800)


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("team")


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    package = newest("*.deb")
    with packaged(tmp_path_factory, recordwarden=package) as made:
        assert package is not None
        found = Newcomer(made)
        made.run(f"cp /shared/files/recordwarden.deb /home/newcomer/{package.name}")
        yield found


def test_from_nothing_to_an_enforced_and_alerting_workstation(newcomer: Newcomer, team: Path) -> None:
    machine, keys = newcomer.machine, []
    recordwarden = f"{sys.executable} -I -m agent"
    for command in [c for c in commands(KEYS) if c.startswith("recordwarden keys new")]:
        there = command.replace("recordwarden", recordwarden, 1)
        keys.append(subprocess.run(there, shell=True, cwd=team, check=True, text=True, stdout=-1).stdout)
    assert len(keys) == 2

    plain, by_options = commands(INSTALL)[:-1], commands(INSTALL)[-1]
    assert "--yes" in by_options
    where = ("y", "y", "/srv/returns", "shared", "")
    answers = (*(key.strip() for key in keys), "", *where, "", "Data security, room 7", "", "audit")
    for command in plain:
        newcomer.type(command, answers if command == "recordwarden setup" else ())
    machine.until("recordwarden status | grep -q returns.*native", "the folder is watched")

    machine.run("cp /shared/files/survey.csv /srv/returns/old.csv")
    machine.until("recordwarden alerts list | grep -q old.csv", "it is told, and left")
    for command in commands(LOOK):
        newcomer.type(command.replace("FILE", "/srv/returns/old.csv"))
    machine.run("cmp /shared/files/survey.csv /srv/returns/old.csv")

    root = machine.run(f"grep -n -A4 'watch.roots' {CONFIG}")
    assert snippet(ENFORCE).splitlines()[1] in root  # what the guide says to add to is there already
    newcomer.type(f'sed -i \'s|^path = "/srv/returns"|&\\nmode = "enforce"|\' {CONFIG}')
    for command in commands(ENFORCE):
        newcomer.type(command)
    machine.until("recordwarden status | grep -q returns.*enforce", "the folder is enforced")
    machine.run("cp /shared/files/survey.csv /srv/returns/new.csv")
    machine.until("[ -s /srv/returns/new.csv.quarantined.txt ]", "it is taken")
    machine.until("recordwarden alerts list | grep -q new.csv", "it is told")
    print(f"\n{newcomer.typed} commands on the workstation", flush=True)
    assert newcomer.typed < ASKED_FOR_LESS_THAN


def test_what_was_taken_is_opened_with_the_key_from_the_safe(newcomer: Newcomer, team: Path) -> None:
    if shutil.which("age") is None:
        pytest.skip("no program age (package age)")
    export, opened = (c for c in commands(KEYS) if "ENTRY" in c)
    [entry] = [e["entry_id"] for e in newcomer.machine.entries() if e["path"].endswith("new.csv")]
    newcomer.type(export.replace("ENTRY", entry))
    (team / "bundle").mkdir()
    carried = newcomer.machine.run(f"base64 -w0 /home/newcomer/bundle/{entry}.age")
    (team / "bundle" / f"{entry}.age").write_bytes(base64.b64decode(carried))
    subprocess.run(opened.replace("ENTRY", entry), shell=True, cwd=team, check=True)
    assert (team / "found.csv").read_bytes() == SURVEY


def test_a_changed_configuration_is_tried_before_it_counts(newcomer: Newcomer) -> None:
    newcomer.machine.run(
        f"cp {CONFIG} /home/newcomer/NEW.toml; cat >>/home/newcomer/NEW.toml <<'E'\n{snippet(TUNE)}E"
    )
    said = [newcomer.type(command) for command in commands(TUNE)]
    assert all(said) and json.loads(newcomer.machine.run("recordwarden status --json || true"))["roots"]
