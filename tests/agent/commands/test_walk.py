"""The walk of `scan`: everything that lies below is met, nothing beside it."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

from agent.commands.walk import MAX_DEPTH, Found, measure, walk
from detectors.engine.verdict import Reason


def _met(top) -> dict[str, Found]:
    met = {}
    for found in walk(str(top)):
        if found.descriptor >= 0:
            os.close(found.descriptor)
        met[os.path.relpath(found.path, top)] = found
    return met


def test_every_file_is_met_once_in_the_order_of_names(tmp_path):
    for name in ("b.csv", "a/z.csv", "a/b/c.csv", "c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")
    met = _met(tmp_path)
    assert list(met) == ["a/b/c.csv", "a/z.csv", "b.csv", "c"]
    assert {found.size for found in met.values()} == {5}
    assert sorted(measure(str(tmp_path))) == [5, 5, 5, 5]


def test_links_on_the_way_are_named_and_never_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.csv").write_text("x")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "file").symlink_to(outside / "secret.csv")
    (inside / "folder").symlink_to(outside)
    (inside / "dangling").symlink_to("nowhere")
    met = _met(inside)
    assert {name: found.reason for name, found in met.items()} == dict.fromkeys(
        ("file", "folder", "dangling"), Reason.LINK
    )
    assert all(found.descriptor < 0 for found in met.values())


def test_a_link_that_was_typed_is_followed(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.csv").write_text("x")
    (tmp_path / "link").symlink_to("folder")
    assert list(_met(tmp_path / "link")) == ["a.csv"]
    (tmp_path / "one").symlink_to("folder/a.csv")
    assert _met(tmp_path / "one")["."].reason is None


def test_pipes_and_sockets_are_named_and_never_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        met = _met(tmp_path)
    assert {name: found.reason for name, found in met.items()} == {
        "pipe": Reason.NOT_REGULAR,
        "socket": Reason.NOT_REGULAR,
    }


def test_a_name_that_is_no_text_is_met(tmp_path):
    os.close(os.open(os.fsencode(tmp_path) + b"/\xff\n\x1b[2J", os.O_CREAT | os.O_WRONLY))
    assert list(_met(tmp_path)) == [os.fsdecode(b"\xff\n\x1b[2J")]


def test_a_folder_too_deep_is_reported_and_not_walked(tmp_path):
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(MAX_DEPTH + 3):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    assert [found.reason for found in walk(str(tmp_path))] == [Reason.LIMIT_DEPTH]


def test_the_kernels_own_files_are_not_walked(tmp_path, monkeypatch):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "kcore").write_text("x")
    kernels = frozenset({tmp_path.stat().st_dev})
    monkeypatch.setattr("agent.commands.walk._pseudo_devices", lambda: kernels)
    assert {name: found.reason for name, found in _met(tmp_path).items()} == {"proc": Reason.NOT_REGULAR}


def test_an_unreadable_folder_is_reported():
    """As somebody else where the test runs as root, who reads everything."""
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "closed").mkdir(mode=0)
        os.seteuid(user or 65534)
        try:
            met = _met(folder)
        finally:
            os.seteuid(user)
    assert met["closed"].reason is Reason.NO_ACCESS


def test_all_descriptors_are_closed_however_the_walk_ends(tmp_path):
    for name in "abc":
        (tmp_path / name).mkdir()
        (tmp_path / name / "f").write_text("x")
    before = len(os.listdir("/proc/self/fd"))
    walking = walk(str(tmp_path))
    os.close(next(walking).descriptor)
    walking.close()
    assert len(os.listdir("/proc/self/fd")) == before
