"""init: write a workspace from the starter stack."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from cluster_forge.cli.commands.catalog import kubernetes_option
from cluster_forge.cli.prompts import questions
from cluster_forge.cli.session import Session, verb
from cluster_forge.foundation.errors import UnknownNameError, WorkspaceError, raise_all
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import counted, did_you_mean

if TYPE_CHECKING:
    from cluster_forge.stack.model import Target

DESCRIPTION = "config.yaml"
SCHEMA = "https://raw.githubusercontent.com/cluster-forge/cluster-forge/main/schemas/stack.schema.json"


@verb("Write a workspace: the starter stack, or one of the catalog's components, ready to be forged.")
@click.argument("directory", required=False, metavar="[DIR]")
@click.option("--component", "components", metavar="NAME", multiple=True, help="Begin with this one (repeatable).")
@click.option("--collection", "collections", metavar="NAME", multiple=True, help="Begin with these (repeatable).")
@click.option("--size", type=click.Choice(["small", "medium", "large"]), help="How large the platform is to be.")
@click.option("--kubernetes", metavar="VERSION", callback=kubernetes_option, help="The cluster's version: 1.33.")
@click.option("--domain", metavar="DOMAIN", help="Where user interfaces are to be reachable: example.com.")
def command(
    session: Session,
    directory: str | None,
    components: tuple[str, ...],
    collections: tuple[str, ...],
    **wanted: str | None,
) -> None:
    """What a component needs comes with it. Names that the starter has (and no size, version or domain) take a part of the
    starter, all others come from the catalog (`catalog list`). On a terminal init asks, unless something was named. An
    existing input/ is never touched. Then: cluster-forge -C DIR forge.
    """
    if directory:
        session = replace(session, workspace=session.workspace / directory)
    workspace = session.workspace
    if (workspace / "input").exists():
        raise WorkspaceError(
            "there is an input/ already, and init never writes over one",
            where=str(workspace / "input"),
            fix="name another folder: cluster-forge init DIR",
        )
    names = (*components, *collections)
    target = Wanted(**wanted)
    if not names and questions.may_ask(session):
        names, target = _asked(target)
    chosen: tuple[str, ...] | None
    if target != Wanted() or not _are_of_the_starter(names):
        if not names:
            raise click.UsageError(
                "name what the stack shall have: --component NAME, --collection NAME (`catalog list`)"
            )
        tree, chosen = _from_catalog(session, names, target)
    else:
        tree, chosen = _from_starter(session, components, collections)
    named = f"# yaml-language-server: $schema={SCHEMA}\n".encode() + tree[DESCRIPTION]
    workspace.mkdir(parents=True, exist_ok=True)
    session.files().replace_trees({"input": FileTree({**tree.files, DESCRIPTION: named})})
    session.say(f"wrote {counted(len(tree), 'file')}: {workspace / 'input' / DESCRIPTION} is the one to read and edit")
    if chosen is not None:
        session.say(f"in the stack: {', '.join(chosen)}")
    session.say(f"next: {session.line('forge')}")
    session.answer("init", workspace=str(workspace), files=len(tree))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was said of the cluster."""

    size: str | None = None
    kubernetes: str | None = None
    domain: str | None = None


def _asked(wanted: Wanted) -> tuple[tuple[str, ...], Wanted]:
    """What somebody at the terminal wants of the catalog; nothing where he begins with the starter."""
    from cluster_forge.catalog.library import packaged
    from cluster_forge.cli.prompts import init_questions

    library = packaged()
    if wanted == Wanted() and init_questions.what_to_begin_with(len(library.names)) == "starter":
        return (), wanted
    size, kubernetes = init_questions.target(wanted.size, wanted.kubernetes)
    sized = replace(wanted, size=size, kubernetes=kubernetes)
    names = init_questions.components_of_catalog(library, _target(sized))
    found = replace(sized, domain=wanted.domain or init_questions.domain() or None)
    words = [
        word for name in names for word in ("--collection" if name in library.collections else "--component", name)
    ]
    said = {"--size": size, "--kubernetes": kubernetes, "--domain": found.domain}
    known = {"--size": wanted.size, "--kubernetes": wanted.kubernetes, "--domain": wanted.domain}
    words += [word for option, value in said.items() if value and not known[option] for word in (option, value)]
    questions.tell_line(*words)
    return names, found


def _target(wanted: Wanted) -> Target:
    from cluster_forge.stack.model import KubernetesVersion, Size, Target

    return Target(
        kubernetes=KubernetesVersion.parse(wanted.kubernetes or "1.33"),
        size=Size(wanted.size or "small"),
        domain=wanted.domain or "",
    )


def _are_of_the_starter(names: tuple[str, ...]) -> bool:
    """Whether the starter has all of them; of no name it is true.

    Raises:
        UnknownNameError, ExceptionGroup: for names that neither the starter nor the catalog has.
    """
    from cluster_forge.catalog import starter
    from cluster_forge.catalog.library import packaged

    if not names:
        return True
    found, library = starter.names(), packaged()
    own = {*found.components, *found.resolved.collections}
    there = {*own, *library.names, *library.collections}
    raise_all(
        UnknownNameError(
            f"there is no component or collection {name!r}{did_you_mean(name, there)}",
            fix=f"`cluster-forge catalog list` shows those of the catalog; the starter has {', '.join(sorted(own))}",
        )
        for name in names
        if name not in there
    )
    return set(names) <= own


def _from_catalog(session: Session, names: tuple[str, ...], wanted: Wanted) -> tuple[FileTree, tuple[str, ...]]:
    """The description of a stack of the catalog's components; what comes along and what is to be known of it is told."""
    from cluster_forge.catalog.library import packaged
    from cluster_forge.catalog.new_description import new_stack
    from cluster_forge.foundation.names import is_dns_label

    folder = session.workspace.resolve().name.lower()
    made = new_stack(packaged(), folder if is_dns_label(folder) else "platform", names, _target(wanted))
    for notice in made.notices:
        session.say(f"{notice.component}: {notice.message}")
    return FileTree({DESCRIPTION: made.text.encode()}), made.components


def _from_starter(
    session: Session, components: tuple[str, ...], collections: tuple[str, ...]
) -> tuple[FileTree, tuple[str, ...] | None]:
    from cluster_forge.catalog import starter

    chosen = _chosen(session, components, collections)
    return starter.tree(chosen), chosen


def _chosen(session: Session, components: tuple[str, ...], collections: tuple[str, ...]) -> tuple[str, ...] | None:
    """The components of the stack, of the names that the starter has; None for the starter as it is."""
    from cluster_forge.catalog import starter

    if not components and not collections:
        if not questions.may_ask(session):
            return None
        return questions.components_to_begin_with(starter.names(), starter.remarks())
    return starter.names().with_needs([*components, *collections])
