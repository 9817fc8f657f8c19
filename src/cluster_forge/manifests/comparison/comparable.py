"""An object as it is compared: without what a server, a controller or an engine writes into it.

Left out are the fields of `server_fields`, the marks by which Argo CD, Flux and an ApplySet (KEP-3659) know their objects,
the CA bundles that controllers fill in (cert-manager's cainjector and others), and the replicas that an autoscaler sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cluster_forge.manifests import server_fields
from cluster_forge.manifests.identity import group_of
from cluster_forge.manifests.manifest import Body

_MARKS: Final = frozenset(
    {
        "argocd.argoproj.io/tracking-id",
        "applyset.kubernetes.io/part-of",
        "kustomize.toolkit.fluxcd.io/name",
        "kustomize.toolkit.fluxcd.io/namespace",
        "deprecated.daemonset.template.generation",
    }
)
_WITH_CA_BUNDLE: Final = frozenset(
    {
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("apiregistration.k8s.io", "APIService"),
    }
)
_CA_BUNDLE: Final = "caBundle"
_AUTOSCALER: Final = ("kube-controller-manager", "scale")
"""Manager and subresource by which the controller of HorizontalPodAutoscalers sets ``spec.replicas``."""


def of(body: Body) -> Body:
    """``body``, which has metadata, without these fields."""
    kept = server_fields.without(body).body
    metadata = {key: _without_marks(value) if key in _MARKED else value for key, value in kept["metadata"].items()}
    metadata = {key: value for key, value in metadata.items() if value or key not in _MARKED}
    changed = {**kept, "metadata": metadata}
    if (group_of(body["apiVersion"]), body["kind"]) in _WITH_CA_BUNDLE:
        changed = {key: value if key == "metadata" else _without_ca_bundle(value) for key, value in changed.items()}
    return changed


def autoscaled(live: Body, applied: Body) -> Body:
    """``applied`` with the replicas that it has in the cluster (``live``), if an autoscaler sets them."""
    spec, present = applied.get("spec"), live.get("spec")
    if not isinstance(spec, Mapping) or not isinstance(present, Mapping) or "replicas" not in present:
        return applied
    entries = live["metadata"].get("managedFields") or ()
    if not any(map(_is_autoscaler, entries)):
        return applied
    return {**applied, "spec": {**spec, "replicas": present["replicas"]}}


def is_manual(entry: Mapping[str, Any]) -> bool:
    """Whether the fields of an entry of ``managedFields`` count as changed: not a status, nor what an autoscaler sets."""
    return entry.get("subresource") in (None, "", "scale") and not _is_autoscaler(entry)


def _is_autoscaler(entry: Mapping[str, Any]) -> bool:
    return (entry.get("manager"), entry.get("subresource")) == _AUTOSCALER


_MARKED: Final = ("labels", "annotations")


def _without_marks(values: Any) -> Any:
    return {key: value for key, value in values.items() if key not in _MARKS} if isinstance(values, Mapping) else values


def _without_ca_bundle(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: member if key == "properties" else _without_ca_bundle(member)  # of a schema, by the names of fields
            for key, member in value.items()
            if key != _CA_BUNDLE
        }
    return [_without_ca_bundle(item) for item in value] if isinstance(value, list) else value
