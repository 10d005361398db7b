"""Every command that reads the configuration takes `--config`, every one that lists takes `--json`."""

from __future__ import annotations

import click
import pytest

from agent.cli import COMMANDS, program
from agent.commands import options

SIGNING = {
    "quarantine release approve",
    "quarantine dispose approve",
    "agreements approve",
    "exceptions approve",
    "tuning approve",
    "tuning new",
}
"""Done on any machine, with a key and a file."""
WITHOUT_CONFIG = {
    "keys new", "demo", "completion", "config schema", "quarantine release show", *SIGNING
}  # fmt: skip
WITHOUT_JSON = {"run", "console", "demo", "completion", "config schema"}


def _all() -> list[tuple[str, click.Command]]:
    context = click.Context(program)
    found = []
    for name in COMMANDS:
        command = program.get_command(context, name)
        assert command is not None
        found += _leaves(name, command)
    return found


def _leaves(name: str, command: click.Command) -> list[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        return [(name, command)]
    own = [(name, command)] if command.invoke_without_command else []
    return own + [leaf for sub, inner in command.commands.items() for leaf in _leaves(f"{name} {sub}", inner)]


@pytest.mark.parametrize(("name", "command"), _all(), ids=[name for name, _ in _all()])
def test_shared_options_are_where_they_belong(name, command):
    names = {parameter.name for parameter in command.params}
    assert ("config_file" in names) is (name not in WITHOUT_CONFIG)
    assert ("as_json" in names) is (name not in WITHOUT_JSON)
    assert command.help


def test_the_decorators_leave_the_function_usable():
    assert options.with_json(options.with_config(lambda: 7))() == 7
