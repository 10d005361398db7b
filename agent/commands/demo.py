"""`recordwarden demo`: the whole of it in one folder, with made-up data, in a few seconds."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from agent import vault
from agent.commands.demo_console import PERSON, DemoConsole
from agent.commands.demo_service import DemoFailed, DemoService
from agent.commands.examination import Examination, examination
from agent.commands.keys import read_identities
from agent.commands.terminal import bytes_text, count, say
from agent.commands.walk import walk
from agent.demo_files import DemoFile, demo_files
from agent.errors import WorkerUnavailable
from agent.escape import escape
from agent.giving_back import give_back
from detectors.engine.explain import explain
from detectors.engine.verdict import Verdict

_PATIENCE_SECONDS = 0.8
_NOTICE_LINES = 15
_RESTORED = "survey_2026.csv"


@click.command()
@click.option(
    "--keep",
    is_flag=True,
    help="Keep it running, with the review console, and keep the folder, to try things out.",
)
def demo(keep: bool) -> None:
    """See all of it in one temporary folder, with made-up data.

    Makes a key, starts the very service that `run` starts, drops in files, shows what happens to each
    and why, and gives one back. Needs no root and leaves nothing behind, unless --keep is given.
    """
    for name in [name for name in os.environ if name.upper().startswith("RECORDWARDEN_")]:
        del os.environ[name]  # the demo is the same wherever it runs
    base = Path(tempfile.mkdtemp(prefix="recordwarden-demo-")).resolve()
    service = DemoService(base)
    console = DemoConsole(base, service.config) if keep else None
    try:
        with _ended_by_signals():
            _show(service, console)
            if console:
                _keep(service, console)
    except DemoFailed as failure:
        raise WorkerUnavailable(
            escape(str(failure)), f"its log is {base}/service.log" if keep else ""
        ) from None
    finally:
        service.stop()
        if console:
            console.stop()
        else:
            shutil.rmtree(base, ignore_errors=True)


def _show(service: DemoService, console: DemoConsole | None) -> None:
    files = demo_files()
    say()
    say("recordwarden, shown on made-up data", bold=True)
    say(f"in {service.base}", dim=True)

    _chapter(1, "A key for the security team")
    recipient = service.prepare()
    say(f"   public half   {recipient[:24]}…  goes onto the workstations")
    say("   secret half   identity.txt              never does: what is taken, no workstation can open")

    _chapter(2, "The service watches a shared folder, in enforce mode")
    if console:
        console.start()
    began = time.monotonic()
    service.start()
    with examination(service.settings) as workers:
        status = service.wait_until_up()
        say(f"   {service.watched}   up after {time.monotonic() - began:.1f} s")
        missing = status["protections"]["missing"]
        if missing:
            say(f"   less protected than as root; missing: {', '.join(sorted(missing))}", fg="yellow")

        _chapter(3, f"{count(len(files), 'file')} arrive")
        taken = [file for file in files if _drop(service, workers, file)]

    _chapter(4, "What the owner finds in a file's place")
    _show_notice(service, taken)

    _chapter(5, "Giving one back, with the secret key")
    _give_back(service, files)

    _chapter(6, "Where to look, and what next")
    _show_more(service, len(taken), console)


def _chapter(number: int, title: str) -> None:
    say()
    say(f"{number}  {title}", bold=True, fg="cyan")


def _drop(service: DemoService, workers: Examination, file: DemoFile) -> bool:
    """Write one file into the watched folder and show what became of it; True if it was taken."""
    spare = service.base / "spare"
    spare.write_bytes(file.content)
    verdict = workers.submit(next(walk(str(spare)))).result()
    path = service.watched / file.name
    say(f"   {file.name:<22} {file.what}")
    written_at = time.time()
    path.write_bytes(file.content)
    taken = _wait_until_decided(service, path, written_at)
    if taken is not None:
        say(f"   {'':<22} TAKEN within {taken:.1f} s", fg="red", bold=True)
    elif path.read_bytes() == file.content:
        say(f"   {'':<22} left alone, byte for byte", fg="green", bold=True)
    else:
        raise DemoFailed(f"{file.name} was changed and not taken")
    _explain(verdict)
    return taken is not None


def _wait_until_decided(service: DemoService, path: Path, written_at: float) -> float | None:
    """Seconds until the file was gone; None if it was judged and is still there."""
    while time.time() < written_at + _PATIENCE_SECONDS:
        if not path.exists():
            return time.time() - written_at
        time.sleep(0.01)
    service.judge_all()
    return None if path.exists() else time.time() - written_at


def _explain(verdict: Verdict) -> None:
    """Why, in one sentence, wrapped beside the file's name."""
    for line in textwrap.wrap(explain(verdict), 82):
        say(f"   {'':<22} {line}")
    say()


