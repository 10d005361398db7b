"""The settings model: frozen, strict, with the units in the names.

Read by every package, imports none of them. `config.load` turns files and environment into it.
"""

from __future__ import annotations

import base64
import unicodedata
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from config.console import Console
from config.destinations import Alerts as Alerts
from config.notice import Notice
from config.section import Seconds, Section


class Zone(StrEnum):
    """The kind of place a root is."""

    REMOVABLE = "removable"
    SHARED = "shared"
    LOCAL = "local"
    WEBSITE = "website"


class Handling(StrEnum):
    """Whether microdata may lie in a root: on `restricted` it is recorded, not taken."""

    UNRESTRICTED = "unrestricted"
    RESTRICTED = "restricted"


class Mode(StrEnum):
    """`audit` tells and never touches; `enforce` acts."""

    AUDIT = "audit"
    ENFORCE = "enforce"


class FirstContact(StrEnum):
    """What becomes of files that were in a share or local root before it was ever watched."""

    REPORT = "report"
    ENFORCE = "enforce"


class Action(StrEnum):
    """What policy does with a verdict, in rising order of severity."""

    IGNORE = "ignore"
    RECORD = "record"
    ALERT = "alert"
    QUARANTINE = "quarantine"


class Protection(StrEnum):
    """A protection of the machinery itself that can be made compulsory."""

    WORKER_USER = "worker_user"
    NETWORK_NAMESPACE = "network_namespace"
    LANDLOCK = "landlock"
    SECCOMP = "seccomp"
    RLIMITS = "rlimits"
    NO_NEW_PRIVILEGES = "no_new_privileges"
    COURIER_USER = "courier_user"
    OPENAT2 = "openat2"
    PRIVATE_MOUNT = "private_mount"
    WRITE_LEASE = "write_lease"


Ratio = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Role(StrEnum):
    """What an approver answers for."""

    INFORMATION_ASSET_OWNER = "information_asset_owner"
    DATA_PROTECTION_OFFICER = "data_protection_officer"


class Approver(Section):
    """Somebody whose signature counts. One person may hold several keys, a key has one person."""

    name: str
    key: str
    """`ed25519:` and the public key in base64, as `recordwarden keys new --signing` prints it."""
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]
    retired: bool = False

    @model_validator(mode="after")
    def _usable(self) -> Approver:
        if not self.person:
            raise ValueError("name must say who it is")
        try:
            found = self.key_bytes
        except ValueError:
            found = b""
        if not self.key.startswith("ed25519:") or len(found) != 32:
            raise ValueError("key must be a line that `recordwarden keys new --signing` printed")
        return self

    @property
    def key_bytes(self) -> bytes:
        """The public key, 32 bytes."""
        return base64.b64decode(self.key.removeprefix("ed25519:"), validate=True)

    @property
    def person(self) -> str:
        """The name as people are told apart by it."""
        return " ".join(unicodedata.normalize("NFKC", self.name).casefold().split())


class Service(Section):
    """How the processes run."""

    worker_user: str = "nobody"
    courier_user: str = "nobody"
    control_group: str = "root"
    require: tuple[Protection, ...] = ()
    stuck_seconds: Seconds = 20.0
    restart_seconds: Seconds = 1.0


class IoClass(StrEnum):
    """How reading and writing ranks among others' (ioprio_set(2)); `none` leaves it as it is."""

    BEST_EFFORT = "best_effort"
    IDLE = "idle"
    NONE = "none"


