"""What selects Pods selects some: a Service without Pods answers nothing, a budget or a NetworkPolicy without Pods protects
nothing.

A Service without a selector, or with Endpoints of its own, is filled by others. Nothing is said where operators or the cluster
make Pods that no manifest has, or where a label is one that controllers add.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.inventory import spec_of
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

CODE: Final = "selects-nothing"
_OF_CONTROLLERS: Final = frozenset(
    {
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "job-name",
        "batch.kubernetes.io/job-name",
        "controller-uid",
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-completion-index",
        "controller-revision-hash",
        "pod-template-hash",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
        "leaderworkerset.sigs.k8s.io/name",
    }
)
"""Labels that controllers add to Pods."""
_PROTECTING: Final = {
    ("policy", "PodDisruptionBudget"): "selector",
    ("networking.k8s.io", "NetworkPolicy"): "podSelector",
}
"""What protects Pods, and the field with its selector."""
_SLICES: Final = ("discovery.k8s.io", "EndpointSlice")


def findings(checked: CheckedStack) -> Iterator[Finding]:
    filled = {(one.id.namespace, one.id.name) for one in checked.of_kind["", "Endpoints"]}
    filled |= {(one.id.namespace, _service_of(one)) for one in checked.of_kind[_SLICES]}
    for service in checked.of_kind["", "Service"]:
        spec = spec_of(service)
        selector = mapping(spec.get("selector"))
        if selector and spec.get("type") != "ExternalName" and (service.id.namespace, service.id.name) not in filled:
            yield from _nothing(checked, service, {"matchLabels": selector}, "it has no endpoints")
    for (group, kind), field in _PROTECTING.items():
        for manifest in checked.of_kind[group, kind]:
            selector = mapping(spec_of(manifest).get(field))
            if selector:
                yield from _nothing(checked, manifest, selector, "it protects nothing", field=f"spec.{field}")


def _nothing(
    checked: CheckedStack, manifest: Manifest, selector: Mapping[str, Any], effect: str, *, field: str = "spec.selector"
) -> Iterator[Finding]:
    namespace = manifest.id.namespace
    names = {*mapping(selector.get("matchLabels")), *_keys(selector)}
    if names & _OF_CONTROLLERS or checked.presence.has_foreign_pods(namespace):
        return
    if not checked.presence.knows(namespace, manifest):
        return
    if any(checked.presence.may_have_label(namespace, name, manifest) for name in names):
        return
    if checked.selected_in(namespace, selector):
        return
    yield report.warning(
        manifest,
        CODE,
        f"its selector ({_shown(selector)}) matches no Pod of the stack in namespace {namespace}: {effect}",
        fix="write the labels of the Pods that are meant, or leave it out by the values of its chart",
        field=field,
    )


def _keys(selector: Mapping[str, Any]) -> Iterator[str]:
    for expression in map(mapping, sequence(selector.get("matchExpressions"))):
        if isinstance(key := expression.get("key"), str):
            yield key


def _shown(selector: Mapping[str, Any]) -> str:
    labels = [f"{name}={value}" for name, value in mapping(selector.get("matchLabels")).items()]
    return ", ".join([*labels, *_keys(selector)])


def _service_of(endpoints: Manifest) -> str:
    labels = mapping(mapping(endpoints.header.get("metadata")).get("labels"))
    return str(labels.get("kubernetes.io/service-name"))
