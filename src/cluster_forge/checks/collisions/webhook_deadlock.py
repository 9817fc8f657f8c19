"""A webhook does not keep the Pods from starting that it needs to answer.

With ``failurePolicy: Fail`` the API server refuses what it cannot ask a webhook about. Where that includes the webhook's own
Pods or those of kube-system, a cluster whose Pods are all down does not start again (Kubernetes, "Admission Webhook Good
Practices", sections "Avoid self-mutating webhooks" and "Avoid dependency loops").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.foundation.untyped import mapping, sequence, texts
from cluster_forge.manifests import field_path, webhooks
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.label_selector import labels_of, matches
from cluster_forge.manifests.manifest import Manifest

CODE: Final = "webhook-deadlock"
_NAME: Final = "kubernetes.io/metadata.name"
_SYSTEM: Final = "kube-system"
_WRITING: Final = frozenset({"CREATE", "*"})


def findings(checked: CheckedStack) -> Iterator[Finding]:
    for kind in sorted(webhooks.CONFIGURATIONS):
        for configuration in checked.of_kind[kind]:
            for number, webhook in enumerate(map(mapping, sequence(configuration.body.get("webhooks")))):
                if held := _held(checked, webhook):
                    yield _finding(configuration, webhook, number, held)


def _held(checked: CheckedStack, webhook: Mapping[str, Any]) -> list[str]:
    """Whose Pods the webhook holds up, in words. A webhook with conditions in CEL may exempt them: nothing is said."""
    service = mapping(mapping(webhook.get("clientConfig")).get("service"))
    if not service or webhook.get("failurePolicy", "Fail") != "Fail" or webhook.get("matchConditions"):
        return []
    if not any(_asks_for_pods(mapping(rule)) for rule in sequence(webhook.get("rules"))):
        return []
    own = checked.serving((str(service.get("namespace")), str(service.get("name"))))
    held = []
    if own and any(_intercepts(checked, webhook, workload.namespace, workload.labels) for workload in own):
        held.append("its own Pods")
    if not mapping(webhook.get("objectSelector")) and _intercepts(checked, webhook, _SYSTEM, {}):
        held.append(f"all Pods of {_SYSTEM}")
    return held


def _asks_for_pods(rule: Mapping[str, Any]) -> bool:
    groups, resources, operations = (texts(rule.get(name)) for name in ("apiGroups", "resources", "operations"))
    is_pods = any(resource in ("pods", "*", "*/*") for resource in resources)
    return is_pods and any(group in ("", "*") for group in groups) and any(op in _WRITING for op in operations)


def _intercepts(checked: CheckedStack, webhook: Mapping[str, Any], namespace: str, labels: Mapping[str, str]) -> bool:
    selected = matches(mapping(webhook.get("namespaceSelector")), _namespace_labels(checked, namespace))
    return selected and matches(mapping(webhook.get("objectSelector")), labels)


def _namespace_labels(checked: CheckedStack, name: str) -> Mapping[str, str]:
    """The labels of a namespace; every one has its name as a label (KEP-2161)."""
    namespace = checked.inventory.by_id.get(("", "Namespace", "", name))
    return {**(labels_of(namespace.body.get("metadata")) if namespace else {}), _NAME: name}


def _finding(configuration: Manifest, webhook: Mapping[str, Any], number: int, held: list[str]) -> Finding:
    return report.warning(
        configuration,
        CODE,
        f"webhook {webhook.get('name')} is asked about {' and '.join(held)} (failurePolicy: Fail): "
        "once all Pods that answer it are gone, none of them starts again",
        fix="exclude these namespaces by its `namespaceSelector`, in a chart by its values "
        "(`key: kubernetes.io/metadata.name, operator: NotIn`), or set `failurePolicy: Ignore`",
        field=field_path.text(("webhooks", number)),
    )
