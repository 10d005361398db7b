"""What is mounted, and what is known of the volume that carries a root, on any platform.

Apart, because keepers need no settings for it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount: on Linux a line of mountinfo, elsewhere a drive. Paths as `os.fsdecode` gives them."""

    mount_id: int
    device: str
    """major:minor, which is what `st_dev` of its files says (but on btrfs)."""
    root: str
    """Which folder of the file system is mounted."""
    mount_point: str
    options: tuple[str, ...]
    fstype: str
    source: str
    super_options: tuple[str, ...] = ()
    """Of the file system, not of this mount of it."""

    @property
    def read_only(self) -> bool:
        return "ro" in self.options


@dataclass(frozen=True, slots=True)
class Device:
    """How a USB device names itself. Whoever builds one can have it say anything."""

    vendor: str = ""
    """`idVendor`, four hexadecimal digits."""
    product: str = ""
    serial: str = ""


@dataclass(frozen=True, slots=True)
class VolumeFacts:
    """What carries the root. Without a proof a volume counts as unencrypted."""

    kind: str = "unknown"
    """`removable`, `shared`, `fixed`, `memory` or `unknown`."""
    fstype: str = ""
    source: str = ""
    device: str = ""
    """major:minor"""
    uuid: str = ""
    encryption_proof: str = ""
    vendor: str = ""
    """How the USB device names itself; see `Device`."""
    product: str = ""
    serial: str = ""

    @property
    def encrypted(self) -> bool:
        return bool(self.encryption_proof)