Percent = Annotated[float, Field(gt=0, le=100)]
Span = Annotated[str, Field(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$")]


class GovernorSettings(Section):
    """What the service leaves to others. A threshold of 100 is none."""

    nice: Annotated[int, Field(ge=0, le=19)] = 5
    io_class: IoClass = IoClass.BEST_EFFORT
    io_level: Annotated[int, Field(ge=0, le=7)] = 7
    pause_above_cpu_percent: Percent = 80.0
    pause_above_memory_percent: Percent = 95.0
    pause_on_battery: bool = True
    quiet_hours: tuple[Span, ...] = ()
    longest_pause_seconds: Seconds = 4 * 3600.0

    @property
    def quiet_minutes(self) -> list[tuple[int, int]]:
        """The quiet hours as minutes of the day; a span may go over midnight."""
        spans = [span.split("-") for span in self.quiet_hours]
        return [(int(a[:2]) * 60 + int(a[3:]), int(b[:2]) * 60 + int(b[3:])) for a, b in spans]


class Root(Section):
    """A folder that is watched."""

    path: Path
    zone: Zone = Zone.SHARED
    handling: Handling = Handling.UNRESTRICTED
    mode: Mode | None = None

    @model_validator(mode="after")
    def _absolute(self) -> Root:
        if not self.path.is_absolute():
            raise ValueError("must be an absolute path")
        return self


class ApprovedDevice(Section):
    """A hardware-encrypted USB device of the register, as it names itself (`lsusb -v`)."""

    vendor: Annotated[str, Field(pattern="^[0-9a-f]{4}$")]
    product: Annotated[str, Field(pattern="^[0-9a-f]{4}$")]
    serial: Annotated[str, Field(min_length=1, max_length=126)]
    note: str = ""


class Volumes(Section):
    """Roots that come and go with mounts."""

    removable: bool = True
    shares: bool = True
    treat_as_removable: tuple[str, ...] = ()
    canary_on_removable: bool = False
    approved_devices: tuple[ApprovedDevice, ...] = ()
    mode: Mode | None = None


class Hold(Section):
    """Whether openers of files on drives wait until these are judged, and what when that takes too long."""

    enabled: bool = False
    seconds: Annotated[float, Field(ge=2, le=60)] = 10.0
    then: Literal["open", "closed"] = "open"


class Watch(Section):
    """What is watched, and how patiently."""

    roots: tuple[Root, ...] = ()
    volumes: Volumes = Volumes()
    hold: Hold = Hold()
    settle_seconds: Seconds = 0.02
    quiet_seconds: Seconds = 2.0
    sweep_seconds: Seconds = 3600.0
    canary_seconds: Annotated[float, Field(ge=0, le=7 * 86400)] = 300.0
    share_seconds: Seconds = 60.0


class Limits(Section):
    """What one file may cost."""

    examine_seconds: Seconds = 60.0
    examine_seconds_per_gb: Seconds = 60.0
    worker_memory_mb: Annotated[int, Field(ge=128, le=16384)] = 512
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    max_input_bytes: Count = 4 * 1024**3
    max_expanded_bytes: Count = 4 * 1024**3
    max_entries: Count = 10_000
    max_depth: Annotated[int, Field(ge=1, le=16)] = 6
    max_columns: Count = 16_384
    max_cell_chars: Count = 32_768
    max_line_bytes: Count = 8 * 1024**2


Telling = Literal[Action.IGNORE, Action.RECORD, Action.ALERT]
"""What may be done about a file that is never taken."""


class TierActions(Section):
    """What to do with unprotected microdata about people, by how sure the judgement is, and with statistics
    whose small counts stand unsuppressed."""

    confirmed: Action = Action.QUARANTINE
    likely: Action = Action.QUARANTINE
    possible: Action = Action.ALERT
    small_cells: Telling = Action.IGNORE


class WebsiteActions(TierActions):
    """What is bound for publication must be safe to publish."""

    small_cells: Telling = Action.ALERT


class Actions(Section):
    """Actions by zone."""

    removable: TierActions = TierActions()
    shared: TierActions = TierActions()
    local: TierActions = TierActions()
    website: WebsiteActions = WebsiteActions()

    def for_zone(self, zone: Zone) -> TierActions:
        """The tier actions of one zone."""
        actions: TierActions = getattr(self, zone.value)
        return actions


class Breaker(Section):
    """Bounds how many files a root may lose in an hour; past it the agent only alerts."""

    max_files_per_hour: Count = 200
    max_percent: Annotated[float, Field(gt=0, le=100)] = 50.0
    from_files: Count = 50


class Policy(Section):
    """What is done about a verdict. The shipped default only tells."""

    mode: Mode = Mode.AUDIT
    actions: Actions = Actions()
    business_records: Telling = Action.RECORD
    weak_protection: Telling = Action.ALERT
    unreadable: Telling = Action.RECORD
    first_contact: FirstContact = FirstContact.REPORT
    breaker: Breaker = Breaker()
    erase: bool = True
    contact: str = "your information security team"
    review_by: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None


class Vault(Section):
    """Where quarantined content goes, for whom it is encrypted, and when it is to be looked at again."""

    recipients: tuple[str, ...] = ()
    recipients_file: Path | None = None
    reserve_mb: Annotated[int, Field(ge=0)] = 256
    review_days: Annotated[int, Field(ge=1, le=1826)] = 365
    capacity_mb: Annotated[int, Field(ge=1)] | None = None
    copy_to: Path | None = None
    verify_days: Annotated[float, Field(gt=0)] = 30.0

    @model_validator(mode="after")
    def _absolute(self) -> Vault:
        if self.copy_to is not None and not self.copy_to.is_absolute():
            raise ValueError("copy_to must be an absolute path")
        return self


class Settings(Section):
    """All that administrators tune.

    `detectors` holds one stanza for each detector id; each detector validates its own (in the
    worker's process), so that the privileged side need not import it.
    """

    state_dir: Path = Path("/var/lib/recordwarden")
    service: Service = Service()
    watch: Watch = Watch()
    governor: GovernorSettings = GovernorSettings()
    limits: Limits = Limits()
    policy: Policy = Policy()
    approvers: tuple[Approver, ...] = ()
    vault: Vault = Vault()
    notice: Notice = Notice()
    alerts: Alerts = Alerts()
    console: Console = Console()
    detectors: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @field_validator("approvers")
    @classmethod
    def _one_person_for_each_key(cls, approvers: tuple[Approver, ...]) -> tuple[Approver, ...]:
        """Were a key listed for two names, one person could sign as two."""
        if len({a.key_bytes for a in approvers}) != len(approvers):
            raise ValueError("a key is listed twice: each belongs to one person")
        return approvers
