"""catalog list|search|show|switch: the catalog's components, some or one of them, and replacing one by its successor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from cluster_forge.cli import help_page, target_options
from cluster_forge.cli.commands import catalog_authoring
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import verb

if TYPE_CHECKING:
    from cluster_forge.catalog.file_formats import CatalogCollection

command = help_page.group(
    "catalog",
    """List, search, show, write and test the components of the catalog.

    A component of the catalog has a chart and values for production at three sizes. A description uses it by its name.
    Write components of your own with `new`, and list their folder under `catalogs` in the description.

    Examples:
        cluster-forge catalog list --category storage
        cluster-forge catalog search logs
        cluster-forge catalog show grafana --size large
        cluster-forge catalog new shop --chart https://charts.example.com/shop
    """,
)


@verb()
@click.option("--category", metavar="NAME", help="Only this category.")
@click.option("--lifecycle", type=click.Choice(["active", "deprecated", "eol"]), help="Only this state of support.")
@target_options.kubernetes
def list_components(session: Session, category: str | None, lifecycle: str | None, kubernetes: str | None) -> None:
    """List components by category, and collections.

    Versions are those for the Kubernetes version. In a workspace the components of your own catalogs are included.

    Examples:
        cluster-forge catalog list
        cluster-forge catalog list --category storage --kubernetes 1.31
    """
    from cluster_forge.catalog import views
    from cluster_forge.cli.description import catalog_of
    from cluster_forge.foundation.names import did_you_mean

    library = catalog_of(session)
    categories = sorted({component.category for component in library.components()})
    if category and category not in categories:
        raise click.UsageError(
            f"unknown category {category!r}{did_you_mean(category, categories)}; known: {', '.join(categories)}"
        )
    entries = [
        entry
        for component in library.components()
        if (entry := views.entry(component, _minor(kubernetes)))
        and category in (None, entry["category"])
        and lifecycle in (None, entry["lifecycle"])
    ]
    _print(session, "catalog list", entries, {} if category or lifecycle else library.collections)


@verb()
@click.argument("words", nargs=-1, required=True, metavar="WORD...")
@target_options.kubernetes
def search(session: Session, words: tuple[str, ...], kubernetes: str | None) -> int:
    """Search components and collections.

    Lists those that have all WORDS in their name, title, category or description, or among the capabilities that they
    provide; upper and lower case are the same. The exit code is 1 if there are none.

    Examples:
        cluster-forge catalog search logs
        cluster-forge catalog search metrics.k8s.io
    """
    from cluster_forge.catalog import views
    from cluster_forge.cli.description import catalog_of
    from cluster_forge.foundation.names import did_you_mean

    library = catalog_of(session)
    entries = [
        views.entry(component, _minor(kubernetes))
        for component in library.components()
        if views.matches(views.texts(component), words)
    ]
    collections = {
        name: collection
        for name, collection in library.collections.items()
        if views.matches((name, collection.title, collection.description), words)
    }
    _print(session, "catalog search", entries, collections)
    if entries or collections:
        return 0
    near = did_you_mean(" ".join(words), (*library.names, *library.collections, *library.capabilities))
    session.print(f"the catalog has nothing about {' '.join(words)!r}{near}; `cluster-forge catalog list` shows all")
    return 1


@verb()
@click.argument("name")
@target_options.size_or_small
@target_options.kubernetes
def show(session: Session, name: str, size: str, kubernetes: str | None) -> None:
    """Show a component or a collection.

    Of a component: what it is, what it requires, its wiring to others, its resource requests, and the Secrets
    that it expects. Of a collection: its members.

    Examples:
        cluster-forge catalog show grafana
        cluster-forge catalog show monitoring
    """
    from cluster_forge.catalog import views
    from cluster_forge.catalog.library import flattened
    from cluster_forge.cli.description import catalog_of
    from cluster_forge.cli.output import catalog_text
    from cluster_forge.stack.model import Size

    library = catalog_of(session)
    if name in library.collections:
        collection = library.collections[name]
        members = flattened([name], library.collections)
        session.print(f"{name}: {collection.description}\n")
        entries = [views.entry(library.component(member), _minor(kubernetes)) for member in members]
        for line in catalog_text.listed(entries):
            session.print(line)
        session.print_json(
            "catalog show", collection={"name": name, **collection.model_dump(), "components": list(members)}
        )
        return
    page = views.page(library.component(name), library, _minor(kubernetes), Size(size))
    for line in catalog_text.page(page, size):
        session.print(line)
    session.print_json("catalog show", size=size, component=page)


@verb()
@click.argument("name")
@click.argument("successor", required=False)
def switch(session: Session, name: str, successor: str | None) -> None:
    """Replace a component by its successor in input/config.yaml.

    Without SUCCESSOR the catalog names it. Comments stay; what the description sets for the old component is removed,
    since it belongs to another chart.

    Examples:
        cluster-forge catalog switch promtail
        cluster-forge catalog switch promtail alloy
    """
    from cluster_forge.cli import description
    from cluster_forge.foundation.errors import UnknownNameError
    from cluster_forge.stack import description_edits
    from cluster_forge.stack.input_record import DESCRIPTION

    library, files = description.catalog_of(session), session.files()
    new = successor or library.component(name).lifecycle.successor
    if not new:
        raise click.UsageError(
            f"the catalog has no successor for {name}: write `cluster-forge catalog switch {name} SUCCESSOR`"
        )
    library.component(new)
    content = description.content(files, str(session.workspace.resolve()))
    text = description_edits.renamed(content.decode(), name, new)
    if text is None:
        raise UnknownNameError(
            f"{DESCRIPTION} does not list the component {name!r}",
            fix="run `cluster-forge config show --origins` to see which file lists it",
        )
    files.write(DESCRIPTION, text.encode())
    session.print(f"{DESCRIPTION}: replaced {name} by {new}; next: {session.command_line('forge')}")
    session.print_json("catalog switch", old=name, new=new)


def _print(
    session: Session,
    command_name: str,
    entries: Sequence[Mapping[str, Any]],
    collections: Mapping[str, CatalogCollection],
) -> None:
    """Components by category, then collections."""
    from cluster_forge.cli.output import catalog_text

    for line in catalog_text.listed(entries):
        session.print(line)
    if collections:
        session.print("\ncollections" if entries else "collections")
        width = max(map(len, collections))
        for name, collection in collections.items():
            session.print(f"  {name:<{width}}  {', '.join(collection.members)}")
    session.print_json(
        command_name,
        components=entries,
        collections=[{"name": name, **collection.model_dump()} for name, collection in collections.items()],
    )


def _minor(kubernetes: str | None) -> int:
    return int((kubernetes or target_options.DEFAULT_KUBERNETES).partition(".")[2])


command.add_command(list_components, "list")
command.add_command(search, "search")
command.add_command(show, "show")
command.add_command(switch, "switch")
command.add_command(catalog_authoring.new, "new")
command.add_command(catalog_authoring.test, "test")
