"""The plug-ins that check a stack, and their findings as those of all other checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Final

from cluster_forge.foundation.error_groups import gathered
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.identity import ObjectId, group_of
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.part import Part
from cluster_forge.ports.plugins import CheckedObject, PluginFinding
from cluster_forge.ports.progress import Reporter
from cluster_forge.stack.model import Stack
from cluster_forge.stack.plugin_uses import PluginUse
from cluster_forge.stages.build.assembly.plugin_inputs import context_of, files_of
from cluster_forge.stages.toolbox import Toolbox

STAGE: Final = "smelt"


def findings(stack: Stack, parts: Sequence[Part], toolbox: Toolbox, reporter: Reporter) -> tuple[Finding, ...]:
    """What the plug-ins of ``checks.plugins`` find in the objects of a stack, as they will be applied.

    Raises:
        PluginError, ExceptionGroup: for each that is missing or fails.
    """
    results = gathered(partial(_found, use, stack, parts, toolbox, reporter) for use in stack.checks)
    return tuple(chain.from_iterable(results))


def _found(
    use: PluginUse, stack: Stack, parts: Sequence[Part], toolbox: Toolbox, reporter: Reporter
) -> Iterator[Finding]:
    objects = [
        CheckedObject(component=str(part.name), wave=part.wave, body=part_object.body)
        for part in parts
        for part_object in part.objects
    ]
    components = {part_object.id: part.name for part in parts for part_object in part.objects}
    reporter.item_started(STAGE, f"check {use.name}")
    result = toolbox.plugins.check(use, files_of(use, toolbox), context_of(stack), objects)
    reporter.item_finished(STAGE, f"check {use.name}")
    for finding in result:
        identity = _identity(finding.object) if finding.object else None
        yield located(finding, use, components.get(identity) if identity else None, ())


def located(
    finding: PluginFinding, use: PluginUse, component: ComponentName | None, manifests: Iterable[Manifest]
) -> Finding:
    """A finding of a plug-in, with the template or file of its object; without an object, the place of the plug-in."""
    identity = _identity(finding.object) if finding.object else None
    origin = next((one.provenance.origin for one in manifests if one.id == identity), "")
    return Finding(
        code=finding.code,
        severity=finding.severity,
        message=finding.message,
        component=component,
        object=identity,
        where=origin or use.where,
        fix=finding.fix,
    )


def _identity(named: Mapping[str, str]) -> ObjectId:
    return ObjectId(
        group=group_of(named.get("apiVersion", "")),
        kind=named.get("kind", ""),
        namespace=named.get("namespace", ""),
        name=named.get("name", ""),
    )
