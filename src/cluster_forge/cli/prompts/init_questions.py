"""The questions of `init` where nothing was said: what to begin with, for which cluster, which components.

Like all questions they end in words, and the line that says the same is printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cluster_forge.cli.prompts.catalog_choice import CatalogChoice, Come, ComeTo

if TYPE_CHECKING:
    from cluster_forge.catalog.library import Library
    from cluster_forge.stack.model import Target


def what_to_begin_with(number: int) -> str:
    """``starter`` or ``catalog``, which has so many components."""
    click.echo(
        f"starter: a small platform that is complete without a network; catalog: {number} components to choose from"
    )
    return str(click.prompt("Begin with", type=click.Choice(["starter", "catalog"]), default="catalog"))


def target(size: str | None, kubernetes: str | None) -> tuple[str, str]:
    """The size and the Kubernetes version of the target, as far as they were not said."""
    from cluster_forge.stack.model import KubernetesVersion, Size

    def version(text: str) -> str:
        try:
            return f"1.{KubernetesVersion.parse(text).minor}"
        except ValueError as error:
            raise click.BadParameter(f"{error}: write 1.33") from error

    size = size or str(click.prompt("How large", type=click.Choice([*map(str, Size)]), default=str(Size.SMALL)))
    return size, kubernetes or str(click.prompt("Kubernetes version", default="1.33", value_proc=version))


def domain() -> str:
    """The domain below which user interfaces are to be reachable; empty for none."""
    return str(click.prompt("Domain for user interfaces (none: enter)", default="", show_default=False)).strip()


def components_of_catalog(library: Library, target: Target) -> tuple[str, ...]:
    """The components and collections that were picked of a catalog for a target."""
    from cluster_forge.catalog import dependencies
    from cluster_forge.catalog.library import flattened
    from cluster_forge.cli.prompts import multichoice
    from cluster_forge.cli.prompts.choice import Row

    def come_to(names: Sequence[str]) -> Come:
        found = dependencies.needed(library, names, target)
        return Come(components=found.stack, problems=tuple(error.message for error in found.errors))

    rows = []
    for name, collection in library.collections.items():
        members = flattened([name], library.collections)
        about = f"collection: {collection.description}"
        rows.append(Row(name=name, members=members, about=about, pulls=_comes(come_to, name, members)))
    for each in sorted(library.components(), key=lambda component: component.category):
        state = "" if each.lifecycle.state == "active" else f" ({each.lifecycle.state})"
        about = f"{each.category}: {each.description}{state}"
        rows.append(
            Row(name=each.name, members=(each.name,), about=about, pulls=_comes(come_to, each.name, [each.name]))
        )
    picks = CatalogChoice(rows, come_to)
    multichoice.ask("Which components shall the stack have?", picks, color=click.get_current_context().color)
    return picks.words


def _comes(come_to: ComeTo, name: str, members: Sequence[str]) -> str:
    """What a row holds, and what comes with it."""
    come = come_to([name])
    if come.problems:
        return come.problems[0]
    more = [each for each in come.components if each not in members]
    held = [f"holds {', '.join(members)}"] if len(members) > 1 else []
    return "; ".join([*held, *([f"with it comes {', '.join(more)}"] if more else [])])
