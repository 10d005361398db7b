"""`recordwarden completion`: the completion script of a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from agent.commands.terminal import say

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    recordwarden completion bash > /etc/bash_completion.d/recordwarden
    recordwarden completion zsh > "${fpath[1]}/_recordwarden"
    recordwarden completion fish > ~/.config/fish/completions/recordwarden.fish
    """
    script = get_completion_class(shell)
    assert script is not None
    program = ctx.find_root().command
    say(script(program, {}, "recordwarden", "_RECORDWARDEN_COMPLETE").source())
