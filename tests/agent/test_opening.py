"""Opening beneath a root, by `openat2` and by the walk of components: both must say the same."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time

import pytest

from agent import opening
from agent.opening import CannotOpen, RootFolder, RootUnavailable, open_untrusted
from detectors.engine.verdict import Reason


@pytest.fixture(params=["openat2", "walk"])
def root(tmp_path, request):
    folder = tmp_path / "root"
    folder.mkdir()
    with RootFolder.open(str(folder), folder.stat().st_dev) as opened:
        assert opened.whole, "this kernel has openat2"
        opened.whole = request.param == "openat2"
        opened.path = folder
        yield opened


def refusal(root, relpath):
    with pytest.raises(CannotOpen) as caught:
        open_untrusted(root, relpath).close()
    return caught.value.reason


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def test_a_regular_file_is_opened_with_its_folder(root):
    (root.path / "a").mkdir()
    (root.path / "a" / "f").write_bytes(b"content")
    with open_untrusted(root, "a/f") as opened:
        assert os.pread(opened.fd, 99, 0) == b"content"
        assert (opened.name, opened.identity().relpath, opened.identity().size) == ("f", "a/f", 7)
        assert os.stat("f", dir_fd=opened.parent).st_ino == opened.status.st_ino
        assert opened.unchanged()


def test_a_worker_that_moves_its_offset_moves_nobody_elses(root):
    (root.path / "f").write_bytes(b"content")
    with open_untrusted(root, "f") as opened:
        worker = opened.second_descriptor()
        os.lseek(worker, 5, os.SEEK_SET)
        assert os.lseek(opened.fd, 0, os.SEEK_CUR) == 0
        with pytest.raises(OSError):
            os.write(worker, b"x")
        os.close(worker)


def test_nothing_but_regular_files_is_opened_and_nothing_hangs(root):
    os.mkfifo(root.path / "fifo")
    (root.path / "folder").mkdir()
    (root.path / "link").symlink_to("/etc/passwd")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(root.path / "socket"))
        before = descriptors()
        assert refusal(root, "fifo") is Reason.NOT_REGULAR
        assert refusal(root, "folder") is Reason.NOT_REGULAR
        assert refusal(root, "socket") is Reason.NOT_REGULAR
        assert refusal(root, "link") is Reason.LINK
        assert refusal(root, "nothing") is Reason.GONE
        assert refusal(root, "nothing/at/all") is Reason.GONE
        assert descriptors() <= before  # threads of earlier tests may still be closing theirs


@pytest.mark.root
def test_a_device_is_not_even_touched(root):
    os.mknod(root.path / "null", 0o600 | 0o020000, os.makedev(1, 3))
    assert refusal(root, "null") is Reason.NOT_REGULAR


def test_a_fifo_with_a_waiting_writer_is_left_waiting(root):
    os.mkfifo(root.path / "fifo")
    writer = subprocess.Popen(["sh", "-c", f"echo x > {root.path / 'fifo'}"])
    time.sleep(0.05)
    assert refusal(root, "fifo") is Reason.NOT_REGULAR
    time.sleep(0.05)
    assert writer.poll() is None
    writer.kill()
    writer.wait()


def test_no_link_is_followed_wherever_it_is_in_the_path(root, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (root.path / "away").symlink_to(outside)
    (root.path / "inside").mkdir()
    (root.path / "inside" / "up").symlink_to("..")
    assert refusal(root, "away/secret") is Reason.LINK
    assert refusal(root, "inside/up/inside") is Reason.LINK


@pytest.mark.parametrize(
    "bad", ["", ".", "..", "../x", "a/../../x", "/etc/passwd", "a//b", "a/", "a/./b", "x\0y"]
)
def test_a_path_that_leads_elsewhere_is_refused(root, bad):
    (root.path / "a").mkdir()
    assert refusal(root, bad) is Reason.GONE


def test_a_name_need_not_be_text_nor_short(root):
    for name in (os.fsdecode(b"\xff\xfe bad"), "n\nl", "‮csv", "x" * 255, "ü" * 127):
        (root.path / name).write_bytes(b"1")
        open_untrusted(root, name).close()


def test_a_path_longer_than_the_kernel_takes_is_reached(root):
    relpath = "/".join(["d" * 250] * 20)
    at = os.dup(root.fd)
    for part in relpath.split("/"):
        os.mkdir(part, dir_fd=at)
        onward = os.open(part, os.O_PATH, dir_fd=at)
        os.close(at)
        at = onward
    os.close(os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=at))
    os.close(at)
    open_untrusted(root, f"{relpath}/f").close()


@pytest.mark.root
def test_another_mount_inside_the_root_is_not_of_the_root(root, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "f").write_bytes(b"1")
    (root.path / "mnt").mkdir()
    subprocess.run(["mount", "--bind", str(other), str(root.path / "mnt")], check=True)
    try:
        assert refusal(root, "mnt/f") is Reason.GONE
    finally:
        subprocess.run(["umount", str(root.path / "mnt")], check=True)


def test_a_folder_swapped_for_a_link_never_leads_outside(root, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f").write_bytes(b"outside")
    (root.path / "d").mkdir()
    (root.path / "d" / "f").write_bytes(b"inside")
    (root.path / "l").symlink_to(outside)
    stop = threading.Event()

    def swap():
        one, other = root.path / "d", root.path / "l"
        spare = root.path / "spare"
        while not stop.is_set():
            one.rename(spare)
            other.rename(one)
            one.rename(other)
            spare.rename(one)

    swapper = threading.Thread(target=swap)
    swapper.start()
    opened = 0
    try:
        until = time.monotonic() + 0.3
        while time.monotonic() < until:
            try:
                with open_untrusted(root, "d/f") as file:
                    assert os.pread(file.fd, 10, 0) == b"inside"
                    opened += 1
            except CannotOpen as refused:
                assert refused.reason in (Reason.LINK, Reason.GONE)
    finally:
        stop.set()
        swapper.join()
    assert opened


def test_a_changed_file_is_noticed(root):
    path = root.path / "f"
    path.write_bytes(b"content")
    with open_untrusted(root, "f") as opened:
        before = path.stat()
        path.write_bytes(b"CONTENT")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert not opened.unchanged(), "a forged mtime must not hide a change"


def test_reading_leaves_the_access_time_alone(root):
    path = root.path / "f"
    path.write_bytes(b"content")
    os.utime(path, (1, 2))
    with open_untrusted(root, "f") as opened:
        os.pread(opened.fd, 7, 0)
    assert path.stat().st_atime == 1


def test_a_root_behind_a_link_or_on_another_device_is_refused(tmp_path):
    (tmp_path / "real" / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    device = tmp_path.stat().st_dev
    for path in ("link", "link/sub", "absent", "real/../real"):
        with pytest.raises(RootUnavailable):
            RootFolder.open(str(tmp_path / path), device)
    with pytest.raises(RootUnavailable):
        RootFolder.open(str(tmp_path / "real"), device + 1)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(RootUnavailable):
        RootFolder.open(str(tmp_path / "file"), device)


@pytest.mark.root
def test_with_the_privilege_the_root_is_a_private_mount(tmp_path):
    with RootFolder.open(str(tmp_path), tmp_path.stat().st_dev) as root:
        assert root.private
        assert opening._mount_id(root.fd) != opening._mount_id(os.open(tmp_path, os.O_PATH))


def test_without_the_privilege_a_plain_descriptor_will_do(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError(1, "no")

    monkeypatch.setattr(opening, "_clone_mount", refused)
    (tmp_path / "f").write_bytes(b"1")
    with RootFolder.open(str(tmp_path), tmp_path.stat().st_dev) as root:
        assert not root.private
        open_untrusted(root, "f").close()


@pytest.mark.root
def test_umount_succeeds_while_a_root_and_its_files_are_open(drive):
    volume = drive()
    path = volume.plug()
    (path / "f").write_bytes(b"1")
    with RootFolder.open(str(path), path.stat().st_dev) as root, open_untrusted(root, "f") as opened:
        unmounting = volume.pull()
        assert unmounting.returncode == 0, unmounting.stderr
        assert os.pread(opened.fd, 1, 0) == b"1"
