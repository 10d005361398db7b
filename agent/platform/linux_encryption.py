"""Whether what is written to a mount is provably encrypted where it comes to rest, and the proof in words.

No proof means unencrypted. A proof names what does not change from one plug to the next, because files
are judged anew when it changes; it never holds text that an unprivileged user chose.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from agent.platform.linux_devices import Kernel, Way, device_of, read
from agent.volume_facts import Device

ENCRYPTING = frozenset({"LUKS1", "LUKS2", "PLAIN", "TCRYPT", "LOOPAES", "BITLK", "FVAULT2"})
"""cryptsetup's names of maps that encrypt. It also marks verity and integrity maps `CRYPT-`."""

VIEWS = {"fuse.gocryptfs": "gocryptfs", "fuse.encfs": "encfs", "fuse.cryfs": "cryfs"}
"""Plain views of folders that hold ciphertext, and the programs that serve them."""

FSCRYPT = frozenset({"ext4", "f2fs", "ubifs"})
"""File systems of the kernel whose word on the encryption of one folder counts."""

_SYSTEM_FOLDERS = ("/usr/bin", "/bin", "/usr/sbin", "/usr/local/bin")


def proof_of_ways(ways: Sequence[Way], kernel: Kernel, approved: Sequence[Device]) -> str:
    """Encrypted only if every way down passes through an encrypting map or ends in an approved device."""
    proofs = set()
    for way in ways:
        found = next((p for d in way if (p := _crypt(d, kernel))), "") or _approved(way[-1], approved)
        if not found:
            return ""
        proofs.add(found)
    return "; ".join(sorted(proofs))


def _crypt(device: Path, kernel: Kernel) -> str:
    """A dm-crypt map: by its table where that can be asked for, else by its uuid, which only root can set."""
    if not (device / "dm").is_dir():
        return ""
    kind, uuid = _cryptsetup(read(device / "dm" / "uuid"))
    told = kernel.targets(read(device / "dev"))
    if told is None:
        return f"dm-crypt {kind}{uuid}" if kind in ENCRYPTING else ""
    ciphers = {target.removeprefix("crypt ") for target in told if target.startswith("crypt ")}
    if not told or len(ciphers) != 1 or not all(target.startswith("crypt ") for target in told):
        return ""
    cipher = ciphers.pop()
    if "null" in cipher or cipher == "?":
        return ""
    return " ".join(("dm-crypt", *([kind + uuid] if kind in ENCRYPTING else []), cipher))


def _cryptsetup(uuid: str) -> tuple[str, str]:
    """`LUKS2` and the header's uuid out of `CRYPT-LUKS2-UUID-NAME`; ("", "") for what is no such map."""
    found = re.match(r"CRYPT-([A-Z0-9]+)-(?:([0-9a-f]{32})-)?", uuid)
    return (found[1], f" {found[2]}" if found[2] else "") if found else ("", "")


def _approved(disk: Path, approved: Sequence[Device]) -> str:
    """A device of the register. All that it says must agree; one that says no serial number never does."""
    found = device_of(disk)
    if not found.serial or found not in approved:
        return ""
    return f"approved device {found.vendor}:{found.product} {found.serial}"


def proof_of_view(fstype: str, mount_point: str, options: Sequence[str], kernel: Kernel) -> str:
    """For a file system whose files are ciphertext in another one, which is judged by itself."""
    if fstype == "ecryptfs":
        cipher = next((o.partition("=")[2] for o in options if o.startswith("ecryptfs_cipher=")), "")
        sham = {"ecryptfs_passthrough", "ecryptfs_encrypted_view"} & set(options)
        return f"ecryptfs {cipher}" if re.fullmatch(r"[a-z0-9_]{1,32}", cipher) and not sham else ""
    program = VIEWS.get(fstype)
    if program and _is_served(program, mount_point, kernel.proc):
        return f"{program} view"
    return ""


def _is_served(program: str, mount_point: str, proc: Path) -> bool:
    """Anybody may mount something under the name of `gocryptfs`: ask which program serves it.

    Of other processes only the name, the links and (of the system's own program alone) the command line
    are read, so that no user's process can hold us up. Links of others are shown to CAP_SYS_PTRACE only.
    """
    ours = {_link(proc / pid / "ns" / "mnt") for pid in ("1", "self")} - {""}
    for process in sorted(proc.glob("[0-9]*")):
        if read(process / "comm") != program[:15]:
            continue
        if os.path.split(_link(process / "exe")) not in [(f, program) for f in _SYSTEM_FOLDERS]:
            continue
        if _link(process / "ns" / "mnt") not in ours:  # else anything may lie at that path
            continue
        words = read(process / "cmdline").split("\0")
        named = any(
            w and os.path.normpath(os.path.join("/", w)) == mount_point for w in words if w[:1] == "/"
        )
        relative = any(w[:1] not in ("", "/", "-") and _ends(mount_point, w) for w in words[1:])
        if (named or relative) and _holds_fuse(process):
            return True
    return False


def _ends(mount_point: str, word: str) -> bool:
    return mount_point.endswith("/" + os.path.normpath(word).removeprefix("./"))


def _holds_fuse(process: Path) -> bool:
    try:
        return any(_link(link) == "/dev/fuse" for link in (process / "fd").iterdir())
    except OSError:
        return False


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""
