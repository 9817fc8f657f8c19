"""The security of a stack for people, and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from cluster_forge.checks.security.overview import Holding, RunningPods, SecurityOverview
from cluster_forge.cli.output.columns import notes
from cluster_forge.cli.output.terminal_text import one_line
from cluster_forge.foundation.names import counted
from cluster_forge.manifests.manifest import Manifest


def lines(overview: SecurityOverview) -> Iterator[str]:
    """A paragraph for each question."""
    yield "Who may do what, worst first:"
    if not overview.holdings:
        yield "  no rights beyond a part of the cluster"
    for holding in overview.holdings:
        yield from _of_holding(holding)
    yield ""
    yield "What reaches the node:"
    if not overview.on_the_node:
        yield "  no Pod"
    for pods in overview.on_the_node:
        yield from _of_pods(pods)
    yield ""
    levels = ", ".join(f"{counted_ones} {level}" for level, counted_ones in overview.levels.items() if counted_ones)
    yield f"Pod Security levels of {counted(len(overview.pods), 'workload')}: {levels or 'none'}"
    yield f"Tokens that no role makes use of: {_summed(overview.tokens)}"
    yield f"Pods that no NetworkPolicy selects: {_summed(overview.open_ones)}"


def _of_holding(holding: Holding) -> Iterator[str]:
    where = f"in namespace {holding.namespace}" if holding.namespace else "in the whole cluster"
    yield "  " + one_line(f"{holding.subject}, {where}")
    yield from notes((f"may {', '.join(holding.rights)}", f"by {', '.join(holding.roles)}"))
    if holding.workloads:
        yield from notes((f"runs {', '.join(map(_named, holding.workloads))}",))


def _of_pods(pods: RunningPods) -> Iterator[str]:
    level = f"namespace enforces {pods.enforced}" if pods.enforced else "namespace names no level"
    yield "  " + one_line(f"{_named(pods.manifest)} ({level})")
    yield from notes((pods.beyond, f"images {', '.join(pods.images)}"))


def _named(manifest: Manifest) -> str:
    return f"{manifest.provenance.component}: {manifest.id}"


def _summed(manifests: Sequence[Manifest]) -> str:
    """How many workloads of which components: ``12 workloads (mimir 12, ...)``."""
    if not manifests:
        return "none"
    components = Counter(str(manifest.provenance.component) for manifest in manifests)
    listed = ", ".join(f"{name} {number}" for name, number in components.most_common())
    return f"{counted(len(manifests), 'workload')} ({listed})"


def json(overview: SecurityOverview) -> dict[str, Any]:
    """All of it; an object is named as in findings."""
    return {
        "rights": [
            {
                "kind": holding.subject.kind,
                "name": holding.subject.name,
                "namespace": holding.subject.namespace or None,
                "in": holding.namespace or None,
                "may": [right.value for right in holding.rights],
                "roles": list(holding.roles),
                "workloads": [_object(manifest) for manifest in holding.workloads],
            }
            for holding in overview.holdings
        ],
        "pods": [
            {
                **_object(pods.manifest),
                "images": list(pods.images),
                "level": pods.level.value,
                "enforced": pods.enforced.value if pods.enforced else None,
                "reaches_node": pods.beyond or None,
            }
            for pods in overview.pods
        ],
        "unused_tokens": [_object(manifest) for manifest in overview.tokens],
        "without_network_policy": [_object(manifest) for manifest in overview.open_ones],
    }


def _object(manifest: Manifest) -> dict[str, Any]:
    return {
        "component": str(manifest.provenance.component),
        "object": str(manifest.id),
        "where": manifest.provenance.origin,
    }
