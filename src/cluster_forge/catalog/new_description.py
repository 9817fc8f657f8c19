"""The description of a new stack: the names that were chosen, and those that they need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cluster_forge.catalog.dependencies import whole
from cluster_forge.catalog.library import Library, flattened
from cluster_forge.foundation.errors import raise_all
from cluster_forge.stack.model import Notice, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A new stack: its description, all its components, and what its user should know of them."""

    text: str
    components: tuple[str, ...]
    notices: tuple[Notice, ...]


def begun(library: Library, name: str, names: Sequence[str], target: Target) -> Begun:
    """The description of a stack called ``name`` of these components and collections of the library.

    Raises:
        DescriptionError, ExceptionGroup: for what does not fit, and what does not go together.
    """
    found = whole(library, names, target)
    raise_all(found.errors)
    asked = flattened(names, library.collections)
    more = [each for each in found.stack if each not in asked]
    why = {notice.component: notice.message for notice in found.notices if notice.code == "pulled-in"}
    text = "".join(f"{line}\n" for line in _lines(name, names, more, why, target))
    return Begun(text=text, components=found.stack, notices=found.notices)


def _lines(name: str, names: Sequence[str], more: Sequence[str], why: dict[str, str], target: Target) -> Iterator[str]:
    yield "apiVersion: cluster-forge/v1"
    yield "kind: Stack"
    yield f"name: {name}"
    yield "target:"
    yield f'  kubernetes: "{target.kubernetes.major}.{target.kubernetes.minor}"'
    yield f"  size: {target.size}"
    if target.domain:
        yield f"  domain: {target.domain}"
    yield "components:"
    yield from (f"- {each}" for each in dict.fromkeys(names))
    if more:
        yield "# what these need; leave out what the cluster has already, and say so: `target: {provides: [storage-class]}`"
        width = max(map(len, more))
        yield from (f"- {each:<{width}}  # {why.get(each, '')}".rstrip(" #") for each in more)
