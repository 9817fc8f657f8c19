"""The description of a new stack: the chosen components, and those that they need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cluster_forge.catalog.dependencies import completed
from cluster_forge.catalog.library import Library, flattened
from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.stack.catalog_port import Frame
from cluster_forge.stack.description_edits import flux_source
from cluster_forge.stack.model import GitOpsEngine, Notice, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStack:
    """A new stack: its description, all its components, and notices about them."""

    text: str
    components: tuple[str, ...]
    notices: tuple[Notice, ...]


def new_stack(
    library: Library, name: str, names: Sequence[str], target: Target, engine: GitOpsEngine = GitOpsEngine.ARGOCD
) -> NewStack:
    """The description of a stack called ``name`` of these components and collections of the library, and of the engine.

    Raises:
        DescriptionError, ExceptionGroup: for components that do not support the target, or exclude each other.
    """
    stack = completed(library, names, Frame(target=target, engine=engine.api_group))
    raise_all(stack.errors)
    chosen = flattened(names, library.collections)
    added = [component for component in stack.stack if component not in chosen]
    reasons = {notice.component: notice.message for notice in stack.notices if notice.code == "pulled-in"}
    lines = (
        *_head(name, target, engine),
        *_components(names, {component: reasons.get(component, "") for component in added}),
    )
    return NewStack(text="".join(f"{line}\n" for line in lines), components=stack.stack, notices=stack.notices)


def _head(name: str, target: Target, engine: GitOpsEngine) -> Iterator[str]:
    """The lines before the components."""
    yield "apiVersion: cluster-forge/v1"
    yield "kind: Stack"
    yield f"name: {name}"
    yield "target:"
    yield f'  kubernetes: "{target.kubernetes.major}.{target.kubernetes.minor}"'
    yield f"  size: {target.size}"
    if target.domain:
        yield f"  domain: {target.domain}"
    yield "gitops:"
    yield f"  engine: {engine}"
    if engine is GitOpsEngine.FLUX:
        yield from (f"  {key}: {value}  # {remark}" for key, (value, remark) in flux_source(name).items())
    yield "checks:"
    yield "  errors: [plaintext-secret]  # nothing is written with a secret in plain text, unless `ignore` names it"


def _components(names: Sequence[str], added: Mapping[str, str]) -> Iterator[str]:
    """The lines of the components; ``added`` are those that the others need, with the reason."""
    yield "components:"
    yield from (f"- {component}" for component in dict.fromkeys(names))
    if added:
        yield "# needed by these; remove what the cluster has already, and write `target: {provides: [storage-class]}`"
        width = max(map(len, added))
        yield from (f"- {component:<{width}}  # {reason}".rstrip(" #") for component, reason in added.items())
