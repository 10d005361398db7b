"""A word on the owner's desktop: sent as them, to their own bus, with the reference, without the name."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent import herald
from agent.herald import Herald, words
from config.notice import Notice

OWNER = 65534
WANTED = Notice(desktop=True, languages=("cy", "en"), rule="Policy <4> & on")


class Sent:
    """Stands for a process that was started."""

    running = False

    def poll(self) -> int | None:
        return None if self.running else 0


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []

    def send(address: str, uid: int, told: tuple[str, str]) -> Sent:
        found.append((address, uid))
        return Sent()

    monkeypatch.setattr(herald, "_send", send)
    return found


def test_it_is_off_unless_wished(sent: list[tuple[str, int]]) -> None:
    Herald(Notice).tell(1000, "e-1")
    assert sent == []


def test_nobody_is_told_twice_in_a_minute_and_root_never(sent: list[tuple[str, int]]) -> None:
    now = [100.0]
    one = Herald(lambda: WANTED, lambda: now[0])
    for uid in (1000, 1000, 0, 1001):
        one.tell(uid, "e-1")
    assert sent == [("unix:path=/run/user/1000/bus", 1000), ("unix:path=/run/user/1001/bus", 1001)]
    now[0] += 61
    one.tell(1000, "e-2")
    assert len(sent) == 3


def test_buses_that_hang_do_not_add_up(sent: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sent, "running", True)
    one = Herald(lambda: WANTED)
    for uid in range(1000, 1100):
        one.tell(uid, "e-1")
    assert len(sent) == herald.MOST_WAITING


@pytest.mark.parametrize("language", ["en", "cy"])
def test_each_language_says_the_rule_and_the_reference(language: str) -> None:
    title, text = words(WANTED.model_copy(update={"languages": (language,)}), "e-17")
    assert title and "e-17" in text and "Policy &lt;4> &amp; on" in text and "{" not in text


@pytest.fixture
def bus(public_path: Path, need: Callable[..., None]) -> Iterator[tuple[Path, Path]]:
    """(the folder of sessions, what a listener wrote down) with a real bus of `OWNER`."""
    need("dbus-daemon", "dbus-monitor", "busctl")
    if os.geteuid() != 0:
        pytest.skip("needs root, to become somebody else")
    home = public_path / str(OWNER)
    home.mkdir()
    os.chown(home, OWNER, OWNER)
    address = f"unix:path={home}/bus"
    owner = {"user": OWNER, "group": OWNER, "extra_groups": [], "cwd": "/"}
    heard = public_path / "heard"
    daemon = subprocess.Popen(["dbus-daemon", "--session", "--nofork", f"--address={address}"], **owner)
    until = time.monotonic() + 60
    while not (home / "bus").exists() and time.monotonic() < until:
        time.sleep(0.01)
    with heard.open("wb") as out:
        listener = subprocess.Popen(["dbus-monitor", "--address", address], stdout=out, **owner)
    while b"NameAcquired" not in heard.read_bytes() and time.monotonic() < until:
        time.sleep(0.01)
    yield public_path, heard
    for process in (listener, daemon):
        process.terminate()
        process.wait(60)


def test_a_real_bus_of_the_owner_hears_it(bus: tuple[Path, Path]) -> None:
    sessions, heard = bus
    Herald(lambda: WANTED, sessions=str(sessions)).tell(OWNER, "e-17")
    until = time.monotonic() + 60
    while b"member=Notify" not in heard.read_bytes() and time.monotonic() < until:
        time.sleep(0.01)
    while b"int32 -1" not in heard.read_bytes() and time.monotonic() < until:
        time.sleep(0.01)
    told = heard.read_text()
    assert 'string "recordwarden"' in told and "Cymerwyd ffeil" in told and "e-17" in told
