"""The service: checks what must be so, builds the collaborators, wires them, runs the loop.

The one place that knows them all. It imports no parser; those live in the template's process.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import stat
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from agent import ending, recovery
from agent.audit import AuditLog
from agent.births import Births
from agent.control import Control
from agent.courier import can_become
from agent.custodian import TEND_SECONDS, Custodian
from agent.destinations import check_secrets, names_of
from agent.errors import LedgerTrouble, Misconfigured, Problem, Refused, Unprotected, VaultTrouble
from agent.escape import escape
from agent.ledger import Ledger, LedgerError
from agent.loop import Loop
from agent.notice_words import check_notice
from agent.owner_requests import OwnerRequests
from agent.paper_bundle import MOST_BYTES
from agent.parts import Parts
from agent.platform.linux import MountTable, inside
from agent.recipients import usable_recipients
from agent.requests import Requests
from agent.sandbox import Template
from agent.sinks.file import open_file
from agent.supervisor import Supervisor, vault_of
from agent.telling import Host
from agent.tuning import FleetTuning
from agent.volumes import check_roots
from config.load import ConfigError, load, source_of
from config.settings import Protection, Settings
from detectors.engine import mappings

OK, TEMPORARY_FAILURE = 0, 75
LET_GO_SECONDS = 10.0
"""After the start all that is needed at rest has been used."""


def serve(config_file: Path | None) -> int:
    """Run until SIGTERM or SIGINT; the exit code.

    Raises `ConfigError` or a `Problem` for what a person must mend before it can start.
    """
    settings = load(config_file)
    try:
        with ExitStack() as stack:
            supervisor = _build(settings, source_of(config_file), stack)
            reload = _reloader(config_file, supervisor)
            custodian = Custodian(supervisor)
            custodian.tend()
            retune = _retuner(supervisor)
            custodian.then = lambda: supervisor.loop.after(0.0, retune)
            supervisor.carried.on_change = custodian.tend
            supervisor.loop.every(TEND_SECONDS, custodian.tend)
            control = Control(
                supervisor.loop,
                settings.state_dir / "control.sock",
                settings.service.control_group,
                Requests(supervisor, reload).commands() | custodian.commands(),
                most_bytes=2 * MOST_BYTES,  # a bundle of papers, as JSON text in JSON
            )
            stack.callback(control.close)
            if settings.notice.request_socket is not None:
                stack.callback(open_to_owners(supervisor, settings.notice.request_socket).close)
            _obey_signals(supervisor, reload)
            parts = supervisor.parts
            ending.tell_back(parts.ledger, parts.host, supervisor.dispatch.outbox.sinks)
            supervisor.start()
            notify("READY=1")
            if seconds := watchdog_seconds():
                supervisor.loop.every(seconds / 3, lambda: notify("WATCHDOG=1"))
            say(_greeting(supervisor))
            supervisor.loop.after(LET_GO_SECONDS, mappings.let_go)
            supervisor.loop.run(supervisor.between)
            notify("STOPPING=1")
            ending.end(supervisor.parts.ledger)
            supervisor.parts.audit.drain()
    except LedgerError as error:
        say(f"PROTECTION HAS STOPPED: {error}")
        notify(f"STATUS=protection has stopped: {error}")
        raise LedgerTrouble(str(error), "see the log; nothing is taken until it is mended") from error
    except OSError as error:
        if not inside(str(error.filename), str(settings.state_dir)):
            raise
        told = f"{escape(str(error.filename))}: {error.strerror}"
        say(f"PROTECTION HAS STOPPED: {told}")
        notify(f"STATUS=protection has stopped: {told}")
        raise VaultTrouble(told, "the state folder cannot be used; nothing is taken until it can") from error
    return OK


def say(text: str) -> None:
    """One line to the log (standard error; systemd keeps it). Paths in it must be escaped."""
    print(f"recordwarden: {text}", file=sys.stderr, flush=True)


def notify(state: str) -> None:
    """Tell systemd, if it asked to be told (`sd_notify(3)`)."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.sendto(state.encode(), address)


