"""catalog list|show|switch: the components that there are, what each is, and taking a successor."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from cluster_forge.cli.session import Session, verb

if TYPE_CHECKING:
    from cluster_forge.catalog.library import Library

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
    from cluster_forge.catalog import listing

    library = _library(session)
    known = sorted({each.category for each in library.components()})
    if category and category not in known:
        from cluster_forge.foundation.names import did_you_mean

        raise click.UsageError(f"no category {category!r}{did_you_mean(category, known)}; there are {', '.join(known)}")
    entries = [listing.entry(each, _minor(kubernetes)) for each in library.components()]
    entries = [
        each for each in entries if category in (None, each["category"]) and lifecycle in (None, each["lifecycle"])
    ]
    collections = [] if category or lifecycle else [*library.collections.items()]
    for line in _list(entries):
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
    from cluster_forge.catalog import listing
    from cluster_forge.catalog.library import flattened
    from cluster_forge.stack.model import Size

    library = _library(session)
    if name in library.collections:
        collection = library.collections[name]
        members = flattened([name], library.collections)
        session.say(f"{name}: {collection.description}\n")
        for line in _list([listing.entry(library.component(each), _minor(kubernetes)) for each in members]):
            session.say(line)
        session.answer(
            "catalog show", collection={"name": name, **collection.model_dump(), "components": list(members)}
        )
        return
    page = listing.page(library.component(name), library, _minor(kubernetes), Size(size))
    for line in _page(page, size):
        session.say(line)
    session.answer("catalog show", size=size, component=page)


@verb("Put a component's successor into its place.")
@click.argument("name")
@click.argument("successor", required=False)
def switch(session: Session, name: str, successor: str | None) -> None:
    """In input/config.yaml, whose comments stay. Without SUCCESSOR the catalog knows it."""
    from cluster_forge.cli.description import no_description
    from cluster_forge.foundation.errors import UnknownNameError
    from cluster_forge.stack import edit
    from cluster_forge.stages.described import DESCRIPTION

    library, files = _library(session), session.files()
    new = successor or library.component(name).lifecycle.successor
    if not new:
        raise click.UsageError(f"the catalog knows no successor of {name}: name one")
    library.component(new)
    content = files.read(DESCRIPTION)
    if content is None:
        raise no_description(files)
    text = edit.renamed(content.decode(), name, new)
    if text is None:
        raise UnknownNameError(
            f"{DESCRIPTION} names no component {name!r}",
            fix="see `cluster-forge config show`: another file may name it",
        )
    files.write(DESCRIPTION, text.encode())
    session.say(f"{DESCRIPTION}: {new} is in the place of {name}; next: {session.line('forge')}")
    session.answer("catalog switch", old=name, new=new)


def _library(session: Session) -> Library:
    """The catalog, in a workspace with the user's own over it."""
    from cluster_forge.catalog.library import packaged
    from cluster_forge.stages import describe

    if not (session.workspace / "input").is_dir():
        return packaged()
    files = session.files()
    return describe.library(files.read, files.list_files)


def _minor(kubernetes: str | None) -> int:
    return int(kubernetes.partition(".")[2]) if kubernetes else _MINOR


def _list(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    names = max((len(each["name"]) for each in entries), default=0)
    versions = max((len(each["version"] or "-") for each in entries), default=0)
    categories = dict.fromkeys(sorted(each["category"] for each in entries))
    for number, category in enumerate(categories):
        yield f"{chr(10) if number else ''}{category}"
        for each in entries:
            if each["category"] == category:
                state = "" if each["lifecycle"] == "active" else f" ({each['lifecycle']})"
                version = each["version"] or "-"
                yield f"  {each['name']:<{names}}  {version:<{versions}}  {each['description']}{state}"


def _page(page: Mapping[str, Any], size: str) -> Iterator[str]:
    yield f"{page['title']}: {page['description']}"
    yield ""
    life = page["lifecycle"]
    state = life["state"] + "".join(
        f"{before}{life[key]}"
        for key, before in (("date", " since "), ("reason", ": "), ("successor", " Instead: "))
        if key in life
    )
    facts = {
        "homepage": page["homepage"],
        "license": page["license"],
        "lifecycle": state,
        "namespace": f"{page['namespace']} (Pod Security: {page['podSecurity']})",
        "versions": "; ".join(f"{each['version']} for Kubernetes {each['kubernetes']}" for each in page["versions"]),
        "architectures": ", ".join(page["architectures"]),
        "provides": ", ".join(page["provides"]),
        "in collections": ", ".join(page["collections"]),
        "needed by": ", ".join(page["neededBy"]),
        "images at run time": ", ".join(page["runtimeImages"]),
        "health": page["health"],
    }
    width = max(map(len, facts))
    for name, text in facts.items():
        if text:
            yield from _wrapped(f"{name:<{width}}  ", text)
    if page["footprint"]:
        yield "\nfootprint (requests; with what it needs present, but without it)"
        yield f"  {'size':<8}{'pods':>5}{'CPU':>8}{'memory':>10}{'limit':>10}{'volumes':>10}  on each node"
        for each, found in page["footprint"].items():
            node = (
                f"{found['cpuOnEachNode']} CPU, {found['memoryOnEachNode']}" if found["memoryOnEachNode"] != "0" else ""
            )
            yield (
                f"  {each:<8}{found['pods']:>5}{found['cpu']:>8}{found['memory']:>10}{found['memoryLimit']:>10}"
                f"{found['storage']:>10}  {node}"
            ).rstrip()
    sections = {
        f"needs at size {size}": [(_by(each), each["reason"]) for each in page["needs"]],
        "excludes": [(each["name"], each["reason"]) for each in page["excludes"]],
        "wiring": [(_when(each), each["purpose"]) for each in page["wiring"]],
        "Secrets to be made": [
            (f"{each['namespace']}/{each['name']}", f"{each['purpose'].rstrip('.')}: {', '.join(each['keys'])}")
            for each in page["secrets"]
        ],
        f"images at size {size}": [("", each) for each in page["images"]],
        "exceptions from the rules for production": [(each["rule"], each["reason"]) for each in page["exceptions"]],
        "notes": [("", text) for text in _paragraphs(page["notes"])],
        "before an upgrade": [("", text) for text in _paragraphs(page["upgrade"])],
    }
    for title, rows in sections.items():
        if rows:
            yield f"\n{title}"
            width = max(len(left) for left, _ in rows)
            for left, right in rows:
                yield from _wrapped(f"  {left:<{width}}  " if width else "  ", right)


def _paragraphs(text: str) -> Iterator[str]:
    """The text's sentences that begin on lines of their own, each on one line."""
    lines: list[str] = []
    for line in text.splitlines():
        lines.append(line.strip())
        if line.endswith((".", ":")):
            yield " ".join(lines)
            lines = []
    if lines:
        yield " ".join(lines)


def _wrapped(start: str, text: str) -> Iterator[str]:
    yield from textwrap.wrap(text, 110, initial_indent=start, subsequent_indent=" " * len(start)) or [start.rstrip()]


def _by(need: Mapping[str, Any]) -> str:
    by = [each for each in need["by"] if each != need["name"]]
    return f"{need['name']} ({' or '.join(by)})" if by else str(need["name"])


def _when(wired: Mapping[str, Any]) -> str:
    parts = [f"with {' and '.join(wired['with'])}"] if wired["with"] else []
    parts += [f"without {' and '.join(wired['without'])}"] if wired["without"] else []
    return " ".join(parts) or "always"


command.add_command(list_components, "list")
command.add_command(show, "show")
command.add_command(switch, "switch")
