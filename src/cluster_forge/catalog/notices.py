"""Notices about a catalog component in a stack: its end of life, missing architectures, known trouble."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cluster_forge.catalog.field_types import minors
from cluster_forge.stack.model import Notice

if TYPE_CHECKING:
    from cluster_forge.catalog.component_format import CatalogComponent, Caution
    from cluster_forge.catalog.stack_context import StackContext


def on(component: CatalogComponent, context: StackContext, where: str) -> Iterator[Notice]:
    """Warnings about a component, which the description names at ``where``."""
    if component.lifecycle.state != "active":
        yield _warning(component, where, code="eol-component", message=_end_of_life(component))
    supported = component.architectures
    missing = [str(name) for name in context.target.architectures if str(name) not in supported]
    if missing:
        message = f"has images for {' and '.join(supported)} only, not for {' and '.join(missing)}"
        fitting = ", ".join(str(name) for name in context.target.architectures if str(name) in supported)
        fix = (
            f"write `architectures: [{fitting or ', '.join(supported)}]` below `target`, or keep its pods on such nodes"
        )
        yield _warning(component, where, code="platform-missing", message=message, fix=fix)
    for caution in component.cautions:
        if _applies(caution, context):
            yield _warning(component, where, code=caution.code, message=caution.reason, fix=caution.fix)


def _applies(caution: Caution, context: StackContext) -> bool:
    """Whether all conditions of a caution are met."""
    return (
        context.meets(caution)
        and (caution.kubernetes is None or context.target.kubernetes.minor in minors(caution.kubernetes))
        and all(name in context.cluster_provides for name in caution.brought)
    )


def _warning(component: CatalogComponent, where: str, *, code: str, message: str, fix: str = "") -> Notice:
    return Notice(code=code, message=message, component=component.name, where=where, is_warning=True, fix=fix)


def _end_of_life(component: CatalogComponent) -> str:
    life = component.lifecycle
    state = "end of life" if life.state == "eol" else "deprecated"
    since = f" since {life.date}" if life.date else ""
    reason = f": {life.reason.rstrip('.')}" if life.reason else ""
    successor = (
        f"; successor: {life.successor} (`cluster-forge catalog switch {component.name}`)" if life.successor else ""
    )
    return f"{state}{since}{reason}{successor}"