def watchdog_seconds() -> float:
    """How often systemd wants to hear that the loop turns (`sd_watchdog_enabled(3)`); 0 if it does not."""
    wanted = os.environ.get("WATCHDOG_USEC", "")
    meant = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(wanted) / 1e6 if wanted.isdecimal() and meant else 0.0


def _build(settings: Settings, source: str, stack: ExitStack) -> Supervisor:
    """All parts, in an order in which each can be checked before the next one is started."""
    recipients = usable_recipients(settings, source)
    check_alerts(settings, source)
    check_notice(settings, source)
    check_roots(settings, source)
    prepare_state(settings)
    stack.enter_context(only_one(settings.state_dir))
    ledger = Ledger.open(settings.state_dir / "ledger.db")
    stack.callback(_quietly, ledger.close)
    audit = AuditLog.open(settings.state_dir / "audit.jsonl", ledger)
    stack.callback(audit.close)
    recovered = recovery.recover(ledger, vault_of(settings))
    births = Births()
    stack.callback(births.close)
    births.start()  # it loads while the template does
    template = Template(settings)
    stack.callback(template.stop)
    host = Host(host_id(settings.state_dir), socket.gethostname())
    tuning = FleetTuning(ledger, host.host_id, settings)
    settings = tuning.adopt(settings, template.reload)
    ready = template.ready
    assert ready is not None
    for name, why in ready.missing.items():
        say(f"protection missing: {name}: {why}")
    mounts = MountTable()
    stack.callback(mounts.close)
    loop = Loop()
    stack.callback(loop.close)
    parts = Parts(ledger, audit, template, births, mounts, host, recipients, recovered, tuning, say)
    supervisor = Supervisor(settings, parts, loop)
    stack.callback(supervisor.close)
    return supervisor


def _greeting(supervisor: Supervisor) -> str:
    settings = supervisor.settings
    return f"watching {len(supervisor.posts)} roots, {settings.policy.mode.value} mode, pid {os.getpid()}"


def _obey_signals(supervisor: Supervisor, reload: Callable[[], str]) -> None:
    def on_hangup() -> None:
        with suppress(Refused):  # it was said why
            reload()

    def on_end() -> None:
        if reason := ending.ended_by():
            parts, dispatch = supervisor.parts, supervisor.dispatch
            ending.tell_end(parts.ledger, parts.host, reason, dispatch.outbox.sinks)
            dispatch.try_now()
        supervisor.stop()

    supervisor.loop.on_signals({signal.SIGTERM: on_end, signal.SIGINT: on_end, signal.SIGHUP: on_hangup})


def _reloader(config_file: Path | None, supervisor: Supervisor) -> Callable[[], str]:
    """Reads and adopts the configuration; on any fault the last good one stays, and it says which key."""

    def reload() -> str:
        notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            settings = load(config_file)
            if settings.state_dir != supervisor.settings.state_dir:
                raise ConfigError(source_of(config_file), "state_dir", "cannot change while the service runs")
            recipients = usable_recipients(settings, source_of(config_file))
            check_alerts(settings, source_of(config_file))
            check_notice(settings, source_of(config_file))
            check_roots(settings, source_of(config_file))
            settings = supervisor.parts.tuning.adopt(settings, supervisor.parts.template.reload)
        except (ConfigError, Problem) as error:
            say(f"the new configuration is refused, the last good one stays: {error}")
            raise Refused(str(error), getattr(error, "hint", "")) from None
        finally:
            notify("READY=1")
        supervisor.adopt(settings, recipients)
        say("the configuration was read again")
        return supervisor.teller.judge.digest

    return reload


def _retuner(supervisor: Supervisor) -> Callable[[], None]:
    """Adopts what the fleet's tuning has become; if nothing starts, the last good configuration stays."""

    def retune() -> None:
        tuning = supervisor.parts.tuning
        if not tuning.is_news(supervisor.desk.authority.agreements.tunings_in_force()):
            return
        try:
            settings = tuning.adopt(tuning.local, supervisor.parts.template.reload)
        except Problem as error:
            say(f"no tuning could be adopted, the last good configuration stays: {error}")
            return
        if settings != supervisor.settings:
            supervisor.adopt(settings, supervisor.parts.recipients)
            say("the detectors' tuning has changed")

    return retune


