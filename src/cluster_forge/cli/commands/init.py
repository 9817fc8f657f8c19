"""init: write a workspace from the starter stack."""

from __future__ import annotations

from dataclasses import replace

import click

from cluster_forge.cli.session import Session, verb
from cluster_forge.foundation.errors import WorkspaceError
from cluster_forge.foundation.file_tree import FileTree

SCHEMA = "https://raw.githubusercontent.com/cluster-forge/cluster-forge/main/schemas/stack.schema.json"
_DESCRIPTION = "config.yaml"


@verb("Write a workspace: the starter stack, ready to be forged.")
@click.argument("directory", required=False, metavar="[DIR]")
def command(session: Session, directory: str | None) -> None:
    """An existing input/ is never touched. Then: cluster-forge -C DIR forge."""
    from cluster_forge.catalog import starter

    if directory:
        session = replace(session, workspace=session.workspace / directory)
    workspace = session.workspace
    if (workspace / "input").exists():
        raise WorkspaceError(
            "there is an input/ already, and init never writes over one",
            where=str(workspace / "input"),
            fix="name another folder: cluster-forge init DIR",
        )
    tree = starter.tree()
    named = f"# yaml-language-server: $schema={SCHEMA}\n".encode() + tree[_DESCRIPTION]
    workspace.mkdir(parents=True, exist_ok=True)
    session.files().replace_trees({"input": FileTree({**tree.files, _DESCRIPTION: named})})
    session.say(f"wrote {len(tree)} files: {workspace / 'input' / _DESCRIPTION} is the one to read and edit")
    session.say(f"next: {session.line('forge')}")
    session.answer("init", workspace=str(workspace), files=len(tree))
