"""catalog list|show|switch: the components that there are, what each is, and taking a successor."""

from __future__ import annotations

import click

from cluster_forge.cli.commands import catalog_authoring
from cluster_forge.cli.output import catalog_text
from cluster_forge.cli.session import Session, verb

_MINOR = 33
"""Of Kubernetes: what a description that names no version is for."""


def kubernetes_option(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    """A Kubernetes version on the command line."""
    from cluster_forge.stack.model import KubernetesVersion

    try:
        return text and f"{(version := KubernetesVersion.parse(text)).major}.{version.minor}"
    except ValueError as error:
        raise click.BadParameter(f"{error}: write 1.33", context, parameter) from error


_KUBERNETES = click.option(
    "--kubernetes", metavar="VERSION", callback=kubernetes_option, help="The cluster's version: 1.33."
)


@click.group("catalog", help="The components that there are, and what each is.")
def command() -> None:
    """The group; its verbs are below."""


@verb("List the components, by category.")
@click.option("--category", metavar="NAME", help="Only this category.")
@click.option("--lifecycle", type=click.Choice(["active", "deprecated", "eol"]), help="Only those in this state.")
@_KUBERNETES
def list_components(session: Session, category: str | None, lifecycle: str | None, kubernetes: str | None) -> None:
    """Then the collections. `catalog show NAME` tells all about one."""
    from cluster_forge.catalog import views
    from cluster_forge.cli.description import catalog_of

    library = catalog_of(session)
    known = sorted({each.category for each in library.components()})
    if category and category not in known:
        from cluster_forge.foundation.names import did_you_mean

        raise click.UsageError(f"no category {category!r}{did_you_mean(category, known)}; there are {', '.join(known)}")
    entries = [views.entry(each, _minor(kubernetes)) for each in library.components()]
    entries = [
        each for each in entries if category in (None, each["category"]) and lifecycle in (None, each["lifecycle"])
    ]
    collections = [] if category or lifecycle else [*library.collections.items()]
    for line in catalog_text.listed(entries):
        session.say(line)
    if collections:
        session.say("\ncollections")
        width = max(len(name) for name, _ in collections)
        for name, each in collections:
            session.say(f"  {name:<{width}}  {', '.join(each.members)}")
    session.answer(
        "catalog list",
        components=entries,
        collections=[{"name": name, **each.model_dump()} for name, each in collections],
    )


@verb("Show all about a component or collection.")
@click.argument("name")
@click.option(
    "--size",
    type=click.Choice(["small", "medium", "large"]),
    default="small",
    show_default=True,
    help="How large the platform is to be.",
)
@_KUBERNETES
def show(session: Session, name: str, size: str, kubernetes: str | None) -> None:
    """What it is, what it needs, how it is wired to others, which Secrets it expects; of a collection, its members."""
    from cluster_forge.catalog import views
    from cluster_forge.catalog.library import flattened
    from cluster_forge.cli.description import catalog_of
    from cluster_forge.stack.model import Size

    library = catalog_of(session)
    if name in library.collections:
        collection = library.collections[name]
        members = flattened([name], library.collections)
        session.say(f"{name}: {collection.description}\n")
        for line in catalog_text.listed([views.entry(library.component(each), _minor(kubernetes)) for each in members]):
            session.say(line)
        session.answer(
            "catalog show", collection={"name": name, **collection.model_dump(), "components": list(members)}
        )
        return
    page = views.page(library.component(name), library, _minor(kubernetes), Size(size))
    for line in catalog_text.page(page, size):
        session.say(line)
    session.answer("catalog show", size=size, component=page)


@verb("Put a component's successor into its place.")
@click.argument("name")
@click.argument("successor", required=False)
def switch(session: Session, name: str, successor: str | None) -> None:
    """In input/config.yaml, whose comments stay. Without SUCCESSOR the catalog knows it."""
    from cluster_forge.cli.description import catalog_of, no_description
    from cluster_forge.foundation.errors import UnknownNameError
    from cluster_forge.stack import description_edits
    from cluster_forge.stack.input_record import DESCRIPTION

    library, files = catalog_of(session), session.files()
    new = successor or library.component(name).lifecycle.successor
    if not new:
        raise click.UsageError(f"the catalog knows no successor of {name}: name one")
    library.component(new)
    content = files.read(DESCRIPTION)
    if content is None:
        raise no_description(files)
    text = description_edits.renamed(content.decode(), name, new)
    if text is None:
        raise UnknownNameError(
            f"{DESCRIPTION} names no component {name!r}",
            fix="see `cluster-forge config show`: another file may name it",
        )
    files.write(DESCRIPTION, text.encode())
    session.say(f"{DESCRIPTION}: {new} is in the place of {name}; next: {session.line('forge')}")
    session.answer("catalog switch", old=name, new=new)


def _minor(kubernetes: str | None) -> int:
    return int(kubernetes.partition(".")[2]) if kubernetes else _MINOR


command.add_command(list_components, "list")
command.add_command(show, "show")
command.add_command(switch, "switch")
command.add_command(catalog_authoring.new, "new")
command.add_command(catalog_authoring.test, "test")
