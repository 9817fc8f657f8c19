"""Writes the catalog's pages, docs/catalog/NAME.md, from the components' files and the packaged measurements.

Run: python tools/catalog_pages.py [--check]        (needs the package; a test fails if the pages are out of date)
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.tables import table

from cluster_forge.catalog import measurements, views
from cluster_forge.catalog.component_format import ALL_SIZES, CatalogComponent
from cluster_forge.catalog.file_formats import CatalogCollection
from cluster_forge.catalog.library import Library, flattened, packaged
from cluster_forge.cli.output.catalog_text import caution_when
from cluster_forge.stack.model import Size
from cluster_forge.yaml import document_writer

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs" / "catalog"
_MINOR: Final = 33


def main() -> int:
    pages = dict(texts(packaged()))
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")} if FOLDER.exists() else {}
    if pages == there:
        return 0
    if "--check" in sys.argv:
        print("out of date: run `python tools/catalog_pages.py`")
        return 1
    FOLDER.mkdir(exist_ok=True)
    for name in there.keys() - pages.keys():
        (FOLDER / name).unlink()
    for name, text in pages.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    print(f"{len(pages)} pages in docs/catalog")
    return 0


def texts(library: Library) -> Iterator[tuple[str, str]]:
    """Each page's file name and text: components, then collections."""
    for component in library.components():
        yield f"{component.name}.md", _text(_component(component, library))
    for name, collection in library.collections.items():
        yield f"collection-{name}.md", _text(_collection(name, collection, library))


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _component(component: CatalogComponent, library: Library) -> Iterator[str]:
    name = component.name
    yield from (f"# {component.title}", "", component.description, "")
    yield from _lifecycle(component)
    yield from table(("property", "value"), _summary(component, library))
    yield from ("", "```yaml", "components:", f"- {name}", "```", "")
    yield from _sized(component)
    yield from _needs(component, library)
    yield from _wiring(component)
    yield from _cautions(component, library)
    yield from _secrets(component)
    yield from _operates(component)
    yield from _examples(component)
    for title, text in (("What to know", component.notes), ("Before an upgrade", component.upgrade)):
        if text:
            yield from (f"## {title}", "", text.strip(), "")
    if component.health:
        yield from ("## How to check that it is healthy", "", component.health, "")
    if component.exceptions:
        yield from ("## Accepted findings", "")
        rows = ((exception.rule, _names(exception.patterns), exception.reason) for exception in component.exceptions)
        yield from (*table(("finding", "objects", "why"), rows), "")
    yield from ("## Images", "")
    measured = measurements.packaged().get(name)
    if measured is None:
        yield "Not known: its manifests were not at hand when the catalog was measured."
        return
    images = dict.fromkeys((*(image for size in ALL_SIZES for image in measured[size]["images"]), *component.images))
    yield from ([f"- `{image}`" for image in sorted(images)] or ["It runs none."])


def _lifecycle(component: CatalogComponent) -> Iterator[str]:
    life = component.lifecycle
    if life.state != "active":
        what = "Its maintainers ended it" if life.state == "eol" else "It is deprecated"
        since = f" ({life.date})" if life.date else ""
        way = (
            f" [{life.successor}]({life.successor}.md) replaces it: `cluster-forge catalog switch {component.name}`."
            if life.successor
            else ""
        )
        yield from (f"**{what}{since}.** {life.reason}{way}", "")


def _summary(component: CatalogComponent, library: Library) -> Iterator[tuple[str, str]]:
    page = views.page(component, library, _MINOR, Size.SMALL)
    yield "category", component.category
    yield "homepage", f"<{component.homepage}>"
    yield "license", component.license
    yield (
        "versions",
        "; ".join(f"{version.version} for Kubernetes {version.kubernetes}" for version in component.versions),
    )
    yield "namespace", f"`{component.namespace}`, Pod Security `{component.pod_security}`"
    yield "architectures", ", ".join(component.architectures)
    if component.provides:
        yield "provides", _names(component.provides)
    if page["neededBy"]:
        yield "needed by", _links(page["neededBy"])
    if page["collections"]:
        yield "in collections", ", ".join(f"[{name}](collection-{name}.md)" for name in page["collections"])


