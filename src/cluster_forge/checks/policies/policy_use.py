"""Policies as they are applied: each with where it is from, what becomes of an object that it refuses, and its parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.policies.admission_policy import AdmissionPolicy
from cluster_forge.checks.policies.admitted import Admitted
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.label_selector import labels_of, matches
from cluster_forge.manifests.manifest import Manifest

ADMISSION: Final = "admissionregistration.k8s.io"
KYVERNO: Final = "policies.kyverno.io"
POLICY: Final = "ValidatingAdmissionPolicy"
BINDING: Final = "ValidatingAdmissionPolicyBinding"
_SPARED: Final = frozenset(["kube-system", "kube-public", "kube-node-lease"])
"""Namespaces that Kyverno leaves alone unless its configuration says otherwise (``resourceFilters``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyUse:
    """``scope`` is what the binding selects; ``is_denying``: an object that fails is refused. ``parameters`` are the objects
    that ``params`` is in turn, None where the policy has no parameters. ``spared`` are namespaces that it is not about.
    """

    manifest: Manifest
    policy: AdmissionPolicy
    scope: Mapping[str, Any]
    is_denying: bool
    reference: Mapping[str, Any] | None = None
    namespace: str = ""
    spared: frozenset[str] = frozenset()

    def parameters(self, checked: CheckedStack, admitted: Admitted) -> Sequence[Mapping[str, Any]]:
        """The objects of the stack that are its parameters for an object; several, if a selector selects them."""
        reference, kind = self.reference or {}, self.policy.parameter_kind or ("", "")
        namespace = reference.get("namespace") or admitted.namespace
        return [
            manifest.body
            for manifest in checked.of_kind[kind]
            if manifest.id.namespace in ("", namespace) and _is_named(manifest, reference)
        ]


def _is_named(manifest: Manifest, reference: Mapping[str, Any]) -> bool:
    if isinstance(reference.get("name"), str):
        return bool(manifest.id.name == reference["name"])
    return matches(mapping(reference.get("selector")), labels_of(manifest.header.get("metadata")))


def of(checked: CheckedStack) -> Iterator[PolicyUse]:
    """The policies of the stack in CEL. One without a binding does nothing."""
    kinds = (POLICY, BINDING)
    yield from of_manifests([one for kind in kinds for one in checked.of_kind[ADMISSION, kind]])
    for kind in ("ValidatingPolicy", "NamespacedValidatingPolicy"):
        for manifest in checked.of_kind[KYVERNO, kind]:
            yield _of_kyverno(manifest, checked)


def of_manifests(manifests: Sequence[Manifest], *, is_bound: bool = False) -> Iterator[PolicyUse]:
    """ValidatingAdmissionPolicies as their bindings use them; ``is_bound``: one without a binding denies everywhere."""
    policies = {
        manifest.id.name: (manifest, AdmissionPolicy.of(mapping(manifest.body.get("spec"))))
        for manifest in manifests
        if manifest.id.kind == POLICY
    }
    bindings = [mapping(manifest.body.get("spec")) for manifest in manifests if manifest.id.kind == BINDING]
    named = {str(spec.get("policyName")) for spec in bindings}
    if is_bound:
        bindings += [{"policyName": name, "validationActions": ["Deny"]} for name in policies if name not in named]
    for spec in bindings:
        bound = policies.get(str(spec.get("policyName")))
        if bound:
            yield PolicyUse(
                manifest=bound[0],
                policy=bound[1],
                scope=mapping(spec.get("matchResources")),
                is_denying="Deny" in sequence(spec.get("validationActions")),
                reference=mapping(spec["paramRef"]) if "paramRef" in spec else None,
            )


def _of_kyverno(manifest: Manifest, checked: CheckedStack) -> PolicyUse:
    """Kyverno's policy in CEL, which is about the objects that its admission controller is asked about."""
    spec = mapping(manifest.body.get("spec"))
    return PolicyUse(
        manifest=manifest,
        policy=AdmissionPolicy.of(spec),
        scope={},
        is_denying="Deny" in sequence(spec.get("validationActions")),
        namespace=manifest.id.namespace,
        spared=spared_by_kyverno(checked),
    )


def spared_by_kyverno(checked: CheckedStack) -> frozenset[str]:
    """The namespaces that Kyverno leaves alone: those of the cluster itself, and its own."""
    own = {
        workload.namespace
        for workload in checked.workloads
        if workload.labels.get("app.kubernetes.io/part-of", "").startswith("kyverno")
    }
    return _SPARED | own
