"""`recordwarden setup`: the first configuration of a workstation, by questions or by options."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from agent.commands import toml
from agent.commands.doctor import look
from agent.commands.enrol import enrol
from agent.commands.keys import write_identity
from agent.commands.options import with_config, with_json
from agent.commands.terminal import can_ask, say, say_json
from agent.errors import Mistyped, NotPermitted
from agent.escape import escape
from agent.recipients import usable_recipients
from agent.volumes import check_roots
from config.load import DEFAULT_FILE, config_file, read, validate
from config.settings import Mode, Zone

_HEAD = """# recordwarden on this workstation, written by `recordwarden setup`, which may be run again.
# All keys and their defaults: recordwarden config show --defaults
"""
_ALERTS = "/var/log/recordwarden/alerts.jsonl"
_UNITS = ("/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system")
_SYSLOG = ("tls", "tcp", "udp", "local")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for; None or nothing leaves things as they are."""

    mode: str | None
    recipients: tuple[str, ...]
    new_identity: Path | None
    roots: tuple[str, ...]
    removable: bool | None
    shares: bool | None
    alerts_file: str | None
    syslog: str | None
    console: str | None
    contact: str | None
    review_by: str | None


@click.command()
@click.option("--mode", type=click.Choice([m.value for m in Mode]), help="audit only tells, enforce acts.")
@click.option(
    "--recipient", "recipients", multiple=True, metavar="KEY", help="Whose key opens the vault: age1… or ssh."
)
@click.option(
    "--new-identity", type=click.Path(path_type=Path), metavar="FILE",
    help="Make a key pair here; FILE is then to be moved to the security team.",
)  # fmt: skip
@click.option(
    "--root", "roots", multiple=True, metavar="ZONE=FOLDER", help="Watch a folder, such as shared=/srv/x."
)
@click.option("--removable/--no-removable", default=None, help="Watch drives as they are plugged in.")
@click.option("--shares/--no-shares", default=None, help="Watch network shares as they are mounted.")
@click.option("--alerts-file", metavar="FILE", help=f"Alerts as JSON lines [{_ALERTS}].")
@click.option(
    "--syslog", metavar="URL", help="Alerts by syslog too: tls://HOST[:PORT], tcp://, udp:// or local:."
)
@click.option("--console", metavar="URL", help="Alerts to the review console, and enrol there.")
@click.option(
    "--token-file", type=click.Path(path_type=Path), metavar="FILE", help="The token for --console."
)
@click.option("--contact", metavar="TEXT", help="Whom owners of files ask, as the notices say.")
@click.option("--review-by", metavar="YYYY-MM-DD", help="When this policy is to be reviewed.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@with_config
@with_json
def setup(config_file: Path | None, as_json: bool, yes: bool, token_file: Path | None, **given: Any) -> int:
    """Write the configuration of this workstation, then look at it as `doctor` does.

    Asks on a terminal for what no option says. Run again, it keeps what is set and changes what is asked
    for; the former file stays beside the new one. Exit code 1 if more has to be mended than that the service
    is not running.
    """
    target = _target(config_file)
    before = read(target) if os.path.lexists(target) else {}
    wishes = Wishes(**given)
    if not (yes or as_json) and can_ask():
        wishes = _ask(before, wishes)
    plain = deepcopy(before)
    identity = _apply(plain, wishes)
    try:
        settings = validate(plain, str(target))
        usable_recipients(settings, str(target))
        check_roots(settings, str(target))
        former = _write(target, _HEAD + "\n".join(toml.write(_without_blanks(plain))) + "\n")
    except BaseException:
        if identity is not None:  # it was made for this and is of no use to anybody
            identity.unlink(missing_ok=True)
        raise
    if settings.alerts.file:
        with suppress(OSError):
            settings.alerts.file.path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    _tell(target, former, identity, as_json)
    if wishes.console:
        enrol.callback(token_file=token_file, config_file=target, as_json=as_json)  # type: ignore[misc]
    found = look(target, as_json)
    if not as_json:
        _say_what_next(target, settings.policy.mode)
    return int(any(check.level == "fault" and check.check != "service" for check in found))


def _target(given: Path | None) -> Path:
    return (config_file(given) or DEFAULT_FILE).absolute()


# -- the questions


def _ask(before: dict[str, Any], wishes: Wishes) -> Wishes:
    """The same wishes with what a person answers to the questions that no option answered."""
    say("This writes the configuration of this workstation. Enter takes what stands in brackets.")
    if not (wishes.recipients or wishes.new_identity or before.get("vault", {}).get("recipients")):
        wishes = _ask_for_key(wishes)
    if wishes.removable is None:
        wishes = replace(wishes, removable=_yes("Watch drives as they are plugged in?"))
    if wishes.shares is None:
        wishes = replace(wishes, shares=_yes("Watch network shares as they are mounted?"))
    if not wishes.roots:
        wishes = replace(wishes, roots=tuple(_ask_for_roots()))
    if wishes.syslog is None and wishes.console is None:
        say("Alerts go to a file. Where else? A syslog server as tls://HOST or udp://HOST, or nowhere.")
        wishes = replace(wishes, syslog=click.prompt("Syslog", default="", show_default=False) or None)
    if wishes.contact is None:
        asked = click.prompt("Whom do owners ask (telephone, mail)?", default="", show_default=False)
        wishes = replace(wishes, contact=asked or None)
    if wishes.review_by is None and not before.get("policy", {}).get("review_by"):
        in_a_year = (date.today() + timedelta(days=365)).isoformat()
        asked = click.prompt("When is this policy to be looked at again?", default=in_a_year)
        wishes = replace(wishes, review_by=asked)
    if wishes.mode is None:
        say("audit only tells, and touches nothing: look on for two weeks. enforce takes files into custody.")
        kept = before.get("policy", {}).get("mode", Mode.AUDIT.value)
        choice = click.Choice([m.value for m in Mode])
        wishes = replace(wishes, mode=click.prompt("Mode", type=choice, default=kept))
    return wishes


def _ask_for_key(wishes: Wishes) -> Wishes:
    say("Files are encrypted for a key that is never on this machine: `recordwarden keys new` on another.")
    found: tuple[str, ...] = ()
    question = "Public key (age1…, ssh-…), or Enter for none yet"
    while key := click.prompt(question, default="", show_default=False).strip():
        found += (key,)
        question = "Another, for the day on which that one is lost, or Enter"
    return replace(wishes, recipients=found)


def _ask_for_roots() -> list[str]:
    """Until an empty line."""
    found = []
    while folder := click.prompt(
        "A folder to watch besides, or Enter", default="", show_default=False
    ).strip():
        if not Path(folder).is_dir():
            say(f"  {escape(folder)} is no folder", fg="yellow")
            continue
        zone = click.prompt("  It is", type=click.Choice([z.value for z in Zone]), default=Zone.SHARED.value)
        found.append(f"{zone}={folder}")
    return found


def _yes(question: str) -> bool:
    return click.confirm(question, default=True)


# -- the answers


def _apply(plain: dict[str, Any], wishes: Wishes) -> Path | None:
    """Put the wishes into the plain settings; gives back the identity's file if a key pair was made."""
    watch, volumes = plain.setdefault("watch", {}), plain.setdefault("watch", {}).setdefault("volumes", {})
    for key, wanted in (("removable", wishes.removable), ("shares", wishes.shares)):
        if wanted is not None:
            volumes[key] = wanted
    roots = watch.setdefault("roots", [])
    for root in map(_root, wishes.roots):
        roots[:] = [r for r in roots if r.get("path") != root["path"]] + [root]
    policy = plain.setdefault("policy", {})
    said = (("mode", wishes.mode), ("contact", wishes.contact), ("review_by", wishes.review_by))
    policy |= {key: text for key, text in said if text is not None}
    alerts = plain.setdefault("alerts", {})
    if wishes.alerts_file or not alerts.get("file"):
        alerts["file"] = {"path": wishes.alerts_file or _ALERTS}
    if wishes.syslog:
        alerts["syslog"] = {**alerts.get("syslog", {}), **_syslog(wishes.syslog)}
    if wishes.console:
        alerts["console"] = {**alerts.get("console", {}), "url": wishes.console}
    keys = [*plain.setdefault("vault", {}).get("recipients", []), *wishes.recipients]
    if wishes.new_identity is not None:
        keys.append(write_identity(wishes.new_identity))
    plain["vault"]["recipients"] = list(dict.fromkeys(keys))
    return wishes.new_identity


def _without_blanks(plain: dict[str, Any]) -> dict[str, Any]:
    """No section and no list that says nothing."""
    found = {k: _without_blanks(v) if isinstance(v, dict) else v for k, v in plain.items()}
    return {k: v for k, v in found.items() if v not in ({}, [])}


def _root(text: str) -> dict[str, str]:
    zone, parted, folder = text.partition("=")
    if not parted or zone not in set(Zone) or not folder:
        zones = ", ".join(z.value for z in Zone)
        raise Mistyped(
            f"--root {escape(text)}: is not like shared=/srv/returns", f"the zone is one of: {zones}"
        )
    return {"path": str(Path(folder).expanduser().absolute()), "zone": zone}


def _syslog(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in _SYSLOG or port == -1 or (parts.scheme != "local" and not parts.hostname):
        raise Mistyped(
            f"--syslog {escape(url)}: is no address of a server", "such as tls://logs.example.org:6514"
        )
    if parts.scheme == "local":
        return {"transport": "local"}
    return {"transport": parts.scheme, "host": parts.hostname, **({"port": port} if port else {})}


# -- what is written, and said


def _write(target: Path, text: str) -> Path | None:
    """Put a whole file in place of the former one, which keeps another name; gives that back."""
    beside = target.with_name(f".{target.name}.new")
    former: Path | None = None
    try:
        target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        beside.unlink(missing_ok=True)
        descriptor = os.open(
            beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644
        )
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        if os.path.lexists(target):
            former = _free(target)
            os.link(target, former, follow_symlinks=False)
        beside.rename(target)
    except OSError as error:
        hint = "run it as root, or name a file of yours with --config"
        raise NotPermitted(f"{escape(target)}: {error.strerror}", hint) from None
    return former


def _free(target: Path) -> Path:
    stem = target.with_name(f"{target.name}.{time.strftime('%Y%m%d')}")
    names = (stem, *(stem.with_name(f"{stem.name}-{n}") for n in range(1, 1000)))
    return next(name for name in names if not os.path.lexists(name))


def _tell(target: Path, former: Path | None, identity: Path | None, as_json: bool) -> None:
    if as_json:
        said = {
            "config": str(target),
            "former": former and str(former),
            "identity_file": identity and str(identity),
        }
        say_json(said)
        return
    say(f"written: {escape(target)}" + (f", the former one is {escape(former)}" if former else ""), bold=True)
    if identity is not None:
        say(f"the secret key is in {escape(identity)}", fg="yellow")
        say("move it to the security team, and a second copy into a safe: whoever has it opens", fg="yellow")
        say("all that is taken, so it must not stay on this machine", fg="yellow")


def _say_what_next(target: Path, mode: Mode) -> None:
    unit = any(Path(place, "recordwarden.service").exists() for place in _UNITS)
    say()
    say("Next:", bold=True)
    say("   systemctl restart recordwarden" if unit else f"   recordwarden run --config {escape(target)}")
    say(f"   recordwarden status --config {escape(target)}")
    if mode is Mode.AUDIT:
        say("   in two weeks, when the alerts look right: recordwarden setup --mode enforce")