def _show_notice(service: DemoService, taken: list[DemoFile]) -> None:
    for file in taken[:1]:
        notice = service.watched / f"{file.name}.quarantined.txt"
        say(f"   {notice.name}", dim=True)
        for line in notice.read_text("utf-8").splitlines()[:_NOTICE_LINES]:
            say(f"   │ {escape(line)}")


def _give_back(service: DemoService, files: list[DemoFile]) -> None:
    entry = service.entry_of(service.watched / _RESTORED)
    place = service.settings.state_dir / "vault"
    found = vault.manifest(place, entry["entry_id"])
    folder = service.base / "restored"
    folder.mkdir()
    give_back(place, found, read_identities(service.identity), folder, _RESTORED)
    content = next(file.content for file in files if file.name == _RESTORED)
    if (folder / _RESTORED).read_bytes() != content:
        raise DemoFailed("what came back is not what was taken")
    say(f"   restored {_RESTORED}: {bytes_text(len(content))}, the very bytes that were taken", fg="green")


def _show_more(service: DemoService, taken: int, console: DemoConsole | None) -> None:
    alerts = service.alerts.read_text("utf-8").splitlines()
    command = _command()
    rows = (
        (f"{count(len(alerts), 'alert')}, OCSF findings", str(service.alerts)),
        (f"{count(taken, 'file')} in custody", f"{service.settings.state_dir}/vault/entries/*.age"),
        ("scan folders of your own", f"{command} scan ~/Documents"),
        ("see why, file by file", f"{command} explain FILE"),
        ("every setting, explained", f"{command} config show --defaults"),
        ("review the alerts", console.url if console else f"{command} demo --keep: in the console"),
    )
    for what, where in rows:
        say(f"   {what:<26} {where}")
    if not console:
        say()
        say(f"   This folder is removed now; `{command} demo --keep` keeps it, and the service running.")
    say()


def _keep(service: DemoService, console: DemoConsole) -> None:
    """Let the service run until the user has had enough."""
    option = f"--config {service.config}"
    command = _command()
    say(f"It runs on, with the review console at {console.url}", bold=True)
    say(f"   sign in as {PERSON} with the password {console.password}")
    say("Put files into the folder above; in another terminal try:", bold=True)
    say(f"   {command} status {option}")
    say(f"   {command} quarantine list {option}")
    say(f"   {command} alerts list {option}")
    say(f"   {command} quarantine restore ID --identity {service.identity} --to ~ {option}")
    say("Ctrl-C ends it; the folder stays.")
    try:
        service.wait()
    except KeyboardInterrupt:
        say(f"\nended; everything is still in {service.base}")


def _command() -> str:
    """How the user can type the command where they are."""
    found = shutil.which("recordwarden")
    typed = Path(sys.argv[0])
    if found or typed.name != "recordwarden":
        return "recordwarden"
    here = Path.cwd()
    return str(typed.relative_to(here) if typed.is_relative_to(here) else typed)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let a request to end run the clean-up, as the keyboard's interrupt does."""

    def end(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = [(number, signal.signal(number, end)) for number in (signal.SIGTERM, signal.SIGHUP)]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
