"""The workloads of a stack: by the labels of their Pods, as Services select them, and by their ServiceAccounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from cluster_forge.foundation.untyped import mapping
from cluster_forge.graph.reference import Target
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.pods import TEMPLATES


class Workloads:
    """Those among ``manifests``."""

    def __init__(self, manifests: Sequence[Manifest]) -> None:
        self.all = [manifest for manifest in manifests if (manifest.id.group, manifest.id.kind) in TEMPLATES]
        self._by_label: defaultdict[tuple[str, str, str], list[Manifest]] = defaultdict(list)
        self._by_account: defaultdict[Target, list[Manifest]] = defaultdict(list)
        for manifest in self.all:
            for key, value in pod_labels(manifest).items():
                if isinstance(value, str):
                    self._by_label[manifest.id.namespace, key, value].append(manifest)
            account = mapping(_template(manifest).get("spec")).get("serviceAccountName")
            name = account if isinstance(account, str) and account else "default"
            self._by_account["", "ServiceAccount", manifest.id.namespace, name].append(manifest)

    def served_by(self, service: Manifest) -> Sequence[Manifest]:
        """The workloads whose Pods a Service selects; none for one without a selector."""
        selector = mapping(mapping(service.body.get("spec")).get("selector"))
        wanted = [(service.id.namespace, key, value) for key, value in selector.items() if isinstance(value, str)]
        if not wanted:
            return ()
        candidates = min((self._by_label.get(label, []) for label in wanted), key=len)
        return [one for one in candidates if selector.items() <= pod_labels(one).items()]

    def running_as(self, account: Target) -> Sequence[Manifest]:
        """The workloads whose Pods have a ServiceAccount."""
        return self._by_account.get(account, ())


def pod_labels(manifest: Manifest) -> Mapping[str, Any]:
    """The labels of a workload's Pods."""
    return mapping(mapping(_template(manifest).get("metadata")).get("labels"))


def _template(manifest: Manifest) -> Mapping[str, Any]:
    value: Mapping[str, Any] = manifest.body
    for step in TEMPLATES[manifest.id.group, manifest.id.kind]:
        value = mapping(value.get(step))
    return value
