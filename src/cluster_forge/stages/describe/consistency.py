"""Checks across the files of a stack, before anything is fetched or rendered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cluster_forge.foundation.error_groups import expected
from cluster_forge.foundation.errors import DescriptionError, ForgeError, OrderError, PatchError
from cluster_forge.foundation.names import ComponentName, counted, is_dns_label
from cluster_forge.manifests import kubernetes_apis, order
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.stack.draft import Draft
from cluster_forge.stack.model import KubernetesVersion, Stack
from cluster_forge.stack.parse import ParsedDescription
from cluster_forge.yaml.positioned import Positioned


def errors(draft: Draft) -> Iterator[ForgeError]:
    """Why the stack cannot be rendered, whatever else is wrong in the description: an unknown Kubernetes version, a dependency
    cycle, a patch that is none.
    """
    yield from _target(draft.description)
    yield from _cycle(draft.components)
    yield from _patches(draft.stack)


def emptiness(parsed: ParsedDescription) -> Iterator[ForgeError]:
    """The error for a description without other errors that has no components."""
    if not parsed.stack.components:
        fix = "add at least one to `components`"
        yield DescriptionError("the stack has no components", where=parsed.files[0], fix=fix)


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


def _target(description: Positioned) -> Iterator[ForgeError]:
    written = description.at(("target", "kubernetes"))
    if written.string is None:
        return
    try:
        version = KubernetesVersion.parse(written.string)
    except ValueError:  # an error of the schema
        return
    minors = kubernetes_apis.minors()
    if version.major != 1 or version.minor not in minors:
        yield DescriptionError(
            f"target: Kubernetes {version.major}.{version.minor} is not supported (1.{minors[0]} to 1.{minors[-1]} are)",
            where=written.where,
            fix=f'write `kubernetes: "1.{minors[-1]}"`, or another supported version',
        )


def _cycle(components: Mapping[str, Positioned]) -> Iterator[ForgeError]:
    """The error for a cycle of more than one component."""
    names = {name: ComponentName(name) for name in components if is_dns_label(name)}
    needs = {
        known: [
            names[need.string] for need in components[name].strings("needs") if need.string in names.keys() - {name}
        ]
        for name, known in names.items()
    }
    try:
        order.sequence(needs)
    except OrderError as error:
        where = next(
            (written.where for name, written in components.items() if f" {name} " in f" {error.message} "), None
        )
        yield OrderError(error.message, where=where, fix=error.fix)


def _patches(stack: Stack) -> Iterator[ForgeError]:
    """Why the JSON patches of a stack are none."""
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
