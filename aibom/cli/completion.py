"""`aibom completion`: the script that makes a shell complete our flags."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from aibom.cli.exit_codes import ExitCode


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the completion script for SHELL.

    bash: source <(aibom completion bash), zsh: source <(aibom completion zsh), fish: aibom
    completion fish | source
    """
    kind = get_completion_class(shell)
    assert kind is not None
    root = click.get_current_context().find_root().command
    click.echo(kind(root, {}, "aibom", "_AIBOM_COMPLETE").source())
    return ExitCode.PASSED