def open_to_owners(supervisor: Supervisor, path: Path) -> Control:
    """The socket at which everybody may ask for their own files."""
    requests = OwnerRequests(supervisor.parts.ledger, lambda: supervisor.dispatch.outbox.sinks)
    try:
        if not path.parent.is_dir():
            path.parent.mkdir()
            path.parent.chmod(0o755)
        return Control(supervisor.loop, path, "root", requests.commands(), for_everybody=True)
    except OSError as error:
        raise Misconfigured("notice.request_socket", f"{escape(path)}: {error.strerror}") from None


def check_alerts(settings: Settings, source: str = "configuration") -> None:
    """Whether alerts can get where they shall go, and are brought by whom they shall be brought."""
    alerts = settings.alerts
    if alerts.file is not None:
        try:
            os.close(open_file(alerts.file.path))
        except OSError as error:
            raise ConfigError(
                source, "alerts.file.path", f"cannot be opened: {error.strerror or error}",
                "its folder must be there; no link, no pipe",
            ) from None  # fmt: skip
    check_secrets(alerts, source)
    compulsory = Protection.COURIER_USER in settings.service.require
    if compulsory and names_of(alerts) and not can_become(settings.service.courier_user):
        raise Unprotected(
            "service.require: courier_user is missing: the courier cannot become that user",
            "run the service as root and name an ordinary account in service.courier_user",
        )


def prepare_state(settings: Settings) -> None:
    """Make the state folder and the vault, ours alone; raises `VaultTrouble` if they are not."""
    state = settings.state_dir
    try:
        for folder in (state, state / "vault", state / "vault" / "tmp", state / "vault" / "entries"):
            folder.mkdir(mode=0o700, parents=folder == state, exist_ok=True)
            status = folder.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
                raise VaultTrouble(
                    f"{folder} does not belong to this service", "look who made it, and move it away"
                )
            folder.chmod(0o700)
        _close_to_others(state)
        _open_to_group(settings)
    except OSError as error:
        raise VaultTrouble(f"{error.filename}: {error.strerror}", "see who may write there") from None


def _close_to_others(state: Path) -> None:
    """The folders above must be nobody else's to change, and the files in it nobody else's to read."""
    for above in state.absolute().parents if os.geteuid() == 0 else ():
        status = above.stat()
        loose = status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX
        if status.st_uid not in (0, os.geteuid()) or loose:
            raise VaultTrouble(
                f"{escape(above)} can be changed by others, and with it the vault below it",
                "give it to root, and let nobody else write there",
            )
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm", "audit.jsonl", "host_id"):
        path = state / name
        if path.is_file() and not path.is_symlink() and path.stat().st_mode & 0o077:
            say(f"{name} was open to others: closed")
            path.chmod(0o600)


def _open_to_group(settings: Settings) -> None:
    """The control group must reach the socket, and nothing else: search permission only."""
    import grp

    with suppress(KeyError, PermissionError):
        gid = grp.getgrnam(settings.service.control_group).gr_gid
        if gid:
            os.chown(settings.state_dir, -1, gid)
            settings.state_dir.chmod(0o710)


@contextmanager
def only_one(state_dir: Path) -> Iterator[None]:
    """One service for one state folder: two would each recover what the other has under way."""
    fd = os.open(state_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refused(f"another service runs on {state_dir}", "see `recordwarden status`") from None
        yield
    finally:
        os.close(fd)


def host_id(state_dir: Path) -> str:
    """A random id of this workstation, made once."""
    path = state_dir / "host_id"
    with suppress(FileNotFoundError):
        if found := path.read_text("ascii").strip():
            return found
    made = str(uuid.uuid4())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as file:
        file.write(made + "\n")
    return made


def _quietly(close: Callable[[], None]) -> None:
    with suppress(LedgerError):
        close()
