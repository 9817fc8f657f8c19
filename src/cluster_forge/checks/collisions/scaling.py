"""One thing decides how many Pods a workload has.

Two autoscalers of one workload undo each other's decision; a number in the manifest undoes the autoscaler's with each sync
(Kubernetes, "Horizontal Pod Autoscaling", section "Migrating Deployments and StatefulSets to horizontal autoscaling").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

CODE: Final = "scaling-conflict"
AUTOSCALERS: Final = (("autoscaling", "HorizontalPodAutoscaler"), ("keda.sh", "ScaledObject"))
Target = tuple[str, str, str, str]
"""API group, kind, namespace and name of what is scaled."""
_BY_HAND: Final = ("autoscaling.keda.sh/paused-replicas", "autoscaling.keda.sh/paused")


def target_of(autoscaler: Manifest) -> Target | None:
    """What an autoscaler scales; KEDA's default is a Deployment."""
    reference = mapping(mapping(autoscaler.body.get("spec")).get("scaleTargetRef"))
    name = reference.get("name")
    if not isinstance(name, str) or not name:
        return None
    version, kind = str(reference.get("apiVersion") or ""), str(reference.get("kind") or "Deployment")
    group = version.rpartition("/")[0] if version else "apps"
    return group, kind, autoscaler.id.namespace, name


def findings(checked: CheckedStack) -> Iterator[Finding]:
    scaled: defaultdict[Target, list[Manifest]] = defaultdict(list)
    for group, kind in AUTOSCALERS:
        for autoscaler in checked.of_kind[group, kind]:
            if target := target_of(autoscaler):
                scaled[target].append(autoscaler)
    for target, (first, *others) in scaled.items():
        for other in others:
            yield report.warning(
                other,
                CODE,
                f"scales {target[1]} {target[3]}, and so does {first.id} of {first.provenance.component}: each undoes what the other does",
                fix="leave one of them out; one autoscaler can have several metrics or triggers",
                field="spec.scaleTargetRef",
            )
        workload = checked.inventory.by_id.get(target)
        if workload is not None:
            yield from _fixed(workload, first)


def _fixed(workload: Manifest, autoscaler: Manifest) -> Iterator[Finding]:
    replicas = mapping(workload.body.get("spec")).get("replicas")
    if not isinstance(replicas, int) or _is_fixed(autoscaler.body, replicas):
        return
    yield report.warning(
        workload,
        CODE,
        f"has `replicas: {replicas}`, and {autoscaler.id} scales it: each sync takes it back to {replicas}",
        fix="leave `replicas` out, which most charts do if autoscaling is switched on in their values",
        field="spec.replicas",
    )


def _is_fixed(autoscaler: Mapping[str, Any], replicas: int) -> bool:
    """Whether the autoscaler has no choice: its bounds are the workload's own number, or it is paused."""
    spec = mapping(autoscaler.get("spec"))
    least, most = (spec.get(name) for name in ("minReplicas", "maxReplicas"))
    annotations = mapping(mapping(autoscaler.get("metadata")).get("annotations"))
    return (least, most) == (replicas, replicas) or any(name in annotations for name in _BY_HAND)
