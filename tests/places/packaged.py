"""A clean Debian for the package: a machine, what it is given to install, and drives to plug into it.

The machine is emulated, or with MACHINE=container a container of systemd, whose drives are a stand-in.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyrage
import pytest
from container import Container
from custody_rig import survey
from machine import Machine

CHECKOUT = Path(__file__).parents[2]
BUILD = CHECKOUT / "build"
SURVEY = survey(7, rows=600)
STATE = "/var/lib/recordwarden"
ALERTS = "/var/log/recordwarden/alerts.jsonl"
PYTHON = "/opt/recordwarden/bin/python -I"
PATIENCE = 600
NO_USB = r'[Service]\nEnvironment=\047RECORDWARDEN_WATCH__VOLUMES__TREAT_AS_REMOVABLE=["/media/*"]\047\n'


class Packaged:
    """Has `survey.csv`, `key` and the packages below /shared/files, and `machine` to talk to."""

    def __init__(self, image: Path, folder: Path, packages: dict[str, Path]) -> None:
        self.identity = pyrage.x25519.Identity.generate()
        self.folder = folder
        files = folder / "shared"
        files.mkdir()
        for name, package in packages.items():
            (files / f"{name}.deb").write_bytes(package.read_bytes())
        (files / "survey.csv").write_bytes(SURVEY)
        (files / "key").write_text(f"{self.identity}\n")
        card = folder / "card"
        with card.open("wb") as file:
            file.truncate(64 << 20)
        self.machine: Container | Machine
        if os.environ.get("MACHINE") == "container":
            self.machine = Container(image, {"files": files})
        else:
            self.machine = Machine(image, {"files": files}, card=card)
        self.run = self.machine.run

    def until(self, condition: str, what: str) -> float:
        """Seconds until a shell's condition holds in the machine."""
        begun = time.monotonic()
        ask = f"for i in $(seq {PATIENCE * 2}); do {condition} && break; sleep .5; done; {condition}"
        try:
            self.run(ask, PATIENCE * 3)
        except AssertionError:
            log = self.run("journalctl -u recordwarden -n 40 --no-pager; recordwarden status || true")
            raise AssertionError(f"never: {what}\n{log}") from None
        return time.monotonic() - begun

    def emulated(self) -> Machine:
        """The machine as one with a kernel and a clock of its own; skips where it is a container."""
        if not isinstance(self.machine, Machine):
            pytest.skip("a container has this machine's kernel and clock")
        return self.machine

    def plug(self, name: str, device: str, *, removable: bool = True) -> None:
        self.machine.plug(name, self.folder / name, device, removable=removable, serial=name.upper())

    def drive(self, name: str, files: dict[str, bytes]) -> None:
        """An ext4 image with these files."""
        tree, path = self.folder / f"{name}.tree", self.folder / name
        tree.mkdir()
        for inside, content in files.items():
            (tree / inside).write_bytes(content)
        with path.open("wb") as file:
            file.truncate(128 << 20)
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", str(tree), str(path)], check=True)

    def set_up(self) -> None:
        """Enforces in /srv/returns, by `setup`."""
        self.run("mkdir -p /srv/returns")
        said = self.run(
            f"recordwarden setup --yes --json --mode enforce --recipient {self.identity.to_public()}"
            " --root shared=/srv/returns --contact 'Room 7' --review-by 2027-10-01 --syslog local:",
            600,
        )
        assert json.loads(said.splitlines()[0])["config"] == "/etc/recordwarden/config.toml"
        if isinstance(self.machine, Container):
            unit = "/etc/systemd/system/recordwarden.service.d"
            self.run(f"mkdir -p {unit} && printf '{NO_USB}' >{unit}/drives.conf && systemctl daemon-reload")
        self.run("systemctl restart recordwarden", 600)
        self.until("recordwarden status | grep -q returns.*native", "the folder is watched")

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("recordwarden status --json || true"))
        return found

    def entries(self) -> list[dict[str, Any]]:
        """What is in custody, the newest first."""
        return [json.loads(line) for line in self.run("recordwarden quarantine list --json").splitlines()]

    def ciphertexts(self) -> int:
        return int(self.run(f"find {STATE}/vault/entries -name '*.age' | wc -l"))


@contextmanager
def packaged(factory: pytest.TempPathFactory, **packages: Path | None) -> Iterator[Packaged]:
    """A machine that has just booted; skips without an image or one of the packages."""
    image = os.environ.get("RECORDWARDEN_VM")
    if not image:
        pytest.skip("RECORDWARDEN_VM names no machine: see tests/system/build_image.sh")
    there = {name: package for name, package in packages.items() if package is not None}
    if missing := set(packages) - set(there):
        pytest.skip(f"not in build/: the package {', '.join(missing)}")
    made = Packaged(Path(image), factory.mktemp("package"), there)
    try:
        yield made
    finally:
        made.machine.stop()


def newest(pattern: str) -> Path | None:
    """The last package below build/ of that pattern."""
    return max(BUILD.glob(pattern), key=lambda path: path.stat().st_mtime, default=None)
