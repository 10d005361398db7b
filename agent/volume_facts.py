"""What is known of the volume that carries a root; apart, because keepers need no settings for it."""

from __future__ import annotations

from dataclasses import dataclass


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
    """How the USB device names itself; see `agent.platform.linux_devices.Device`."""
    product: str = ""
    serial: str = ""

    @property
    def encrypted(self) -> bool:
        return bool(self.encryption_proof)
