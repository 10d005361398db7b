"""What is mounted on macOS, on what it lies, and whether APFS provably encrypts it under somebody's password.

The decisions are pure functions over what `System` tells, which tests replace by written answers. Written
from documentation and never run on a machine: see docs/platforms.md. What is not understood is `unknown`,
and without proof.
"""

from __future__ import annotations

import plistlib
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from xml.parsers.expat import ExpatError

from agent.volume_facts import Device, Mount, VolumeFacts

SHARES = frozenset({"smbfs", "nfs", "afpfs", "webdav", "ftp", "cifs"})
_DISKUTIL, _FDESETUP, _SANDBOX = "/usr/sbin/diskutil", "/usr/bin/fdesetup", "/usr/bin/sandbox-exec"
_FILEVAULT_ON = "FileVault is On."
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_VOLUME = re.compile(r"/dev/(disk[0-9]+(?:s[0-9]+)?)(?:s[0-9]+)?")
"""A volume, or the snapshot of one: the system starts from one that is sealed."""
_SECONDS = 30

Told = Mapping[object, object]


def _ask(*command: str) -> bytes:
    try:
        return subprocess.run(command, capture_output=True, timeout=_SECONDS, check=True).stdout
    except subprocess.SubprocessError as error:
        raise OSError(f"{command[0]} gave no answer") from error


@dataclass(frozen=True, slots=True)
class System:
    """Where macOS tells about volumes; OSError where nothing can be told. The programs answer from the
    registry of devices (IOKit) and from the heads of volumes, not from what lies on them."""

    info: Callable[[str], bytes] = lambda device: _ask(_DISKUTIL, "info", "-plist", device)
    apfs: Callable[[], bytes] = lambda: _ask(_DISKUTIL, "apfs", "list", "-plist")
    filevault: Callable[[], bytes] = lambda: _ask(_FDESETUP, "status")


SYSTEM = System()


def mounted() -> list[Mount]:
    """All mounts, with what is not known left empty."""
    import psutil

    parts = psutil.disk_partitions(all=True)
    return [
        Mount(number, "", "/", part.mountpoint, tuple(part.opts.split(",")), part.fstype, part.device)
        for number, part in enumerate(parts, 1)
    ]


def facts(
    mount: Mount,
    mounts: Sequence[Mount] = (),
    treat_as_removable: Sequence[str] = (),
    approved: Sequence[Device] = (),
    system: System = SYSTEM,
) -> VolumeFacts:
    """As `agent.platform.choose.Platform` says. `approved` counts for nothing: no USB number is known."""
    told = _told_of(mount, system)
    uuid = told.get("VolumeUUID")
    return VolumeFacts(
        kind=_kind(mount, treat_as_removable, told),
        fstype=mount.fstype,
        source=mount.source,
        device=mount.device,
        uuid=uuid if isinstance(uuid, str) and _UUID.fullmatch(uuid) else "",
        encryption_proof=_proof(mount, told, system),
    )


def _told_of(mount: Mount, system: System) -> Told:
    """What diskutil says of the mount's device, if it is still mounted there; else nothing."""
    if mount.fstype in SHARES or not _VOLUME.fullmatch(mount.source):
        return {}
    try:
        told = _plist(system.info(mount.source))
    except OSError:
        return {}
    same = told.get("DeviceNode") == mount.source and told.get("MountPoint") == mount.mount_point
    return told if same else {}


def _kind(mount: Mount, globs: Sequence[str], told: Told) -> str:
    if any(fnmatchcase(mount.mount_point, g) or fnmatchcase(mount.source, g) for g in globs):
        return "removable"
    return "shared" if mount.fstype in SHARES else kind_of_disk(told)


def kind_of_disk(told: Told) -> str:
    """`removable`, `fixed` or `unknown`, from what `diskutil info` says. The slot of a card is internal, what
    is in it is not; a disk image is neither, whatever it lies on."""
    if told.get("BusProtocol") == "Disk Image":
        return "unknown"
    carried = ("RemovableMedia", "RemovableMediaOrExternalDevice")
    if any(told.get(key) is True for key in carried) or told.get("Internal") is False:
        return "removable"
    fixed = told.get("Internal") is True and told.get("RemovableMediaOrExternalDevice") is False
    return "fixed" if fixed else "unknown"


def _proof(mount: Mount, told: Told, system: System) -> str:
    found = _VOLUME.fullmatch(mount.source)
    if not found or mount.fstype != "apfs" or told.get("FilesystemType") != "apfs":
        return ""
    try:
        proof = proof_of(found[1], _plist(system.apfs()))
        if proof and kind_of_disk(told) != "removable":
            return proof if system.filevault().decode("utf-8", "replace").strip() == _FILEVAULT_ON else ""
        return proof
    except OSError:
        return ""


def proof_of(device: str, told: Told) -> str:
    """Encrypted only if the volume is, wholly (no conversion goes on), and its key is bound to a password:
    on Macs with a security chip `Encryption` alone means that the machine opens it for everybody."""
    containers = told.get("Containers")
    volumes = [
        volume
        for container in (containers if isinstance(containers, list) else [])
        for volume in _listed(container, "Volumes")
        if isinstance(volume, Mapping) and volume.get("DeviceIdentifier") == device
    ]
    if len(volumes) != 1:
        return ""
    [volume] = volumes
    uuid = volume.get("APFSVolumeUUID")
    under_password = volume.get("Encryption") is True and volume.get("FileVault") is True
    if not under_password or volume.get("CryptoMigrationOn") is not False:
        return ""
    return f"APFS FileVault {uuid}" if isinstance(uuid, str) and _UUID.fullmatch(uuid) else ""


def _listed(told: object, key: str) -> list[object]:
    listed = told.get(key) if isinstance(told, Mapping) else None
    return listed if isinstance(listed, list) else []


def _plist(untrusted_answer: bytes) -> Told:
    try:
        told = plistlib.loads(untrusted_answer)
    except (plistlib.InvalidFileException, ExpatError, ValueError, TypeError, OverflowError, RecursionError):
        return {}
    return told if isinstance(told, Mapping) else {}


def sandbox_profile(environment: PurePosixPath) -> str:
    """The profile of a process that reads hostile files: it reads its own programs and the system's
    libraries, and neither opens anything else, nor writes, nor starts a program, nor reaches the network."""
    text = str(environment)
    if not environment.is_absolute() or re.search(r'["\\\x00-\x1f\x7f]', text):
        raise ValueError("an environment of its own needs a plain absolute path")
    places = " ".join(f'(subpath "{place}")' for place in (text, "/usr/lib", "/System/Library"))
    return (
        "(version 1)\n(deny default)\n"
        f"(allow file-read* file-map-executable {places})\n"
        '(allow file-read-metadata (literal "/") (literal "/usr") (literal "/System"))\n'
        f'(allow process-exec (literal "{text}/bin/python"))\n'
        "(allow sysctl-read)\n"
    )


def confined(command: Sequence[str], environment: PurePosixPath) -> list[str]:
    """The command under that profile. Apple calls sandbox-exec deprecated and ships it; memory and time are
    bounded by setrlimit(2), which is the worker's own."""
    return [_SANDBOX, "-p", sandbox_profile(environment), *command]
