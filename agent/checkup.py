"""What `recordwarden doctor` looks at: each precondition, what is wrong with it, and how to mend it.

Nothing here changes anything. Watched folders are looked at by a throw-away process (`agent.probe`),
because a hung medium hangs whoever touches it.
"""

from __future__ import annotations

import ctypes
import grp
import json
import os
import pwd
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from agent.audit import last_line
from agent.destinations import check_secrets, names_of
from agent.errors import Problem
from agent.escape import escape
from agent.forbidden import why_never
from agent.hold import HOLDING
from agent.recipients import enforces, usable_recipients
from config.load import ConfigError
from config.settings import Protection, Settings

Level = Literal["ok", "warning", "fault"]

_PROBE = Path(__file__).with_name("probe.py")
_PROBE_SECONDS = 5.0
_MODULES = Path("/sys/kernel/security/lsm")
_STA_UNSYNC = 0x0040
_TIME_ERROR = 5
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH

FIXES: Mapping[str, str] = {
    Protection.WORKER_USER: "run the service as root; service.worker_user must be an account here",
    Protection.NETWORK_NAMESPACE: "run the service as root, with CAP_SYS_ADMIN in its unit",
    Protection.LANDLOCK: "Linux 5.13 or newer with landlock among the modules of its `lsm=` boot option",
    Protection.SECCOMP: "a kernel with CONFIG_SECCOMP_FILTER, and libseccomp (Debian: libseccomp2)",
    Protection.RLIMITS: "let the unit's Limit… settings allow what limits.worker_memory_mb asks for",
    Protection.NO_NEW_PRIVILEGES: "Linux 3.5 or newer",
    Protection.COURIER_USER: "run the service as root; service.courier_user must be an account here",
    Protection.OPENAT2: "Linux 5.6 or newer; without it paths are walked name by name, which is slower",
    Protection.PRIVATE_MOUNT: "run the service as root, with CAP_SYS_ADMIN, on Linux 5.2 or newer",
    Protection.WRITE_LEASE: "some file systems have none; there each file is read twice instead",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One precondition: `says` what was found, `fix` how to mend it ("" when all is well)."""

    check: str
    level: Level
    says: str
    fix: str = ""


def checks(
    load: Callable[[], Settings], ask_status: Callable[[Settings], dict[str, Any]], source: str
) -> Iterator[Check]:
    """Every check, in the order in which to mend; ends early if the configuration is wrong.

    `load` raises `ConfigError`; `ask_status` gives the service's `status`, or raises `Problem`. `source` is
    the configuration's file or what stands for it.
    """
    try:
        settings = load()
    except ConfigError as error:
        yield Check("configuration", "fault", str(error).splitlines()[0], "see `recordwarden config check`")
        return
    yield Check("configuration", "ok", f"{escape(source)} is valid")
    yield from _permissions(settings, Path(source))
    yield from _recipients(settings, source)
    yield from _roots(settings)
    yield from _room(settings)
    yield from _clock(settings)
    yield from _destinations(settings)
    yield from _policy(settings)
    yield from _kernel()
    yield from _service(settings, ask_status)


def _permissions(settings: Settings, source: Path) -> Iterator[Check]:
    """Who may read and write what decides everything else."""
    for what, path in (("configuration", source), ("recipients file", settings.vault.recipients_file)):
        if path is None or (found := _status(path)) is None:
            continue
        if found.st_mode & _OTHERS_WRITE:
            fix = f"chmod go-w {escape(str(path))}"
            yield Check("permissions", "fault", f"others may write the {what} {escape(str(path))}", fix)
    yield _state_folder(settings.state_dir)
    service = settings.service
    for key, exists, name in (
        ("worker_user", pwd.getpwnam, service.worker_user),
        ("courier_user", pwd.getpwnam, service.courier_user),
        ("control_group", grp.getgrnam, service.control_group),
    ):
        try:
            exists(name)
        except KeyError:
            said = f"service.{key}: there is no {escape(name)} on this machine"
            yield Check("permissions", "fault", said, "create it, or name another one")


def _state_folder(state: Path) -> Check:
    shown = escape(str(state))
    try:
        found = state.stat()
    except FileNotFoundError:
        return Check("permissions", "ok", f"{shown} is made when the service first starts")
    except OSError:
        return Check("permissions", "warning", f"{shown} cannot be seen by you", "sudo recordwarden doctor")
    if not stat.S_ISDIR(found.st_mode):
        return Check("permissions", "fault", f"{shown} is no folder", "choose another state_dir")
    if stat.S_IMODE(found.st_mode) & ~0o710:  # service.control_group may pass to the socket
        return Check("permissions", "fault", f"others may look into {shown}", f"chmod 700 {shown}")
    return Check("permissions", "ok", f"{shown} is the service's alone")


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _recipients(settings: Settings, source: str) -> Iterator[Check]:
    """Whether what is taken can be encrypted, and opened again though one key is lost."""
    try:
        found = usable_recipients(settings, source)
    except ConfigError as error:
        yield Check("recipients", "fault", str(error).splitlines()[0], "see `recordwarden keys new`")
        return
    if not found:
        said = "none: nothing can be taken into custody"
        yield Check(
            "recipients", "warning", said, "`recordwarden keys new`, and its public half in vault.recipients"
        )
    elif len(found) == 1:
        said = "one key opens the vault: if it is lost, so is what was taken"
        yield Check("recipients", "warning", said, "add a second recipient, whose key is kept elsewhere")
    else:
        yield Check("recipients", "ok", f"{len(found)} keys, each encrypted to just now")


def _roots(settings: Settings) -> Iterator[Check]:
    volumes = settings.watch.volumes
    if not settings.watch.roots and not (volumes.removable or volumes.shares):
        yield Check("roots", "fault", "nothing is watched", "name folders in [[watch.roots]]")
    for root in settings.watch.roots:
        shown = escape(str(root.path))
        if why := why_never(str(root.path), (str(settings.state_dir),)):
            yield Check(
                "roots", "warning", f"{shown} is never enforced: {escape(why)}", "choose another folder"
            )
        fault = _look(root.path)
        if fault == "":
            yield Check("roots", "ok", f"{shown} is there")
        elif fault == "hangs":
            yield Check("roots", "fault", f"{shown} does not answer", "see whether its server or drive hangs")
        else:
            yield Check(
                "roots",
                "fault",
                f"{shown} cannot be entered ({fault})",
                "create or mount it, or mend its path",
            )


def _look(path: Path) -> str:
    """ "" if a folder is there, else an error's name or `hangs`."""
    command = [sys.executable, "-I", "-S", str(_PROBE), str(path)]
    probe = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        out, _ = probe.communicate(timeout=_PROBE_SECONDS)
        told = json.loads(out)
    except subprocess.TimeoutExpired:
        probe.kill()  # and not waited for: it may be beyond any signal
        return "hangs"
    except ValueError:
        return "EIO"
    return str(told.get("fault") or ("" if told.get("folder") else "ENOTDIR"))


def _room(settings: Settings) -> Iterator[Check]:
    """Where the vault lies, or would be made."""
    place = next(p for p in (settings.state_dir, *settings.state_dir.parents) if _status(p))
    free = shutil.disk_usage(place).free
    reserve = settings.vault.reserve_mb * 1_000_000
    said = (
        f"{free / 1e9:,.1f} GB free for the vault, {reserve / 1e9:,.1f} GB are kept free (vault.reserve_mb)"
    )
    if free <= reserve:
        yield Check("room", "fault", said, "free space, or move state_dir: nothing more can be taken")
    elif free < 4 * reserve:
        yield Check("room", "warning", said, "free space before the vault is full")
    else:
        yield Check("room", "ok", said)


class _Timex(ctypes.Structure):
    """The start of `struct timex` of adjtimex(2), with room for the rest."""

    _fields_ = (("modes", ctypes.c_uint), ("longs", ctypes.c_long * 4), ("status", ctypes.c_int),
                ("rest", ctypes.c_byte * 256))  # fmt: skip


def clock_is_set() -> bool | None:
    """Whether the kernel's clock is kept in step by something; None if it does not tell."""
    timex = _Timex()
    try:
        answer = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return None
    return None if answer < 0 else answer != _TIME_ERROR and not timex.status & _STA_UNSYNC


def _clock(settings: Settings) -> Iterator[Check]:
    """Expiry, quiet hours and the audit log go by it."""
    now = time.time()
    last = _last_entry(settings.state_dir / "audit.jsonl")
    if last > now + 60:
        said = f"the clock is behind the last line of the audit log ({_date(last)})"
        yield Check("clock", "fault", said, "set the clock; agreements and releases go by it")
    elif clock_is_set():
        yield Check("clock", "ok", f"{_date(now)}, kept in step")
    else:
        said = f"{_date(now)}, but nothing keeps it in step"
        yield Check("clock", "warning", said, "run a time service, such as systemd-timesyncd or chrony")


def _last_entry(log: Path) -> float:
    """When the last whole line of the audit log was written; 0 if there is none that we may read."""
    try:
        with log.open("rb") as file:
            return float(json.loads(last_line(file)[0] or b"")["time"])
    except (OSError, KeyError, TypeError, ValueError):
        return 0.0


def _date(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _destinations(settings: Settings) -> Iterator[Check]:
    alerts = settings.alerts
    if not (named := names_of(alerts)):
        said = "alerts go nowhere: they wait in the ledger"
        yield Check("destinations", "fault", said, "configure [alerts.file], [alerts.syslog] or another one")
    else:
        yield Check("destinations", "ok", f"alerts go to: {', '.join(named)}")
    if os.geteuid() == 0:  # nobody else can read the secrets
        try:
            check_secrets(alerts, "")
        except ConfigError as error:
            yield Check("destinations", "fault", f"{error.key}: {error.message}", error.hint)


def _policy(settings: Settings) -> Iterator[Check]:
    if enforces(settings):
        yield Check("policy", "ok", "enforces")
    else:
        said = "audit mode: files of records are told and left where they are"
        yield Check("policy", "warning", said, 'when the alerts look right: policy.mode = "enforce"')
    due, today = settings.policy.review_by, datetime.now(UTC).date().isoformat()
    if due is None:
        yield Check(
            "policy",
            "warning",
            "no date is set for its review",
            "set policy.review_by, at most 5 years ahead",
        )
    elif due < today:
        yield Check(
            "policy", "fault", f"its review was due on {due}", "review it, then set policy.review_by anew"
        )


def _kernel() -> Iterator[Check]:
    """What a service that is not running cannot tell."""
    if os.geteuid() != 0:
        said = "you are not root: what only root may see was not looked at"
        yield Check("privileges", "warning", said, "sudo recordwarden doctor")
    try:
        modules = _MODULES.read_text("ascii").strip().split(",")
    except OSError:
        modules = ["landlock"]  # it cannot be told from here; the running service can
    release = f"Linux {os.uname().release}"
    if "landlock" in modules:
        yield Check("kernel", "ok", release)
    else:
        yield Check("kernel", "warning", f"{release}, without Landlock", FIXES[Protection.LANDLOCK])


def _service(settings: Settings, ask_status: Callable[[Settings], dict[str, Any]]) -> Iterator[Check]:
    """What the running service says of itself."""
    try:
        found = ask_status(settings)
    except Problem as problem:
        yield Check("service", "fault", str(problem), problem.hint or "see the service's log")
        return
    yield Check("service", "ok", f"running since {_date(found['started_at'])}, {found['mode']} mode")
    compulsory = {str(name) for name in settings.service.require}
    for name, why in sorted(found["protections"]["missing"].items()):
        fix = FIXES.get(name, "see the service's log at its start")
        level: Level = "fault" if name in compulsory else "warning"
        yield Check("protections", level, f"{name} is missing: {escape(str(why))}", fix)
    for root in found["roots"]:
        if root["hold"] not in HOLDING:
            said = f"{escape(root['path'])} cannot be held: {escape(root['hold'])}"
            yield Check("hold", "warning", said, "its files open before they are judged: docs/limitations.md")
    for own in found.get("own_disk", ()):
        if not own["encryption_proof"]:
            said = f"{escape(own['mount_point'])}, a disk of this machine, is not provably encrypted"
            yield Check(
                "own disk",
                "warning",
                said,
                "encrypt it, for instance with LUKS, or set alerts.own_disk = false",
            )
    for name, sink in sorted(found["sinks"].items()):
        if sink.get("error"):
            waiting, error = f"{sink.get('pending', 0):,} waiting", escape(str(sink["error"]))
            said = f"{name}: {waiting}; the last try ended with {error}"
            yield Check(
                "destinations", "fault", said, f"see [alerts.{name}], and whether it can be reached from here"
            )


def worst(found: Iterable[Check]) -> Level:
    """The worst level among them."""
    levels = {check.level for check in found}
    return "fault" if "fault" in levels else "warning" if "warning" in levels else "ok"
