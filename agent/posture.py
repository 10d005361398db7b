"""Whether this machine's own disk is provably encrypted: what a lost laptop would give away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.escape import escape
from agent.host_findings import HostFinding, tell
from agent.ledger import Ledger
from agent.platform import linux
from agent.platform.linux_devices import Kernel
from agent.schema import RootRow
from agent.telling import Host
from agent.volume_facts import Mount, VolumeFacts
from agent.volumes import facts_teller
from config.settings import Handling, Settings, Zone

HOST_ROOT = "host"
"""The root_id of what is about the machine and about no root."""


@dataclass(frozen=True, slots=True)
class OwnVolume:
    """A mount that belongs to the machine and holds what people write."""

    mount_point: str
    facts: VolumeFacts


def own_volumes(
    settings: Settings, mounts: Sequence[Mount], kernel: Kernel = linux.KERNEL
) -> list[OwnVolume]:
    """The mounts that carry the system, homes, our own state and the configured local roots."""
    shown = linux.visible(mounts)
    facts_of = facts_teller(settings, shown, kernel)
    local = [str(root.path) for root in settings.watch.roots if root.zone is Zone.LOCAL]
    carriers = {
        mount.mount_point: mount
        for path in ("/", "/home", str(settings.state_dir), *local)
        if (mount := linux.mount_of(path, shown)) is not None
    }
    volumes = [OwnVolume(point, facts_of(mount)) for point, mount in sorted(carriers.items())]
    return [v for v in volumes if v.facts.kind in ("fixed", "unknown")]


def posture(volumes: Sequence[OwnVolume]) -> HostFinding:
    """What is to be told of them; settled when each has its proof."""
    bare = [v for v in volumes if not v.facts.encrypted]
    facts = {
        "volumes": [
            {
                "mount_point": escape(v.mount_point),
                "fstype": escape(v.facts.fstype),
                "source": escape(v.facts.source),
                "encryption_proof": escape(v.facts.encryption_proof),
            }
            for v in volumes
        ]
    }
    return HostFinding(
        finding="own_disk",
        root_id=HOST_ROOT,
        path=bare[0].mount_point if bare else "/",
        title="This machine's own disk is not provably encrypted",
        message=f"No proof that {escape(bare[0].mount_point)} is encrypted"
        if bare
        else "The own disk is encrypted",
        reason="own_disk_unencrypted" if bare else "own_disk_encrypted",
        severity_id=4,
        facts=facts,
        settled=not bare,
    )


class OwnDisk:
    """Looked at whenever the mounts have changed, and told only when something about it has."""

    def __init__(self, ledger: Ledger, host: Host) -> None:
        self._ledger = ledger
        self._host = host
        self._known = False
        self.volumes: list[OwnVolume] = []

    def look(self, settings: Settings, mounts: Sequence[Mount], sinks: Sequence[str]) -> bool:
        """Whether an alert was raised, updated or closed."""
        found = own_volumes(settings, mounts)
        if self._known and found == self.volumes:
            return False
        self._known, self.volumes = True, found
        if not settings.alerts.own_disk:
            return False
        self._ledger.know(RootRow(HOST_ROOT, "/", Zone.LOCAL.value, Handling.UNRESTRICTED.value))
        return tell(self._ledger, self._host, posture(found), sinks)

    def forget(self) -> None:
        """New settings: look and tell anew."""
        self._known = False
