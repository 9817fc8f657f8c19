"""What is asked of the objects of a whole stack, as they will be applied: the checks, the kinds, and the plug-ins that check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cluster_forge.catalog.name_index import NameIndex
from cluster_forge.checks import registry
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.graph.object_graph import ObjectGraph
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.part import Part
from cluster_forge.ports.progress import Reporter
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build.assembly import assembly_findings, own_checks, plugin_checks
from cluster_forge.stages.build.assembly.kept_findings import KeptFindings
from cluster_forge.stages.build.assembly.stack_namespaces import NAMESPACES
from cluster_forge.stages.toolbox import Toolbox


def findings(  # noqa: PLR0913 - what a stage has
    stack: Stack,
    parts: Sequence[Part],
    manifests: Mapping[str, Manifest],
    toolbox: Toolbox,
    reporter: Reporter,
    *,
    graph: ObjectGraph | None = None,
) -> Iterator[Finding]:
    """The findings about the objects of ``parts``; ``manifests`` are the same objects by their file, ``graph`` is theirs,
    where it is known already.

    Raises:
        DescriptionError, PluginError, ExceptionGroup: for each check of the workspace that cannot be read, and each plug-in that
            is missing or fails.
    """
    kept = KeptFindings(parts, manifests, stack.target.kubernetes.minor, toolbox.cache)
    checked = CheckedStack.of(stack, parts, manifests, graph, kept.find)
    # Of a namespace that no component brings, the objects that use it have the finding.
    accepted = [manifest for manifest in checked.manifests if manifest.provenance.component != NAMESPACES]
    yield from registry.check_acceptance(accepted, checked.scopes)
    yield from registry.check_providers(checked.manifests, stack.capabilities)
    yield from assembly_findings.unknown_kinds(checked.manifests, checked.scopes, stack.target.provides)
    yield from registry.check_stack(checked)
    kept.keep()
    yield from registry.check_own(checked, NameIndex().names())
    yield from own_checks.findings(checked, toolbox)
    yield from plugin_checks.findings(stack, parts, toolbox, reporter)
