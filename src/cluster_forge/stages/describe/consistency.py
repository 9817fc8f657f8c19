"""What is wrong with a stack although each of its files is right: found before anything is fetched or made."""

from __future__ import annotations

from cluster_forge.foundation.errors import DescriptionError, ForgeError, OrderError
from cluster_forge.manifests import kubernetes_apis, order
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.stack.parse import Loaded


def faults(loaded: Loaded) -> list[ForgeError]:
    """Everything that keeps the stack from being made, with file and line."""
    return [*_target(loaded), *_emptiness(loaded), *_circle(loaded)]


def notices(loaded: Loaded) -> list[Finding]:
    """What its user should know before it is made: that only a part of it is meant, and what that part misses."""
    left_out = loaded.left_out
    if not left_out:
        return []
    components = loaded.stack.components
    found = [
        Finding(
            code="left-out",
            severity=Severity.WARNING,
            message=f"{len(components)} of {len(components) + len(left_out)} components are taken: "
            "what is made holds nothing of the others",
        )
    ]
    for component in components:
        found += [
            Finding(
                code="left-out",
                severity=Severity.WARNING,
                component=component.name,
                where=component.where,
                message=f"needs {name}, which is left out",
            )
            for name in component.needs
            if name in left_out
        ]
    return found


def _target(loaded: Loaded) -> list[ForgeError]:
    minors = kubernetes_apis.minors()
    version = loaded.stack.target.kubernetes
    if version.major == 1 and version.minor in minors:
        return []
    return [
        DescriptionError(
            f"target: nothing is known about Kubernetes {version.major}.{version.minor}, only about 1.{minors[0]} to "
            f"1.{minors[-1]}",
            where=loaded.origins.get(("target", "kubernetes")),
            fix="name a version in that range",
        )
    ]


def _emptiness(loaded: Loaded) -> list[ForgeError]:
    if loaded.stack.components:
        return []
    fix = "name at least one under `components`"
    return [DescriptionError("the stack has no components", where=loaded.files[0], fix=fix)]


def _circle(loaded: Loaded) -> list[ForgeError]:
    components = loaded.stack.components
    try:
        order.sequence({component.name: frozenset(component.needs) for component in components})
    except OrderError as error:
        inside = next((each.where for each in components if f" {each.name} " in f" {error.message} "), None)
        return [OrderError(error.message, where=inside, fix=error.fix)]
    return []
