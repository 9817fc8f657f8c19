"""The questions of `init`: starter or catalog, the target, and which components.

Like all questions they result in arguments, and the command line with these is printed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Final

import click

from cluster_forge.catalog import dependencies
from cluster_forge.catalog.library import Library, flattened
from cluster_forge.cli.prompts import multichoice, single_choice
from cluster_forge.cli.prompts.catalog_choice import CatalogChoice, Requirements
from cluster_forge.cli.prompts.choice import Row
from cluster_forge.cli.prompts.one_of import OneOf, Option
from cluster_forge.cli.target_options import DEFAULT_KUBERNETES, dns_name
from cluster_forge.foundation.names import counted
from cluster_forge.manifests.kubernetes_apis import minors
from cluster_forge.stack.catalog_port import Frame
from cluster_forge.stack.model import GitOpsEngine, Size

_SIZES: Final = {
    Size.SMALL: "one replica of most things, for few nodes",
    Size.MEDIUM: "replicas that outlive a node",
    Size.LARGE: "more replicas and more storage",
}
_ENGINES: Final = {
    GitOpsEngine.ARGOCD: "Argo CD, with an Application for each component",
    GitOpsEngine.FLUX: "Flux, with a Kustomization for each component",
    GitOpsEngine.NONE: "applied directly; nothing else runs in the cluster",
}


def starter_or_catalog(components: int) -> str:
    """``starter`` or ``catalog``; ``components`` is how many the catalog has."""
    options = (
        Option(name="starter", about="a small, complete stack that builds offline"),
        Option(name="catalog", about=f"choose from {counted(components, 'component')}"),
    )
    return _one_of("Start with", options, "catalog")


def target(size: str | None, kubernetes: str | None) -> tuple[str, str]:
    """The size and the Kubernetes version of the target; a question for each that is None."""
    sizes = [Option(name=str(name), about=about) for name, about in _SIZES.items()]
    versions = [Option(name=f"1.{minor}") for minor in reversed(minors())]
    return (
        size or _one_of("Size", sizes, str(Size.SMALL)),
        kubernetes or _one_of("Kubernetes version", versions, DEFAULT_KUBERNETES),
    )


def engine() -> str:
    """The GitOps engine: a name of `GitOpsEngine`."""
    options = [Option(name=str(name), about=about) for name, about in _ENGINES.items()]
    return _one_of("What deploys the stack", options, str(GitOpsEngine.ARGOCD))


def domain() -> str:
    """The domain for user interfaces; empty for none."""

    def name(text: str) -> str:
        return dns_name(text.strip())

    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - arrow keys edit the line

    question = "Domain for user interfaces (enter: none)"
    return str(click.prompt(question, default="", show_default=False, value_proc=name))


def _one_of(question: str, options: Sequence[Option], default: str) -> str:
    return single_choice.ask(question, OneOf(options, default), color=click.get_current_context().color)


def components_of_catalog(library: Library, frame: Frame) -> tuple[str, ...]:
    """The chosen components and collections of a catalog for a target and an engine."""

    def resolve(names: Sequence[str]) -> Requirements:
        needed = dependencies.needed(library, names, frame)
        return Requirements(components=needed.stack, problems=tuple(error.message for error in needed.errors))

    def row(name: str, members: tuple[str, ...], about: str) -> Row:
        return Row(name=name, members=members, about=about, requires=_requires(resolve([name]), members))

    rows = [
        row(name, flattened([name], library.collections), f"collection: {collection.description}")
        for name, collection in library.collections.items()
    ]
    for component in sorted(library.components(), key=lambda component: component.category):
        state = "" if component.lifecycle.state == "active" else f" ({component.lifecycle.state})"
        rows.append(row(component.name, (component.name,), f"{component.category}: {component.description}{state}"))
    choice = CatalogChoice(rows, resolve)
    multichoice.ask("Which components should the stack have?", choice, color=click.get_current_context().color)
    return choice.words


def _requires(requirements: Requirements, members: Sequence[str]) -> str:
    """The members of a row's collection, and the components that are added with them."""
    if requirements.problems:
        return requirements.problems[0]
    others = [name for name in requirements.components if name not in members]
    parts = [f"has {', '.join(members)}"] if len(members) > 1 else []
    parts += [f"requires {', '.join(others)}"] if others else []
    return "; ".join(parts)
