"""The messages between supervisor and keeper (`agent.channel` carries them).

Keepers ask and wait for the answer; the supervisor also tells, at any time. Paths are `str` as
`os.fsdecode` gives them (surrogates survive JSON). The story, in the order of one file:

    keeper                               supervisor
    Hello                             -> Welcome        root, settings, unfinished entries
    Unseen  [identities]              -> UnseenAnswer   which of them need a judgement
    Folders [keys, digests]           -> FoldersAnswer  which of them hold something new
    FoldersKnown [keys, digests]      -> Done
    Cursor  path                      -> Done
    Judged  identity, verdict         -> Orders         leave | take
    Passed  several such, all harmless -> Done
    MayPlace entry                    -> Go             true (the intent is durable) | false (revoked: stop)
    Vaulted entry, digests            -> Removal        remove (custody and held alert are durable) | discard
    MayUnlink entry                   -> Go             true | false (revoked: put it back and stop)
    Outcome entry, result, notice     -> Done           the alert is released
    Swept   counts                    -> Done
    Doubted causes                    -> Done
    Beat    state                        (no answer)
                                      <- Tell           sweep | look | pause | resume | end
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, fields, is_dataclass
from hashlib import blake2b
from typing import Any, Literal

from agent.writer import Writer

MAX_PACKET_BYTES = 180_000
MAX_UNSEEN = 200
MAX_FOLDERS = 500

RETRIED = frozenset({"in_use", "changed", "revoked"})
"""Why an original may be there still although it was vaulted, and may be tried again."""


class ChannelClosed(Exception):
    """The other side is gone; a keeper that sees this stops at once and touches nothing more."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which file: its path below the root, and what tells that very file from any other."""

    relpath: str
    dev: int
    ino: int
    size: int
    mtime_ns: int
    ctime_ns: int


