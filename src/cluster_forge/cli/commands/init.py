"""init: a workspace with the starter stack, or with components of the catalog."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from cluster_forge.cli import target_options
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import verb

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from cluster_forge.foundation.file_tree import FileTree
    from cluster_forge.stack.catalog_port import Frame
    from cluster_forge.stack.model import GitOpsEngine

SCHEMA = "https://raw.githubusercontent.com/cluster-forge/cluster-forge/main/schemas/stack.schema.json"


ENGINES = ("argocd", "flux", "none")
"""`stack.model.GitOpsEngine`, without importing it for the help text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The user's choices for the target, and for the GitOps engine; None: not given."""

    size: str | None = None
    kubernetes: str | None = None
    domain: str | None = None
    engine: str | None = None

    @property
    def is_without_target(self) -> bool:
        return self.size is None and self.kubernetes is None and self.domain is None

    @property
    def gitops(self) -> GitOpsEngine:
        from cluster_forge.stack.model import GitOpsEngine

        return GitOpsEngine(self.engine) if self.engine else GitOpsEngine.ARGOCD


@verb()
@click.argument("directory", required=False, metavar="[DIR]")
@click.option("--component", "components", metavar="NAME", multiple=True, help="Start with a component (repeatable).")
@click.option(
    "--collection", "collections", metavar="NAME", multiple=True, help="Start with a collection (repeatable)."
)
@target_options.size
@target_options.kubernetes
@target_options.domain
@click.option(
    "--gitops",
    "engine",
    type=click.Choice(ENGINES),
    help="What deploys the stack; none: applied directly.  [default: argocd]",
)
def command(
    session: Session,
    directory: str | None,
    components: tuple[str, ...],
    collections: tuple[str, ...],
    *,
    engine: str | None,
    **target: str | None,
) -> None:
    """Write a workspace with the starter stack, or with components of the catalog.

    Required components are added, among them the engine of --gitops. Names of the starter, without --size, --kubernetes
    or --domain, take a part of the starter, whose engine runs in the cluster already; all others come from the catalog.
    On a terminal init asks, unless names are given. An existing input/ is never changed.

    Examples:
        cluster-forge init platform
        cluster-forge init queues --component kueue --component grafana --gitops none
        cluster-forge init platform --collection monitoring --domain example.com
    """
    from cluster_forge.cli.prompts import questions

    if directory:
        session = replace(session, workspace=session.workspace / directory)
    _check_is_new(session.workspace)
    names, choice = (*components, *collections), Choice(engine=engine, **target)
    if not names and questions.may_ask(session):
        names, choice = _ask(choice)
    if choice.is_without_target and _are_in_starter(names):
        answers = ("--gitops", choice.engine) if choice.engine and not engine else ()
        tree, chosen = _from_starter(session, names, choice.gitops, answers)
    else:
        if not names:
            raise click.UsageError("name at least one: --component NAME, --collection NAME (see `catalog list`)")
        tree, chosen = _from_catalog(session, names, choice)
    _write(session, tree, chosen)
    _print_next(session, choice.gitops)


def _check_is_new(workspace: Path) -> None:
    from cluster_forge.foundation.errors import WorkspaceError

    if (workspace / "input").exists():
        raise WorkspaceError(
            "input/ exists, and init never overwrites it",
            where=str(workspace / "input"),
            fix="name another folder: cluster-forge init DIR",
        )


def _write(session: Session, tree: FileTree, chosen: tuple[str, ...] | None) -> None:
    """Write the workspace, and print what is in it; ``chosen`` are the components of the stack, None: the starter's."""
    from cluster_forge.catalog.starter import DESCRIPTION
    from cluster_forge.foundation.file_tree import FileTree
    from cluster_forge.foundation.names import counted

    workspace = session.workspace
    description = f"# yaml-language-server: $schema={SCHEMA}\n".encode() + tree[DESCRIPTION]
    workspace.mkdir(parents=True, exist_ok=True)
    session.files().replace_trees({"input": FileTree({**tree.files, DESCRIPTION: description})})
    session.print(
        f"wrote {counted(len(tree), 'file')}: {workspace / 'input' / DESCRIPTION} is the one to read and edit"
    )
    if chosen is not None:
        session.print(f"in the stack: {', '.join(chosen)}")
    session.print_json("init", workspace=str(workspace), files=len(tree))


def _print_next(session: Session, engine: GitOpsEngine) -> None:
    from cluster_forge.stack.model import GitOpsEngine

    forge, push = session.command_line("forge"), session.command_line("push")
    if engine is GitOpsEngine.FLUX:
        session.print("next: write the registry that Flux reads the stack from as `url` below `gitops`, then:")
        session.print(f"  {forge} && {push}")
        return
    session.print(f"next: {forge}")