def _sized(component: CatalogComponent) -> Iterator[str]:
    known = measurements.packaged().get(component.name)
    if known is None:
        return
    yield from ("## Sizes", "", "What its pods request, and the volumes that it claims.", "")
    rows = (
        (
            size,
            *(
                str(known[size][key])
                for key in ("pods", "cpu", "memory", "memoryLimit", "storage", "cpuOnEachNode", "memoryOnEachNode")
            ),
        )
        for size in ALL_SIZES
    )
    head = ("size", "pods", "CPU", "memory", "memory limit", "volumes", "CPU on each node", "memory on each node")
    yield from (*table(head, rows), "")


def _needs(component: CatalogComponent, library: Library) -> Iterator[str]:
    if component.needed:
        yield from ("## What it needs", "")
        rows = (
            (f"`{need.name}`", _links(library.providers(need.name)), _sizes(need.sizes), need.reason)
            for need in component.needed
        )
        yield from (*table(("what", "provided by", "at", "why"), rows), "")
    if component.excludes:
        yield from ("## What it excludes", "")
        yield from (
            *table(("what", "why"), ((f"`{exclusion.name}`", exclusion.reason) for exclusion in component.excludes)),
            "",
        )


def _wiring(component: CatalogComponent) -> Iterator[str]:
    if component.wiring:
        yield from ("## How it is wired", "")
        rows = (
            (
                " ".join(
                    part
                    for part in (
                        f"with {_names(wiring.all_of)}" if wiring.all_of else "",
                        f"without {_names(wiring.none_of)}" if wiring.none_of else "",
                    )
                    if part
                )
                or "always",
                _sizes(wiring.sizes),
                wiring.purpose,
            )
            for wiring in component.wiring
        )
        yield from (*table(("where", "at", "what for"), rows), "")


def _cautions(component: CatalogComponent, library: Library) -> Iterator[str]:
    if component.cautions:
        yield from ("## Known trouble", "", "Each is a warning where it applies.", "")
        cautions = views.page(component, library, _MINOR, Size.SMALL)["cautions"]
        rows = (
            (caution_when(caution), f"`{caution['code']}`", caution["reason"], caution["fix"]) for caution in cautions
        )
        yield from (*table(("when", "finding", "what goes wrong", "what to do"), rows), "")


def _secrets(component: CatalogComponent) -> Iterator[str]:
    if component.secrets:
        yield from (
            "## Secrets that it expects",
            "",
            "`cluster-forge secrets list` prints the commands that create them.",
            "",
        )
        rows = (
            (
                f"`{secret.namespace or component.namespace}/{secret.name}`",
                "; ".join(f"`{key}`: {meaning}" for key, meaning in secret.keys.items()),
                secret.purpose,
            )
            for secret in component.secrets
        )
        yield from (*table(("Secret", "keys", "what for"), rows), "")


def _operates(component: CatalogComponent) -> Iterator[str]:
    if component.operates:
        yield from (
            "## What it operates",
            "",
            "Objects for which it creates pods, Services and Secrets at run time.",
            "",
        )
        rows = (
            (f"{operated.kind}.{operated.group}", _names(operated.services), _names(operated.secrets))
            for operated in component.operates
        )
        yield from (*table(("object", "Services", "Secrets"), rows), "", "`{name}` is the name of the object.", "")


def _examples(component: CatalogComponent) -> Iterator[str]:
    if component.examples:
        yield from ("## Examples", "")
    for example in component.examples:
        change: dict[str, Any] = {"name": component.name}
        if example.values:
            change["values"] = example.values
        if example.exclude:
            change["exclude"] = example.exclude
        yield from (
            f"{example.title}:",
            "",
            "```yaml",
            "components:",
            *document_writer.sequence([change], ""),
            "```",
            "",
        )


def _collection(name: str, collection: CatalogCollection, library: Library) -> Iterator[str]:
    yield from (f"# {collection.title}", "", collection.description, "")
    yield from ("```yaml", "components:", f"- {name}", "```", "")
    members = flattened([name], library.collections)
    rows = ((f"[{member}]({member}.md)", library.component(member).description) for member in members)
    yield from table(("component", "what it does"), rows)


def _sizes(sizes: Iterable[str]) -> str:
    given = list(sizes)
    return "every size" if given == list(ALL_SIZES) else ", ".join(given)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _links(names: Iterable[str]) -> str:
    return ", ".join(f"[{name}]({name}.md)" for name in names)


if __name__ == "__main__":
    sys.exit(main())
