"""init: write a workspace from the starter stack."""

from __future__ import annotations

from dataclasses import replace

import click

from cluster_forge.cli import asking
from cluster_forge.cli.session import Session, verb
from cluster_forge.foundation.errors import ForgeError, UnknownNameError, WorkspaceError, raise_all
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import did_you_mean

SCHEMA = "https://raw.githubusercontent.com/cluster-forge/cluster-forge/main/schemas/stack.schema.json"


@verb("Write a workspace: the starter stack, or a part of it, ready to be forged.")
@click.argument("directory", required=False, metavar="[DIR]")
@click.option("--component", "components", metavar="NAME", multiple=True, help="Begin with this one (repeatable).")
@click.option("--collection", "collections", metavar="NAME", multiple=True, help="Begin with these (repeatable).")
def command(session: Session, directory: str | None, components: tuple[str, ...], collections: tuple[str, ...]) -> None:
    """What a component needs comes with it; what is left out stays defined. On a terminal init asks, unless something
    was named. An existing input/ is never touched. Then: cluster-forge -C DIR forge.
    """
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
    chosen = _chosen(session, components, collections)
    tree = starter.tree(chosen)
    named = f"# yaml-language-server: $schema={SCHEMA}\n".encode() + tree[starter.DESCRIPTION]
    workspace.mkdir(parents=True, exist_ok=True)
    session.files().replace_trees({"input": FileTree({**tree.files, starter.DESCRIPTION: named})})
    session.say(f"wrote {len(tree)} files: {workspace / 'input' / starter.DESCRIPTION} is the one to read and edit")
    if chosen is not None:
        session.say(f"in the stack: {', '.join(chosen)}")
    session.say(f"next: {session.line('forge')}")
    session.answer("init", workspace=str(workspace), files=len(tree))


def _chosen(session: Session, components: tuple[str, ...], collections: tuple[str, ...]) -> tuple[str, ...] | None:
    """The components of the stack; None for the starter as it is.

    Raises:
        UnknownNameError, ExceptionGroup: for names that the starter does not have.
    """
    from cluster_forge.catalog import starter

    if not components and not collections:
        if not asking.may_ask(session):
            return None
        return asking.components_to_begin_with(starter.names(), starter.remarks())
    found = starter.names()
    collected = found.resolved.collections
    unknown: list[ForgeError] = [
        UnknownNameError(
            f"the starter has no {kind} {name!r}{did_you_mean(name, there)}", fix=f"it has {', '.join(there)}"
        )
        for kind, names, there in (("component", components, found.components), ("collection", collections, collected))
        for name in names
        if name not in there
    ]
    raise_all(unknown)
    return found.with_needs([*components, *collections])
