"""Which roots there shall be: the configured ones, and those that come and go with mounts.

Overlaps: where one root lies inside another, the inner one answers for its files and the outer one
leaves them alone, so that each file is handled once, by the most specific rule. A root that a mount
would make and that is also configured is made by the configuration. Of several mounts of one file
system only the one nearest to its top becomes a root.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from agent.escape import escape
from agent.forbidden import why_never
from agent.platform import linux
from agent.platform.choose import here
from agent.platform.linux import inside
from agent.platform.linux_devices import Kernel
from agent.policy import RootFacts
from agent.volume_facts import Device, Mount, VolumeFacts
from config.load import ConfigError
from config.settings import Handling, Mode, Root, Settings, Zone

SYSTEM_FOLDERS = frozenset(
    {"/", "/boot", "/boot/efi", "/boot/firmware", "/efi", "/usr", "/var", "/var/log", "/etc", "/opt", "/nix"}
)
"""Never a volume root, even when the system itself runs from a stick."""

FactsOf = Callable[[Mount], VolumeFacts]


@dataclass(frozen=True, slots=True)
class WatchedRoot:
    """One root as it shall be watched."""

    root_id: str
    path: str
    facts: RootFacts
    volume: VolumeFacts
    origin: Literal["configured", "volume"]
    mount_id: int = 0
    read_only: bool = False
    device: int = -1
    """`st_dev`, known only after somebody else has looked."""
    others: tuple[str, ...] = ()
    """Folders below this root that are not its business: other roots, our own state."""

    def path_of(self, relpath: str) -> str:
        return f"{self.path.rstrip('/')}/{relpath}"

    def is_elsewhere(self, relpath: str) -> bool:
        """Whether somebody else answers for this file."""
        path = self.path_of(relpath)
        return any(inside(path, other) for other in self.others)

    def digest(self, judge_digest: str, settings: Settings) -> str:
        """Changes whenever the same bytes in this root might be decided differently."""
        facts: dict[str, Any] = {
            "judge": judge_digest,
            "policy": settings.policy.model_dump(mode="json", exclude={"contact", "review_by", "erase"}),
            "root": asdict(self.facts),
            "encrypted": self.volume.encryption_proof,
            "read_only": self.read_only,
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def check_roots(settings: Settings, source: str = "configuration") -> None:
    """Nobody may have the service watch, and take, what is its own."""
    for root in settings.watch.roots:
        if inside(os.path.normpath(root.path), os.path.normpath(settings.state_dir)):
            raise ConfigError(
                source, "watch.roots", f"{escape(root.path)} lies in state_dir",
                "the service never looks at its own ledger and vault: name another folder",
            )  # fmt: skip
        why = why_never(os.path.normpath(root.path), own_folders(settings))
        if why and (root.mode or settings.policy.mode) is Mode.ENFORCE:
            raise ConfigError(
                source, "watch.roots", f"{escape(root.path)} can never be enforced: {why}",
                'name the folder that people use, or give this root mode = "audit"',
            )  # fmt: skip


def own_folders(settings: Settings) -> tuple[str, ...]:
    """Folders of the service itself: nothing in them is anybody's file."""
    copies = (str(settings.vault.copy_to),) if settings.vault.copy_to else ()
    return (str(settings.state_dir), *copies)


def _mode(wanted: Mode, path: str, settings: Settings) -> Mode:
    """Where a link or a mount leads to a place where nothing may be taken, the service only tells."""
    return Mode.AUDIT if why_never(path, own_folders(settings)) else wanted


def wanted(
    settings: Settings,
    mounts: Sequence[Mount],
    real_paths: Mapping[str, str] | None = None,
    kernel: Kernel = linux.KERNEL,
) -> list[WatchedRoot]:
    """All roots that there should be now. `real_paths` tells configured paths without their links."""
    shown = linux.visible(mounts)
    facts_of = facts_teller(settings, shown, kernel)
    roots = [
        _configured(root, settings, shown, facts_of, (real_paths or {}).get(str(root.path)))
        for root in settings.watch.roots
    ]
    taken = {root.path for root in roots}
    for mount in _one_for_each_file_system(shown):
        volume = facts_of(mount)
        zone = _zone(volume, mount, settings)
        if mount.mount_point in taken:
            continue
        if zone is not None:
            roots.append(_from_mount(mount, volume, zone, settings))
        elif above := _configured_above(mount, roots):
            roots.append(_below(mount, volume, above))
    return _apart(roots, own_folders(settings))


def facts_teller(settings: Settings, mounts: Sequence[Mount], kernel: Kernel) -> FactsOf:
    """Tells the facts about any of these mounts, as the settings see them."""
    volumes = settings.watch.volumes
    approved = [Device(d.vendor, d.product, d.serial) for d in volumes.approved_devices]
    return lambda mount: here.facts(mount, mounts, volumes.treat_as_removable, approved, kernel)


