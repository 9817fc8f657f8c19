"""Which Pods a NetworkPolicy selects: all others take traffic from everywhere, and may send it anywhere.

Source: kubernetes.io/docs/concepts/services-networking/network-policies. Policies of network plug-ins (Cilium, Calico) of the
same namespace count, too, as selecting all of its Pods. Most charts have no policy, so this is part of the security page and
not a finding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.inventory import LabelIndex
from cluster_forge.checks.security.pod_template import PodTemplate
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.manifest import Manifest

_OF_PLUG_INS: Final = (
    ("cilium.io", "CiliumNetworkPolicy"),
    ("crd.projectcalico.org", "NetworkPolicy"),
    ("projectcalico.org", "NetworkPolicy"),
)
_FOR_ALL: Final = (
    ("cilium.io", "CiliumClusterwideNetworkPolicy"),
    ("crd.projectcalico.org", "GlobalNetworkPolicy"),
    ("projectcalico.org", "GlobalNetworkPolicy"),
    ("policy.networking.k8s.io", "AdminNetworkPolicy"),
    ("policy.networking.k8s.io", "BaselineAdminNetworkPolicy"),
    ("policy.networking.k8s.io", "ClusterNetworkPolicy"),
)


def unselected(checked: CheckedStack) -> list[Manifest]:
    """The workloads whose Pods no policy for incoming traffic selects; Pods on the node's network cannot be selected."""
    if any(checked.of_kind.get(kind) for kind in _FOR_ALL):
        return []
    guarded = {policy.id.namespace for kind in _OF_PLUG_INS for policy in checked.of_kind.get(kind, ())}
    selectors = _selectors(checked)
    return [
        manifest
        for manifest in checked.manifests
        if manifest.id.namespace not in guarded
        and any(
            not pod.spec.get("hostNetwork")
            and not any(_selects(selector, pod) for selector in selectors.get(manifest.id.namespace, ()))
            for pod in PodTemplate.of(manifest)
        )
    ]


def _selectors(checked: CheckedStack) -> Mapping[str, list[Mapping[str, object]]]:
    """The Pod selectors of the policies of each namespace that are for incoming traffic."""
    selectors: defaultdict[str, list[Mapping[str, object]]] = defaultdict(list)
    for policy in checked.of_kind.get(("networking.k8s.io", "NetworkPolicy"), ()):
        spec = mapping(policy.body.get("spec"))
        types = sequence(spec.get("policyTypes"))
        if not types or "Ingress" in types:
            selectors[policy.id.namespace].append(mapping(spec.get("podSelector")))
    return selectors


def _selects(selector: Mapping[str, object], pod: PodTemplate) -> bool:
    return bool(LabelIndex([(pod.labels, pod)]).selected(selector))