def _ask(given: Choice) -> tuple[tuple[str, ...], Choice]:
    """The user's choice of names, target and engine; no names for the starter."""
    from cluster_forge.catalog.library import packaged
    from cluster_forge.cli.prompts import init_questions, questions

    library = packaged()
    if given.is_without_target and init_questions.starter_or_catalog(len(library.names)) == "starter":
        return (), replace(given, engine=given.engine or init_questions.engine())
    size, kubernetes = init_questions.target(given.size, given.kubernetes)
    choice = replace(given, size=size, kubernetes=kubernetes, engine=given.engine or init_questions.engine())
    names = init_questions.components_of_catalog(library, _frame(choice))
    choice = replace(choice, domain=given.domain or init_questions.domain() or None)
    words = [
        word for name in names for word in ("--collection" if name in library.collections else "--component", name)
    ]
    for option, value, before in (
        ("--size", choice.size, given.size),
        ("--kubernetes", choice.kubernetes, given.kubernetes),
        ("--gitops", choice.engine, given.engine),
        ("--domain", choice.domain, given.domain),
    ):
        if value and not before:
            words += [option, value]
    questions.print_equivalent(*words)
    return names, choice


def _frame(choice: Choice) -> Frame:
    from cluster_forge.stack.catalog_port import Frame
    from cluster_forge.stack.model import KubernetesVersion, Size, Target

    target = Target(
        kubernetes=KubernetesVersion.parse(choice.kubernetes or target_options.DEFAULT_KUBERNETES),
        size=Size(choice.size or "small"),
        domain=choice.domain or "",
    )
    return Frame(target=target, engine=choice.gitops.api_group)


def _are_in_starter(names: tuple[str, ...]) -> bool:
    """Whether the starter has all of the names; true without names.

    Raises:
        UnknownNameError, ExceptionGroup: for names that neither the starter nor the catalog has.
    """
    from cluster_forge.catalog import starter
    from cluster_forge.catalog.library import packaged

    if not names:
        return True
    starter_names, library = starter.names(), packaged()
    in_starter = {*starter_names.components, *starter_names.resolved.collections}
    _check_names(
        names,
        {*in_starter, *library.names, *library.collections},
        "there is",
        fix=f"see `cluster-forge catalog list`; the starter has {', '.join(sorted(in_starter))}",
    )
    return set(names) <= in_starter


def _from_catalog(session: Session, names: tuple[str, ...], choice: Choice) -> tuple[FileTree, tuple[str, ...]]:
    """The description of a stack of catalog components, and the names of these; notices are printed.

    Raises:
        UnknownNameError, ExceptionGroup: for names that only the starter has.
    """
    from cluster_forge.catalog.library import packaged
    from cluster_forge.catalog.new_description import new_stack
    from cluster_forge.catalog.starter import DESCRIPTION
    from cluster_forge.foundation.file_tree import FileTree
    from cluster_forge.foundation.names import is_dns_label

    library = packaged()
    _check_names(
        names,
        {*library.names, *library.collections},
        "the catalog has",
        fix="see `cluster-forge catalog list`; names of the starter cannot be combined with others or with a target",
    )
    folder = session.workspace.resolve().name.lower()
    name = folder if is_dns_label(folder) else "platform"
    description = new_stack(library, name, names, _frame(choice).target, choice.gitops)
    for notice in description.notices:
        session.print(f"{notice.component}: {notice.message}")
    return FileTree({DESCRIPTION: description.text.encode()}), description.components


def _check_names(names: tuple[str, ...], known: Collection[str], where: str, *, fix: str) -> None:
    """Raise an error for each unknown name; ``where`` begins its message: ``the catalog has``."""
    from cluster_forge.foundation.error_groups import raise_all
    from cluster_forge.foundation.errors import UnknownNameError
    from cluster_forge.foundation.names import did_you_mean

    raise_all(
        UnknownNameError(f"{where} no component or collection {name!r}{did_you_mean(name, known)}", fix=fix)
        for name in names
        if name not in known
    )


def _from_starter(
    session: Session, names: tuple[str, ...], engine: GitOpsEngine, answers: tuple[str, ...]
) -> tuple[FileTree, tuple[str, ...] | None]:
    """The starter or a part of it, and the components of the part; None: the whole starter.

    ``answers`` are the options that earlier answers stand for.
    """
    from cluster_forge.catalog import starter
    from cluster_forge.cli.prompts import questions

    chosen: tuple[str, ...] | None = None
    if names:
        chosen = starter.names().with_needs(names)
    elif questions.may_ask(session):
        chosen = questions.components_to_start_with(starter.names(), starter.remarks(), answers)
    return starter.tree(chosen, engine), chosen
