"""The description of a new stack: the chosen components, and those that they need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cluster_forge.catalog.dependencies import completed
from cluster_forge.catalog.library import Library, flattened
from cluster_forge.foundation.errors import raise_all
from cluster_forge.stack.model import Notice, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStack:
    """A new stack: its description, all its components, and notices about them."""

    text: str
    components: tuple[str, ...]
    notices: tuple[Notice, ...]


def new_stack(library: Library, name: str, names: Sequence[str], target: Target) -> NewStack:
    """The description of a stack called ``name`` of these components and collections of the library.

    Raises:
        DescriptionError, ExceptionGroup: for components that do not support the target, or exclude each other.
    """
    stack = completed(library, names, target)
    raise_all(stack.errors)
    chosen = flattened(names, library.collections)
    added = [component for component in stack.stack if component not in chosen]
    reasons = {notice.component: notice.message for notice in stack.notices if notice.code == "pulled-in"}
    text = "".join(
        f"{line}\n"
        for line in _lines(name, names, {component: reasons.get(component, "") for component in added}, target)
    )
    return NewStack(text=text, components=stack.stack, notices=stack.notices)


def _lines(name: str, names: Sequence[str], added: Mapping[str, str], target: Target) -> Iterator[str]:
    """The lines of the file; ``added`` are the components that the others need, with the reason."""
    yield "apiVersion: cluster-forge/v1"
    yield "kind: Stack"
    yield f"name: {name}"
    yield "target:"
    yield f'  kubernetes: "{target.kubernetes.major}.{target.kubernetes.minor}"'
    yield f"  size: {target.size}"
    if target.domain:
        yield f"  domain: {target.domain}"
    yield "components:"
    yield from (f"- {component}" for component in dict.fromkeys(names))
    if added:
        yield "# needed by these; remove what the cluster has already, and write `target: {provides: [storage-class]}`"
        width = max(map(len, added))
        yield from (f"- {component:<{width}}  # {reason}".rstrip(" #") for component, reason in added.items())
