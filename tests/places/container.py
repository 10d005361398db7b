"""The same Debian as the emulated machine, as a container of systemd: it runs at this machine's speed.

It has its own init, services and package database, and this machine's kernel. A drive is a loop device that
fails every request once it is pulled out; no USB tells of it, so that `treat_as_removable` must.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from fragile_disk import Disks, cut

BOOT_SECONDS = 300
_BOOTED = ("running", "degraded")
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


class Container:
    """Takes what `machine.Machine` takes, and runs commands; the image is never written to."""

    def __init__(self, image: Path, shared: Mapping[str, Path]) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="rw-container-", dir="/var/tmp"))
        self._loops: list[str] = []
        self._disks: list[Disks] = []
        self._plugged: dict[str, tuple[Disks, Path]] = {}
        """By name: the drive, and where its device stands in the container."""
        self._root, self._lower = self._folder / "root", self._folder / "lower"
        for name in ("lower", "upper", "work", "root"):
            (self._folder / name).mkdir()
        layers = ",".join(f"{key}dir={self._folder / key}" for key in ("lower", "upper", "work"))
        subprocess.run(["mount", "-o", "loop,ro", image / "root.ext4", self._lower], check=True)
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, self._root], check=True)
        (self._root / "etc/fstab").write_text("")
        command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--console=pipe"]
        command += [f"--bind-ro={path}:/shared/{name}" for name, path in shared.items()]
        command += ["--capability=all", "-D", str(self._root), "-b"]
        # not the container's filter, which knows no Landlock: the unit's is put to the test
        env = {**os.environ, "SYSTEMD_SECCOMP": "0"}
        silent = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=silent, stdout=silent, stderr=silent, env=env)
        try:
            self._wait_for_boot()
        except BaseException:
            self.stop()
            raise

    def _wait_for_boot(self) -> None:
        until = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < until:
            with suppress(AssertionError, OSError):
                if self.run("systemctl is-system-running || true").splitlines()[-1] in _BOOTED:
                    return
            time.sleep(0.5)
        raise AssertionError("the container does not boot")

    def _init(self) -> str:
        """The number of its first process here."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        assert children, "the container has not begun, or has ended"
        return children[0]

    def run(self, command: str, seconds: float = 600) -> str:
        """What a command prints; fails the test if it fails."""
        done = subprocess.run(
            ["nsenter", "-t", self._init(), "-a", "sh", "-c", command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds,
            env={"PATH": _PATH, "LANG": "C.UTF-8"},
        )  # fmt: skip
        text = done.stdout.decode(errors="replace").strip()
        assert done.returncode == 0, f"{command}\n{text}"
        return text

    def plug(self, name: str, drive: Path, device: str, *, removable: bool, serial: str) -> None:
        """Have a drive at /dev/`device` (what an asterisk stands for is nothing), perhaps again."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        disks = Disks(folder, [drive])
        node = Path("/dev", device.replace("*", ""))
        self._disks.append(disks)
        self._plugged[name] = disks, node
        loop = subprocess.run(
            ["losetup", "-f", "--show", disks.devices[0]], capture_output=True, text=True, check=True
        ).stdout.strip()
        number = os.minor(os.stat(loop).st_rdev)
        self.run(f"mkdir -p {node.parent} && mknod {node} b 7 {number}")
        self._loops.append(loop)

    def unplug(self, name: str) -> None:
        """Pull it out, whatever is under way; its image is then what had been written by then."""
        disks, node = self._plugged[name]
        disks.pull(0)
        records = disks.records(self._folder / "records")
        [image] = disks.images
        cut([image], records, len(records), random.Random(1), [self._folder / "copy"])
        (self._folder / "copy").replace(image)
        self.run(f"rm {node}")

    def pause(self) -> None:
        """Stop all its processes where they are, until they may `go_on`."""
        self._signal_all(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        """Its init first, which then starts and reaps no others."""
        waiting = [self._init()]
        while waiting:
            pid = waiting.pop()
            with suppress(FileNotFoundError, ProcessLookupError):
                os.kill(int(pid), number)
                for path in Path(f"/proc/{pid}/task").glob("*/children"):
                    waiting += path.read_text().split()

    def stop(self) -> None:
        with suppress(AssertionError, OSError, ProcessLookupError):
            os.kill(int(self._init()), signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(30)
        self._process.kill()
        self._process.wait()
        for loop in self._loops:
            subprocess.run(["losetup", "-d", loop], check=False, stderr=subprocess.DEVNULL)
        for disks in self._disks:
            disks.close()
        for path in (self._root, self._lower):
            subprocess.run(["umount", "-l", path], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self._folder, ignore_errors=True)
