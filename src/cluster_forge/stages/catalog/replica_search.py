"""A step of the search for values: more than one replica of what serves traffic, a disruption budget and a spread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cluster_forge.catalog import value_paths, value_probes
from cluster_forge.catalog.component_format import SizeName
from cluster_forge.checks.exemption import short_name
from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body, Manifest
from cluster_forge.manifests.pods import pod_of
from cluster_forge.stack.model import Size
from cluster_forge.stages.catalog.value_search import ValueSearch

_REPLICAS: Final[Mapping[SizeName, int]] = {"medium": 2, "large": 3}
_ON: Final = True


def scale(search: ValueSearch) -> None:
    """Find values for more replicas at medium and large."""
    numbered = value_probes.numbered(value_probes.replicas(search.all_values), lambda number: number)
    single = _objects_with(search, "replicas", search.objects())
    scaled: dict[Any, list[ObjectId]] = {}
    for manifest in search.probed(numbered):
        count = mapping(manifest.body.get("spec")).get("replicas")
        if manifest.id.kind in ("Deployment", "StatefulSet") and count in numbered:
            scaled.setdefault(count, []).append(manifest.id)
    for number, identities in scaled.items():
        path = numbered[number][0]
        if any(identity.kind == "StatefulSet" for identity in identities):
            names = ", ".join(map(short_name, identities))
            search.remarks.append(f"`{value_paths.dotted(path)}` scales {names}: check whether it can have replicas")
        elif single.intersection(identities):
            search.keep_for_sizes(path, _REPLICAS)
    if any(search.sizes.values()):
        _spread(search)
        _budget(search)


def _objects_with(search: ValueSearch, code: str, objects: tuple[Manifest, ...]) -> set[ObjectId]:
    return {finding.object for finding in search.findings(objects, code, Size.MEDIUM) if finding.object}


def _medium(search: ValueSearch) -> tuple[Manifest, ...]:
    return search.objects(search.sizes["medium"])


def _spread(search: ValueSearch) -> None:
    numbered = value_probes.numbered(value_probes.spreads(search.all_values), lambda number: [_constraint(number)])
    objects = search.probed(numbered, search.sizes["medium"])
    lacking = _objects_with(search, "spread", _medium(search))
    for manifest in objects:
        constraints = (pod_of(manifest.body) or {}).get("topologySpreadConstraints") or ()
        number = next((constraint.get("maxSkew") for constraint in constraints), 0)
        if number in numbered and manifest.id in lacking:
            spread = [_constraint(1) | {"labelSelector": _selector(manifest.body)}]
            search.keep_for_sizes(numbered[number][0], dict.fromkeys(_REPLICAS, spread))


def _budget(search: ValueSearch) -> None:
    """Switch on the chart's budgets; what is still without one gets one as an object of a wiring."""
    for path in value_probes.budgets(search.all_values):
        before = _objects_with(search, "disruption-budget", _medium(search))
        values = value_paths.nested(path, _ON)
        tried = search.tried(search.sizes["medium"], values) if before else None
        if tried is not None and len(_objects_with(search, "disruption-budget", tried)) < len(before):
            search.keep_for_sizes(path, dict.fromkeys(_REPLICAS, _ON))
    medium = _medium(search)
    lacking = _objects_with(search, "disruption-budget", medium)
    budgets = [
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": manifest.id.name, "namespace": "${namespace}"},
            "spec": {"maxUnavailable": 1, "selector": _selector(manifest.body)},
        }
        for manifest in medium
        if manifest.id in lacking
    ]
    if budgets:
        purpose = "One of it stays while a node is drained."
        search.wiring.append({"sizes": list(_REPLICAS), "purpose": purpose, "objects": budgets})


def _constraint(skew: int) -> dict[str, Any]:
    return {"maxSkew": skew, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}


def _selector(body: Body) -> dict[str, Any]:
    return {"matchLabels": dict((body["spec"].get("selector") or {}).get("matchLabels") or {})}