def folder_key(relpath: str) -> str:
    """A folder's name in the ledger: a digest, so that no second table holds paths."""
    return blake2b(os.fsencode(relpath), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An entry whose removal was under way when its keeper or the service died."""

    entry_id: str
    identity: Identity
    sha256: str
    aside: str
    """Where the original may have been moved: a path below the root."""
    notice: str


@dataclass(frozen=True, slots=True)
class Message:
    """Base of all messages; the class name is the type on the wire."""

    def to_json(self) -> dict[str, Any]:
        return {"type": type(self).__name__, **_plain(self)}


def _plain(value: Any) -> Any:
    if is_dataclass(value):  # `asdict` would copy what is plain already, verdicts mostly
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    return [_plain(one) for one in value] if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Hello(Message):
    pid: int


@dataclass(frozen=True, slots=True)
class Welcome(Message):
    """All that a keeper needs; it reads no configuration itself."""

    root_id: str
    path: str
    zone: str
    handling: str
    mode: str
    device: int
    """`st_dev` of the root when it was registered: the keeper refuses to work on any other."""
    vault_dir: str
    recipients: list[str]
    settle_seconds: float
    quiet_seconds: float
    sweep_seconds: float
    examine_seconds: float
    reserve_bytes: int
    """Space that the vault leaves free on its disk."""
    notice: str
    """What `agent.notice` leaves in a file's place, with `{file}` and `{reference}` in it."""
    vocabulary: list[str]
    config_digest: str
    """The judge's digest, checked against each verdict."""
    canary_seconds: float = 0.0
    """From one proof that the root is watched to the next (`agent.canary`); 0: none."""
    paused: bool = False
    """Routine sweeps wait (`Tell`)."""
    unfinished: list[Unfinished] = field(default_factory=list)
    capacity_bytes: int = 0
    """What the vault may hold; 0: as much as its disk."""
    erase: bool = False
    """Whether what a removed original held is overwritten."""
    share_seconds: float = 0.0
    """How often each folder of a network share is looked at; 0 if this is none."""
    cursor: str = ""
    """Where the last sweep of the whole root was cut off."""
    leftovers: list[str] = field(default_factory=list)
    """Private folders of removals that have ended lately: a keeper that died may have left one, empty."""
    examine_seconds_per_gb: float = 0.0


@dataclass(frozen=True, slots=True)
class Unseen(Message):
    files: list[Identity]


@dataclass(frozen=True, slots=True)
class UnseenAnswer(Message):
    indexes: list[int]
    quiet: bool = False
    """Nothing needs to be done about any of them, and nothing that is counted depends on meeting them."""


@dataclass(frozen=True, slots=True)
class Walking(Message):
    """What a keeper says of its walk through the root: `agent.walk_answer`."""


@dataclass(frozen=True, slots=True)
class Folders(Walking):
    """Folders that were surveyed: pairs of key (`folder_key`) and digest. Answer: FoldersAnswer."""

    folders: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class FoldersAnswer(Message):
    unknown: list[int]
    """Those in which there may be something that was not judged."""


@dataclass(frozen=True, slots=True)
class FoldersKnown(Walking):
    """Folders whose every file was quiet, to be remembered. Answer: Done."""

    folders: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Cursor(Walking):
    """How far the sweep of the whole root has come, "" at its end. Answer: Done."""

    relpath: str


@dataclass(frozen=True, slots=True)
class Judged(Message):
    identity: Identity
    verdict: dict[str, Any]
    """`Verdict.to_json()`; also made by the keeper itself for what it could not open."""
    origin: Literal["event", "sweep"]
    observed_at: float
    owner_uid: int = -1
    mode: int = 0
    encryption_proof: str = ""
    """Of this one file, by its file system (`agent.fscrypt`)."""
    writer: Writer | None = None
    settled: bool = True
    """False: it was closed just now. Nothing but "take" may come of that; else it is told again."""


@dataclass(frozen=True, slots=True)
class Passed(Message):
    """Files of a sweep about which nothing is done, whatever the policy. Answer: Done."""

    judged: list[Judged]


@dataclass(frozen=True, slots=True)
class Orders(Message):
    do: Literal["leave", "take", "settle"]
    entry_id: str = ""


@dataclass(frozen=True, slots=True)
class Vaulted(Message):
    entry_id: str
    sha256: str
    size: int
    ciphertext_sha256: str
    ciphertext_size: int


@dataclass(frozen=True, slots=True)
class NotVaulted(Message):
    """The deposit failed or the file changed meanwhile; nothing was removed. Answer: Done."""

    entry_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Removal(Message):
    do: Literal["remove", "discard"]
    aside: str = ""


@dataclass(frozen=True, slots=True)
class MayPlace(Message):
    """Asked when the ciphertext is on the disk, before it gets a name among the entries."""

    entry_id: str


@dataclass(frozen=True, slots=True)
class MayUnlink(Message):
    entry_id: str


@dataclass(frozen=True, slots=True)
class Go(Message):
    go: bool


@dataclass(frozen=True, slots=True)
class Outcome(Message):
    entry_id: str
    result: Literal["quarantined", "not_removed"]
    reason: str | None
    notice: bool
    erased: bool = False
    """Whether what the original held was overwritten, as far as can be; a large one is later."""


@dataclass(frozen=True, slots=True)
class Erased(Message):
    """What a large file held was overwritten after its outcome was told. Answer: Done."""

    entry_id: str


@dataclass(frozen=True, slots=True)
class Swept(Message):
    started_at: float
    files: int
    folders: int
    judged: int
    not_examined: dict[str, int]
    complete: bool


@dataclass(frozen=True, slots=True)
class Beat(Message):
    state: Literal["native", "polling", "degraded", "no_access"]
    backlog: int
    missing: list[str]
    """Protections that this keeper lacks, as `config.settings.Protection` values."""
    proof: Literal["off", "waiting", "seen", "missed", "unwritable"] = "off"
    """Of `agent.canary.Canary`, and when one was last seen, in seconds since the epoch."""
    proved_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Doubted(Walking):
    """Something may have been missed; a sweep answers it. Answer: Done."""

    causes: list[str]
    """Of `agent.watcher.Cause`."""


@dataclass(frozen=True, slots=True)
class Done(Message):
    pass


@dataclass(frozen=True, slots=True)
class Tell(Message):
    do: Literal["sweep", "look", "pause", "resume", "end"]
    """`look`: judge `relpath` now. `pause`: routine sweeps of the whole root wait until `resume`."""
    relpath: str = ""


_CLASSES: dict[str, type[Message]] = {
    c.__name__: c
    for c in (
        Hello, Welcome, Unseen, UnseenAnswer, Folders, FoldersAnswer, FoldersKnown, Cursor, Judged, Passed,
        Orders, Vaulted, NotVaulted, Removal, MayPlace, MayUnlink, Go, Outcome, Erased, Swept, Doubted, Beat,
        Done, Tell,
    )
}  # fmt: skip


def decode(untrusted: bytes) -> Message:
    """One packet as a message; raises `ValueError` for anything that is not exactly one."""
    plain = json.loads(untrusted)
    if not isinstance(plain, dict):
        raise ValueError("not an object")
    cls = _CLASSES.get(plain.pop("type", ""))
    if cls is None or set(plain) - {f.name for f in fields(cls)}:
        raise ValueError("unknown message")
    if cls is Unseen:
        plain["files"] = [Identity(**x) for x in plain["files"]]
    if cls is Passed:
        plain["judged"] = [Judged(**{**x, "identity": Identity(**x["identity"])}) for x in plain["judged"]]
    if "identity" in plain:
        plain["identity"] = Identity(**plain["identity"])
    if plain.get("writer"):
        plain["writer"] = Writer(**plain["writer"])
    if cls is Welcome:
        plain["unfinished"] = [
            Unfinished(**{**x, "identity": Identity(**x["identity"])}) for x in plain["unfinished"]
        ]
    return cls(**plain)
