"""completion: the script that lets a shell complete verbs, options and names."""

from __future__ import annotations

import click

from cluster_forge.cli import help_page
from cluster_forge.cli.completion.scripts import SCRIPTS


@click.command(cls=help_page.HelpCommand)
@click.argument("shell", type=click.Choice(list(SCRIPTS)))
def command(shell: str) -> None:
    """Print the script that lets a shell complete verbs, options and names with TAB.

    Nothing is installed: add the line for your shell to its startup file, and open a new shell. Names are those of the
    workspace in the current folder, or of the one after -C. In zsh the line must come after compinit.

    Examples:
        echo 'eval "$(cluster-forge completion bash)"' >> ~/.bashrc
        echo 'eval "$(cluster-forge completion zsh)"' >> ~/.zshrc
        cluster-forge completion fish > ~/.config/fish/completions/cluster-forge.fish
    """
    click.echo(SCRIPTS[shell], nl=False)


help_page.describe(command, command.callback.__doc__ or "")
