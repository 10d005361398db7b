"""A machine under QEMU, for what no container can show: drives that are plugged in, and the device mapper.

Commands go over its serial console; drives are plugged in over QMP. The image is never written to.
`Machine.freeze` keeps one as it is at that moment, and `frozen` begins there: seconds instead of a boot.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

BOOT_SECONDS = 1500
FROZEN = "frozen"
KERNEL_LINE = "root=/dev/vda rw console=ttyS0 quiet mitigations=off systemd.show_status=no"
PATIENCE = "systemd.default_device_timeout_sec=1200 systemd.default_timeout_start_sec=1200"
"""Without, a machine that has to wait for its turn gives up its console."""


class Machine:
    """`image` is what build_image.sh made; `shared` are folders of ours that it sees below `/shared`.

    One that can be frozen has its disk in the new file `disk` (qcow2), and no `shared`; `luggage` is an
    ext4 image that it sees as /dev/vdb, read-only. `card` lies in its reader of SD cards from the start.
    """

    def __init__(
        self,
        image: Path,
        shared: Mapping[str, Path],
        disk: Path | None = None,
        luggage: Path | None = None,
        frozen: Path | None = None,
        card: Path | None = None,
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="rw-machine-"))
        self._heard = b""
        self._number = 0
        self._drives: set[str] = set()
        serial, qmp = self._folder / "serial", self._folder / "qmp"
        words = [
            "qemu-system-x86_64", "-nodefaults", "-display", "none", "-machine", "q35",
            "-accel", "tcg,thread=multi", "-cpu", "max", "-m", "1024", "-smp", "2", "-nic", "none",
            "-kernel", str(image / "vmlinuz"), "-initrd", str(image / "initrd.img"),
            "-append", f"{KERNEL_LINE} {PATIENCE}",
            "-drive", _root_drive(image, disk, frozen),
            "-device", "qemu-xhci,id=usb", "-device", "virtio-scsi-pci,id=scsi", "-device", "virtio-rng-pci",
            "-chardev", f"socket,id=serial,path={serial},server=on,wait=off", "-serial", "chardev:serial",
            "-qmp", f"unix:{qmp},server=on,wait=off",
        ]  # fmt: skip
        for name, path in shared.items():
            words += ["-virtfs", f"local,path={path},mount_tag={name},security_model=none,readonly=on"]
        if luggage is not None:
            words += ["-drive", f"file={luggage},if=virtio,format=raw,readonly=on"]
        if card is not None:
            words += ["-drive", f"file={card},if=none,format=raw,id=card"]
            words += ["-device", "sdhci-pci", "-device", "sd-card,drive=card"]
        if frozen is not None:
            words += ["-loadvm", FROZEN]
        self._process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, env={**os.environ, "TMPDIR": "/var/tmp"}
        )
        try:
            self._connect_both(serial, qmp)
            if frozen is None:
                self._log_in(shared)
        except BaseException:
            self.stop()
            raise

    def _connect_both(self, serial: Path, qmp: Path) -> None:
        self._serial = self._connect(serial)
        self._qmp = self._connect(qmp).makefile("rwb")
        self._qmp.readline()
        self.monitor("qmp_capabilities")

    def _log_in(self, shared: Mapping[str, Path]) -> None:
        self._wait(rb"root@[^\n]*# ", BOOT_SECONDS)
        answered = False
        while not answered:  # a shell that only begins throws away what was typed before
            self.say('exec env PS1= PS2= TERM=dumb sh\necho "lis""tens"')
            with suppress(AssertionError):
                self._wait(rb"listens\r?\n", 20)
                answered = True
        self.run("stty -F /dev/ttyS0 -echo; dmesg -n 1", 300)
        for name in shared:
            mount = f"mount -t 9p -o trans=virtio,ro,msize=262144 {name} /shared/{name}"
            self.run(f"mkdir -p /shared/{name} && {mount}")

    def run(self, command: str, seconds: float = 600) -> str:
        """What a command prints; fails the test if it fails."""
        self._number += 1
        mark = f"done-{self._number}"
        # quoted in two parts, so that an echo of the line itself is not taken for its end
        self._serial.sendall(f'{{ {command}\n}} </dev/null 2>&1; echo "{mark[:4]}""{mark[4:]}:$?"\n'.encode())
        out, code = self._wait(mark.encode() + rb":(\d+)\r?\n", seconds)
        text = out.decode(errors="replace").replace("\r\n", "\n").strip()
        assert code == b"0", f"{command}\n{text}"
        return text

    def say(self, line: str) -> None:
        """Type a line for whatever runs on the console."""
        self._serial.sendall(line.encode() + b"\n")

    def wait_for(self, word: str, seconds: float = BOOT_SECONDS) -> None:
        """Until it is said on the console."""
        self._wait(re.escape(word.encode()), seconds)

    def hear(self, enough: Callable[[str], bool], seconds: float) -> str:
        """All that is said on the console, until that is enough, or for so long."""
        until = time.monotonic() + seconds
        while not enough(self._heard.decode(errors="replace")) and (left := until - time.monotonic()) > 0:
            self._serial.settimeout(left)
            with suppress(TimeoutError):
                self._listen()
        return self._heard.decode(errors="replace")

    def freeze(self) -> None:
        """Keep memory and `disk` as they are now, and end."""
        self.monitor("human-monitor-command", **{"command-line": f"savevm {FROZEN}"})
        self.monitor("quit")
        self._process.wait()

    def plug_disk(self, name: str, image: Path) -> None:
        """A disk with a cache that it has to be told to flush; what it was given outlives the machine."""
        node = {"node-name": f"{name}-node", "file": {"driver": "file", "filename": str(image)}}
        self.monitor("blockdev-add", driver="raw", **node)
        self.monitor("device_add", driver="scsi-hd", bus="scsi.0", drive=f"{name}-node", id=name)

    def plug(self, name: str, drive: Path, device: str, *, removable: bool, serial: str) -> None:
        """Plug a drive into its USB, perhaps again, and wait until `device` (such as `sda`) is there."""
        if name not in self._drives:
            self._drives.add(name)
            self.monitor("blockdev-add", driver="raw", **{
                "node-name": f"{name}-node", "file": {"driver": "file", "filename": str(drive)},
            })  # fmt: skip
        self.monitor(
            "device_add", driver="usb-storage", bus="usb.0", drive=f"{name}-node", id=name,
            removable=removable, serial=serial,
        )  # fmt: skip
        self.run(f"for i in $(seq 600); do [ -b /dev/{device} ] && break; sleep .2; done; udevadm settle")

    def unplug(self, name: str) -> None:
        """Pull it out, whatever is under way; what its kernel had not written yet is lost."""
        self.monitor("device_del", id=name)

    def monitor(self, command: str, **arguments: Any) -> None:
        self._qmp.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        self._qmp.flush()
        while "return" not in (answer := json.loads(self._qmp.readline())):
            assert "error" not in answer, answer

    def _listen(self) -> None:
        heard = self._serial.recv(1 << 16)
        if not heard:
            raise ConnectionError("QEMU has ended")
        self._heard += heard

    def pause(self) -> None:
        """Stop it where it is; its disks stay as they are, as after `stop`, until it may `go_on`."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """As a power cut does."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _connect(self, path: Path) -> socket.socket:
        line = socket.socket(socket.AF_UNIX)
        for _ in range(200):
            try:
                line.connect(str(path))
                return line
            except OSError:
                assert self._process.poll() is None, "QEMU has ended"
                time.sleep(0.1)
        raise AssertionError("QEMU does not answer")

    def _wait(self, pattern: bytes, seconds: float) -> tuple[bytes, bytes]:
        until = time.monotonic() + seconds
        while not (found := re.search(pattern, self._heard)):
            self._serial.settimeout(max(0.1, until - time.monotonic()))
            try:
                self._listen()
            except TimeoutError:
                raise AssertionError(f"the machine said no {pattern!r}: {self._heard[-800:]!r}") from None
        out, self._heard = self._heard[: found.start()], self._heard[found.end() :]
        return out, found[1] if found.groups() else b""


def _root_drive(image: Path, disk: Path | None, frozen: Path | None) -> str:
    """The option for the disk that it boots from."""
    if frozen is not None and disk is not None:
        shutil.copyfile(frozen, disk)
    elif disk is not None:
        backing = ["-b", str(image / "root.ext4"), "-F", "raw"]
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, str(disk)], check=True)
    else:
        return f"file={image / 'root.ext4'},if=virtio,format=raw,snapshot=on"
    return f"file={disk},if=virtio,format=qcow2,cache=unsafe"
