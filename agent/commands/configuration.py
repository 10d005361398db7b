"""`recordwarden config`: check what is written, show what counts, print the schema."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click

from agent.commands import toml
from agent.commands.options import with_config, with_json
from agent.commands.terminal import say, say_json
from agent.commands.tuned import in_force
from agent.escape import escape
from config.load import SHIPPED_FILE, load, source_of, sources
from config.settings import Settings
from config.tuning import keys_of, tuned


@click.group("config")
def config() -> None:
    """The configuration: check, show, schema.

    A TOML file, and over it the environment: RECORDWARDEN_POLICY__MODE=enforce sets policy.mode.
    """


@config.command("check")
@with_config
@with_json
def check(config_file: Path | None, as_json: bool) -> None:
    """Check every key, the recipients and the detectors' stanzas. Exit code 78 if one is wrong.

    The first fault is told in one line with its file, its key and a hint.
    """
    from agent.commands.examination import check_detectors
    from agent.destinations import check_secrets
    from agent.notice_words import check_notice
    from agent.recipients import enforces, usable_recipients
    from agent.volumes import check_roots

    settings = load(config_file)
    recipients = usable_recipients(settings, source_of(config_file))
    check_roots(settings, source_of(config_file))
    check_notice(settings, source_of(config_file))
    if os.geteuid() == 0:  # nobody else can read the secrets
        check_secrets(settings.alerts, source_of(config_file))
    digest = check_detectors(settings, source_of(config_file))
    found: dict[str, Any] = {
        "ok": True,
        "file": source_of(config_file),
        "enforces": enforces(settings),
        "roots": len(settings.watch.roots),
        "recipients": len(recipients),
        "config_digest": digest,
    }
    if as_json:
        say_json(found)
        return
    acts = "acts on what it finds (enforce)" if found["enforces"] else "only tells (audit)"
    say(f"{escape(found['file'])}: good; the service {acts}")


_PASSWORD = re.compile(r"^([a-z0-9+]+://[^/@:]*:)[^/]*@", re.IGNORECASE)
"""Of a database URL; it may hold an "@" itself."""


@config.command("show")
@click.option("--defaults", is_flag=True, help="The shipped file, with a comment on every key.")
@with_config
@with_json
def show(defaults: bool, config_file: Path | None, as_json: bool) -> None:
    """Show every key with the value that counts, and where it comes from if it is not the shipped one.

    Out of the file, the environment, or the fleet's tuning of detectors (as far as you may know it).
    """
    if defaults:
        say(SHIPPED_FILE.read_text("utf-8").rstrip())
        return
    settings, told = load(config_file), sources(config_file)
    tuning_id, stanzas = in_force(settings)
    told = {f"detectors.{key}": f"tuning {tuning_id}" for key in keys_of(stanzas)} | told
    plain = tuned(settings, stanzas).model_dump(mode="json")
    plain["console"]["database"] = _PASSWORD.sub(r"\1***@", plain["console"]["database"])
    if as_json:
        say_json(plain | {"sources": told})
        return
    say(f"# out of {escape(source_of(config_file))} and the environment")
    for line in toml.write(plain, remarks=told):
        say(line)


@config.command("schema")
def schema() -> None:
    """Print the JSON schema of the configuration, for editors."""
    import json

    plain = Settings.model_json_schema()
    say(json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **plain}, indent=2))
