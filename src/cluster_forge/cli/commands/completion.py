"""completion: the script that lets a shell complete verbs, options and names."""

from __future__ import annotations

import click

from cluster_forge.cli.completion.scripts import SCRIPTS

_HELP = """\
Print the script that lets a shell complete verbs, options and names with TAB.

\b
bash   echo 'eval "$(cluster-forge completion bash)"' >> ~/.bashrc
zsh    echo 'eval "$(cluster-forge completion zsh)"' >> ~/.zshrc     (after compinit)
fish   cluster-forge completion fish > ~/.config/fish/completions/cluster-forge.fish

Then open a new shell. Names are those of the workspace in the present folder, or of the one after -C.
"""


@click.command(help=_HELP)
@click.argument("shell", type=click.Choice(list(SCRIPTS)))
def command(shell: str) -> None:
    """Nothing is installed: where shells keep such scripts is their users' choice."""
    click.echo(SCRIPTS[shell], nl=False)
