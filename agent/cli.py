"""The command line: finds the command, runs it, and turns what went wrong into one line and a code.

Each command's module is imported when it is used, so that `--help` is quick. Commands return their
exit code; None is 0.
"""

from __future__ import annotations

import importlib
import io
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

import click

import agent.errors as errors
from agent.escape import escape

OK, FAILED, USAGE, NOT_EXAMINED = 0, 1, 2, 3
UNAVAILABLE, IO_ERROR, NOT_PERMITTED, CONFIG = 69, 74, 77, 78
INTERRUPTED = 130


class Command(NamedTuple):
    """Where a command lives, and its line in `--help`."""

    module: str
    help: str
    name: str = ""


COMMANDS: Mapping[str, Command] = {
    "scan": Command("agent.commands.scan", "Judge files and folders; change nothing."),
    "explain": Command("agent.commands.explain", "Show the evidence on one file, as an analyst reads it."),
    "what-if": Command(
        "agent.commands.what_if", "Show what another configuration would change; change nothing.", "what_if"
    ),
    "setup": Command("agent.commands.setup", "The first configuration, by questions or options."),
    "run": Command("agent.commands.run", "Run the service in the foreground."),
    "status": Command("agent.commands.status", "What is watched, by which processes, how well protected."),
    "coverage": Command("agent.commands.status", "What was not seen or not examined, and why.", "coverage"),
    "doctor": Command("agent.commands.doctor", "What is wrong, and how to mend it."),
    "quarantine": Command("agent.commands.quarantine", "The vault: what was taken, and giving it back."),
    "alerts": Command("agent.commands.alerts", "Alerts: list, show, decide, send again."),
    "request": Command("agent.commands.request", "Ask for a file of yours that was taken."),
    "breaker": Command("agent.commands.breaker", "The circuit breaker: reset it after a look."),
    "baseline": Command("agent.commands.baseline", "Files older than the watch: list, accept, enforce."),
    "agreements": Command("agent.commands.agreements", "Data Access Agreements: who may hold what."),
    "exceptions": Command(
        "agent.commands.exceptions", "Exceptions for false alarms: what is let be, until when."
    ),
    "tuning": Command("agent.commands.tuning", "Tuning of detectors for a fleet, signed by two people."),
    "detectors": Command("agent.commands.detectors", "Detectors: list them, test their examples."),
    "config": Command("agent.commands.configuration", "The configuration: check, show, schema.", "config"),
    "keys": Command("agent.commands.keys", "Keys: of the security team, of approvers."),
    "audit": Command("agent.commands.audit", "The audit log: verify, export."),
    "enrol": Command("agent.commands.enrol", "Make this machine known to the review console."),
    "console": Command("console.command", "The review console of the security team."),
    "demo": Command("agent.commands.demo", "All of it in one folder with made-up data."),
    "completion": Command("agent.commands.completion", "Print the completion script of a shell."),
}

EXIT_CODES: Mapping[type[errors.Problem], int] = {
    errors.Mistyped: USAGE,
    errors.NotFound: FAILED,
    errors.Refused: FAILED,
    errors.VaultTrouble: IO_ERROR,
    errors.LedgerTrouble: IO_ERROR,
    errors.NotRunning: UNAVAILABLE,
    errors.WorkerUnavailable: UNAVAILABLE,
    errors.Unprotected: UNAVAILABLE,
    errors.Unsupported: UNAVAILABLE,
    errors.NotPermitted: NOT_PERMITTED,
    errors.Misconfigured: CONFIG,
}

ANYWHERE = frozenset({"completion", "console", "keys"})
"""Commands that need nothing of Linux."""


class Program(click.Group):
    """The group of all commands, each imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        refuse_unsupported(cmd_name)
        command: click.Command = getattr(importlib.import_module(entry.module), entry.name or cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


@click.command(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="recordwarden", prog_name="recordwarden")
def program() -> None:
    """Finds record-level data where it must not be, takes it into safe custody and tells the
    security team. Leaves statistics alone.

    Try `recordwarden demo` first, then `recordwarden scan FOLDER`.
    """


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        result: Any = program.main(list(arguments), prog_name="recordwarden", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return USAGE
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "recordwarden"
        return complain(error.format_message(), f"`{command} --help` shows what can be typed", USAGE)
    except click.ClickException as error:
        return complain(error.format_message(), "", USAGE)
    except errors.Problem as problem:
        return complain(_sentence(problem), problem.hint, _exit_code(problem))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:
        if (known := _configuration_error(error)) is None:
            raise
        return known
    return result if isinstance(result, int) else OK


def main() -> NoReturn:
    """The entry point of the `recordwarden` command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name must not end it where the locale lacks a letter
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def refuse_unsupported(command: str, platform: str = sys.platform) -> None:
    """Say so where a command does not run, instead of failing at the first call that is not there."""
    if platform == "linux" or command in ANYWHERE:
        return
    name = {"win32": "Windows", "darwin": "macOS"}.get(platform, platform)
    raise errors.Unsupported(
        f"`{command}` does not run on {escape(name)} yet",
        "recordwarden runs on Linux; docs/platforms.md says what there is for other systems",
    )


def complain(message: str, hint: str, code: int) -> int:
    """One line to standard error, and one with a hint; gives back `code`."""
    lines = [f"recordwarden: error: {' '.join(message.split())}"]
    if hint:
        lines.append(f"recordwarden: hint: {hint}")
    print("\n".join(lines), file=sys.stderr, flush=True)
    return code


def _sentence(problem: errors.Problem) -> str:
    return f"{problem.key}: {problem}" if isinstance(problem, errors.Misconfigured) else str(problem)


def _exit_code(problem: errors.Problem) -> int:
    return next((EXIT_CODES[kind] for kind in type(problem).__mro__ if kind in EXIT_CODES), FAILED)


def _configuration_error(error: Exception) -> int | None:
    """Report a `ConfigError`, whose module is not imported unless a command has loaded it."""
    loader = sys.modules.get("config.load")
    if loader is None or not isinstance(error, loader.ConfigError):
        return None
    return complain(escape(str(error)), escape(error.hint), CONFIG)
