"""The lease: who writes, who waits to write."""

from __future__ import annotations

import os
import threading
import time

from agent.lease import WriteLease


def test_a_file_that_is_open_for_writing_is_in_use(tmp_path):
    path = tmp_path / "f"
    with path.open("wb"):
        fd = os.open(path, os.O_RDONLY)
        with WriteLease(fd) as lease:
            assert (lease.held, lease.in_use, lease.wanted()) == (False, True, True)
    with WriteLease(fd) as lease:
        assert (lease.held, lease.in_use, lease.wanted()) == (True, False, False)
    os.close(fd)


def test_readers_are_not_in_the_way(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"1")
    with path.open("rb"), path.open("rb") as mine, WriteLease(mine.fileno()) as lease:
        assert lease.held


def test_a_writer_waits_until_the_lease_is_released_and_is_noticed(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"1")
    fd = os.open(path, os.O_RDONLY)
    lease = WriteLease(fd)
    writer = threading.Thread(target=lambda: path.write_bytes(b"2"))
    writer.start()
    until = time.monotonic() + 60
    while not lease.wanted() and time.monotonic() < until:
        time.sleep(0.001)
    assert lease.wanted()
    assert writer.is_alive()
    lease.release()
    writer.join(60)
    assert path.read_bytes() == b"2"
    os.close(fd)


def test_without_leases_nothing_is_held_and_nothing_claimed():
    reading, _ = os.pipe()
    with WriteLease(reading) as lease:
        assert (lease.held, lease.in_use, lease.wanted()) == (False, False, False)


def test_a_lease_proves_that_nothing_changed_only_where_this_kernel_keeps_the_file(tmp_path, monkeypatch):
    path = tmp_path / "f"
    path.write_bytes(b"1")
    with path.open("rb") as file:
        for kind, proven in ((0xEF53, True), (0x01021994, True), (0x65735546, False), (0, False)):
            monkeypatch.setattr("agent.lease._file_system", lambda fd, kind=kind: kind)
            with WriteLease(file.fileno()) as lease:
                assert (lease.held, lease.proves_unchanged()) == (True, proven)
            assert not lease.proves_unchanged()
