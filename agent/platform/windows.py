"""What is mounted on Windows, on what it lies, and whether BitLocker provably encrypts it.

The decisions are pure functions over what `System` tells, which tests replace by written answers. Written
from documentation and never run on a machine: see docs/platforms.md. What is not understood is `unknown`,
and without proof.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from agent.platform import windows_calls as calls
from agent.volume_facts import Device, Mount, VolumeFacts

_DRIVE_KINDS = {2: "removable", 4: "shared", 5: "removable", 6: "memory"}
"""GetDriveTypeW. Of a fixed drive (3) the bus decides: a USB hard disk is one, too."""

_CARRIED, _FIXED = frozenset({4, 7, 12}), frozenset({1, 3, 8, 10, 11, 13, 17, 19})
"""STORAGE_BUS_TYPE: IEEE 1394, USB, SD; SCSI, ATA, RAID, SAS, SATA, MMC (soldered in), NVMe, UFS.
A drive in a file, in memory or on another machine (9, 14, 15, 16) is neither."""

_CIPHERS = {
    1: "AES 128 with diffuser", 2: "AES 256 with diffuser", 3: "AES 128", 4: "AES 256",
    6: "XTS-AES 128", 7: "XTS-AES 256",
}  # fmt: skip
"""GetEncryptionMethod. 5, encryption by the drive's own hardware, is the drive's word and no proof."""

_DESCRIPTOR = struct.Struct("<II BBBB IIII I")
"""STORAGE_DEVICE_DESCRIPTOR: version, size, two types, removable medium, queueing, four offsets, bus."""

_GUID = re.compile(r"\{[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}")


@dataclass(frozen=True, slots=True)
class System:
    """Where Windows tells about volumes. Drives are named as `E:\\`; OSError where nothing can be told."""

    drive_type: Callable[[str], int] = calls.drive_type
    descriptor: Callable[[str], bytes] = calls.storage_descriptor
    """STORAGE_DEVICE_DESCRIPTOR of the disk below."""
    bitlocker: Callable[[], str] = calls.bitlocker
    """All of Win32_EncryptableVolume as JSON."""


SYSTEM = System()


def mounted() -> list[Mount]:
    """The drives that have a letter."""
    return calls.mounted()


def facts(
    mount: Mount,
    mounts: Sequence[Mount] = (),
    treat_as_removable: Sequence[str] = (),
    approved: Sequence[Device] = (),
    system: System = SYSTEM,
) -> VolumeFacts:
    """As `agent.platform.choose.Platform` says. `approved` counts for nothing: no USB number is known."""
    kind = _kind(mount, treat_as_removable, system)
    return VolumeFacts(
        kind=kind,
        fstype=mount.fstype,
        source=mount.source,
        device=mount.device,
        encryption_proof="" if _is_share(mount, system) else _proof(mount.mount_point, system),
    )


def _kind(mount: Mount, globs: Sequence[str], system: System) -> str:
    if any(fnmatchcase(mount.mount_point, g) or fnmatchcase(mount.source, g) for g in globs):
        return "removable"
    if _is_share(mount, system):
        return "shared"
    drive_type = _drive_type(mount, system)
    if drive_type != calls.DRIVE_FIXED:
        return _DRIVE_KINDS.get(drive_type, "unknown")
    try:
        return kind_of_disk(system.descriptor(mount.mount_point))
    except OSError:
        return "unknown"


def kind_of_disk(untrusted_descriptor: bytes) -> str:
    """`removable`, `fixed` or `unknown`, from a STORAGE_DEVICE_DESCRIPTOR."""
    if len(untrusted_descriptor) < _DESCRIPTOR.size:
        return "unknown"
    _, _, _, _, removable_medium, _, _, _, _, _, bus = _DESCRIPTOR.unpack_from(untrusted_descriptor)
    if removable_medium or bus in _CARRIED:
        return "removable"
    return "fixed" if bus in _FIXED else "unknown"


def _is_share(mount: Mount, system: System) -> bool:
    return mount.mount_point.startswith("\\\\") or _drive_type(mount, system) == calls.DRIVE_REMOTE


def _drive_type(mount: Mount, system: System) -> int:
    try:
        return system.drive_type(mount.mount_point)
    except OSError:
        return calls.DRIVE_UNKNOWN


def _proof(mount_point: str, system: System) -> str:
    try:
        return proof_of(mount_point, json.loads(system.bitlocker()))
    except (OSError, ValueError, RecursionError):
        return ""


def proof_of(mount_point: str, untrusted_volumes: object) -> str:
    """Encrypted only if all of the volume is (conversion 1), its key does not lie beside it in the clear
    (protection 1, not suspended), and the cipher is one of software. One volume comes without a list.
    """
    several = untrusted_volumes if isinstance(untrusted_volumes, list) else [untrusted_volumes]
    drive = mount_point.rstrip("\\").upper()
    found = [v for v in several if isinstance(v, Mapping) and _letter(v) == drive]
    if len(found) != 1 or not re.fullmatch("[A-Z]:", drive):
        return ""
    [volume] = found
    cipher = _CIPHERS.get(_number(volume, "EncryptionMethod"))
    if _number(volume, "ProtectionStatus") != 1 or _number(volume, "ConversionStatus") != 1 or not cipher:
        return ""
    name = volume.get("PersistentVolumeID")
    known_by = name if isinstance(name, str) and _GUID.fullmatch(name) else drive
    return f"BitLocker {cipher} {known_by}"


def _letter(volume: Mapping[object, object]) -> str:
    letter = volume.get("DriveLetter")
    return letter.upper() if isinstance(letter, str) else ""


def _number(volume: Mapping[object, object], key: str) -> int:
    number = volume.get(key)
    return number if isinstance(number, int) and not isinstance(number, bool) else -1
