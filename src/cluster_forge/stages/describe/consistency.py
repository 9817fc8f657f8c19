"""Checks across the files of a stack, before anything is fetched or rendered."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.foundation.error_groups import expected
from cluster_forge.foundation.errors import DescriptionError, ForgeError, OrderError, PatchError
from cluster_forge.foundation.names import counted
from cluster_forge.manifests import kubernetes_apis, order
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.stack.model import Stack
from cluster_forge.stack.parse import ParsedDescription


def errors(parsed: ParsedDescription) -> list[ForgeError]:
    """Why the stack cannot be rendered: an unknown Kubernetes version, no components, a dependency cycle."""
    return [*_target(parsed), *_emptiness(parsed), *_cycle(parsed)]


def findings(parsed: ParsedDescription) -> list[Finding]:
    """A warning if only a part of the stack is selected, and one for every component that needs something left out."""
    left_out = parsed.left_out
    if not left_out:
        return []
    components = parsed.stack.components
    return [
        Finding(
            code="left-out",
            severity=Severity.WARNING,
            message=f"{len(components)} of {counted(len(components) + len(left_out), 'component')} "
            f"{'is' if len(components) == 1 else 'are'} selected; "
            "the result does not contain the others",
        ),
        *(
            Finding(
                code="left-out",
                severity=Severity.WARNING,
                component=component.name,
                where=component.where,
                message=f"needs {name}, which is left out",
            )
            for component in components
            for name in component.needs
            if name in left_out
        ),
    ]


def _target(parsed: ParsedDescription) -> list[ForgeError]:
    minors = kubernetes_apis.minors()
    version = parsed.stack.target.kubernetes
    if version.major == 1 and version.minor in minors:
        return []
    return [
        DescriptionError(
            f"target: Kubernetes {version.major}.{version.minor} is not supported (1.{minors[0]} to 1.{minors[-1]} are)",
            where=parsed.origins.get(("target", "kubernetes")),
            fix=f'write `kubernetes: "1.{minors[-1]}"`, or another supported version',
        )
    ]


def _emptiness(parsed: ParsedDescription) -> list[ForgeError]:
    if parsed.stack.components:
        return []
    fix = "add at least one to `components`"
    return [DescriptionError("the stack has no components", where=parsed.files[0], fix=fix)]


def _cycle(parsed: ParsedDescription) -> list[ForgeError]:
    components = parsed.stack.components
    try:
        order.sequence({component.name: frozenset(component.needs) for component in components})
    except OrderError as error:
        where = next(
            (component.where for component in components if f" {component.name} " in f" {error.message} "), None
        )
        return [OrderError(error.message, where=where, fix=error.fix)]
    return []


def patch_errors(stack: Stack) -> Iterator[ForgeError]:
    """Why the JSON patches of a stack are none; components with other errors may be missing in it."""
    changes = (stack.changes, *(component.changes for component in stack.components))
    patches = [patch for change in changes for patch in change.patches if patch.operations]
    if not patches:
        return
    from cluster_forge.patches import json_operations  # noqa: PLC0415 - few descriptions have JSON patches

    for patch in patches:
        try:
            json_operations.parse(list(patch.operations))
        except (PatchError, ExceptionGroup) as error:
            for one in expected(error):
                yield DescriptionError(f"the JSON patch: {one.message}", where=patch.where, fix=one.fix)