def is_drive(root: WatchedRoot) -> bool:
    """Whether a root is carried away: nothing about it waits, and nothing is written to it unasked."""
    return root.facts.zone is Zone.REMOVABLE or root.volume.kind == "removable"


def canary_seconds(root: WatchedRoot, settings: Settings) -> float:
    """How often to prove that a root is watched, 0 for never: nothing is written to a drive unasked."""
    unasked = is_drive(root) and not settings.watch.volumes.canary_on_removable
    return 0.0 if root.read_only or unasked else settings.watch.canary_seconds


def _configured(
    root: Root, settings: Settings, mounts: Sequence[Mount], facts_of: FactsOf, real_path: str | None
) -> WatchedRoot:
    path = real_path or str(root.path)
    mount = linux.mount_of(path, mounts)
    return WatchedRoot(
        root_id=_id("root", str(root.path)),
        path=path,
        facts=RootFacts(root.zone, root.handling, _mode(root.mode or settings.policy.mode, path, settings)),
        volume=facts_of(mount) if mount else VolumeFacts(),
        origin="configured",
        mount_id=mount.mount_id if mount else 0,
        read_only=bool(mount and mount.read_only),
    )


def _from_mount(mount: Mount, volume: VolumeFacts, zone: Zone, settings: Settings) -> WatchedRoot:
    mode = _mode(settings.watch.volumes.mode or settings.policy.mode, mount.mount_point, settings)
    # A file system that comes back is the same root, wherever it is mounted this time. Without a uuid its
    # place must do: the name of a block device changes from one plug to the next.
    source = "" if mount.source.startswith("/dev/") else mount.source
    known_by = [volume.uuid, mount.root] if volume.uuid else [mount.fstype, source, mount.mount_point]
    return WatchedRoot(
        root_id=_id("volume", *known_by),
        path=mount.mount_point,
        facts=RootFacts(zone, Handling.UNRESTRICTED, mode),
        volume=volume,
        origin="volume",
        mount_id=mount.mount_id,
        read_only=mount.read_only,
    )


def _configured_above(mount: Mount, roots: Sequence[WatchedRoot]) -> WatchedRoot | None:
    """The innermost configured root in which a mount lies, if it can hold files of people."""
    above = [r for r in roots if r.origin == "configured" and inside(mount.mount_point, r.path)]
    if mount.fstype in linux.NOT_FOR_FILES or mount.mount_point in SYSTEM_FOLDERS:
        return None
    return max(above, key=lambda r: len(r.path), default=None)


def _below(mount: Mount, volume: VolumeFacts, above: WatchedRoot) -> WatchedRoot:
    """A keeper never crosses into another mount, so a mount inside a root is one more root of its kind."""
    return WatchedRoot(
        root_id=_id("below", above.root_id, mount.mount_point),
        path=mount.mount_point,
        facts=above.facts,
        volume=volume,
        origin="volume",
        mount_id=mount.mount_id,
        read_only=mount.read_only,
    )


def _zone(volume: VolumeFacts, mount: Mount, settings: Settings) -> Zone | None:
    """Whether a mount becomes a root by itself, and as what."""
    if mount.mount_point in SYSTEM_FOLDERS or mount.fstype in linux.NOT_FOR_FILES:
        return None
    if volume.kind == "removable" and settings.watch.volumes.removable:
        return Zone.REMOVABLE
    if volume.kind == "shared" and settings.watch.volumes.shares:
        return Zone.SHARED
    return None


def _one_for_each_file_system(mounts: Iterable[Mount]) -> list[Mount]:
    """Without bind mounts of what another mount shows already."""
    kept: list[Mount] = []
    for mount in sorted(mounts, key=lambda m: (len(m.root), m.mount_id)):
        if not any(m.device == mount.device and inside(mount.root, m.root) for m in kept):
            kept.append(mount)
    return kept


def _apart(roots: Sequence[WatchedRoot], own: Sequence[str]) -> list[WatchedRoot]:
    """With what each leaves to others. Of two that lead to one folder (by a link) the first counts."""
    paths = {root.path for root in roots} | set(own)
    distinct: dict[str, WatchedRoot] = {}
    for root in roots:
        others = tuple(sorted(p for p in paths if p != root.path and inside(p, root.path)))
        if any(inside(root.path, folder) for folder in own):  # by a link, or a mount: all of it is ours
            others = (root.path,)
        distinct.setdefault(root.path, replace(root, others=others))
    return list(distinct.values())


def _id(kind: str, *known_by: str) -> str:
    digest = hashlib.sha256(json.dumps(known_by).encode()).hexdigest()
    return f"{kind}-{digest[:16]}"
