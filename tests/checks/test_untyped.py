"""No check raises for an object whose values are of another type than they should be."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Final

import pytest
import yaml
from tests.checks.stack_objects import checked, service, workload

from cluster_forge.checks import registry
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.manifest import Manifest, Provenance

OTHERS: Final = (None, 1, "x", ["x"], [["x"]], [{"x": ["x"]}], {"x": "x"}, {"name": ["x"]})
OBJECTS: Final = list(
    yaml.safe_load_all("""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: nginx
        env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: a}}}]
        ports: [{name: http, containerPort: 80}]
        resources: {requests: {cpu: 100m}}
        livenessProbe: {httpGet: {path: /, port: http}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: web, namespace: shop}
rules: [{apiGroups: [""], resources: [secrets, pods], verbs: [create, update]}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: web}
webhooks:
- name: web.example.com
  clientConfig: {service: {name: web, namespace: shop, port: 80}}
  rules: [{apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"]}]
  namespaceSelector: {matchExpressions: [{key: a, operator: NotIn, values: [b]}]}
  sideEffects: None
  admissionReviewVersions: [v1]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: web}
spec: {policyName: web, validationActions: [Deny], matchResources: {resourceRules: [{apiGroups: [apps]}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: shop}
spec:
  parentRefs: [{name: gateway}]
  hostnames: [web.example.com]
  rules: [{matches: [{path: {type: PathPrefix, value: /}}], backendRefs: [{name: web, port: 80}]}]
""")
)


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Of each value within."""
    for step, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, step)
        yield from paths(item, (*path, step))


def changed(body: dict[str, Any], path: tuple[str | int, ...], value: Any) -> Manifest:
    body = copy.deepcopy(body)
    place: Any = body
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return Manifest.of(body, Provenance(component=ComponentName("web"), origin="web.yaml:1"))


@pytest.mark.parametrize("body", OBJECTS, ids=lambda body: body["kind"])
def test_no_check_raises(body: dict[str, Any]) -> None:
    """Beside others that are valid, and a Service without Pods, for which checks look at roles."""
    lost = service("lost", spec={"selector": {"app": "lost"}})
    valid = [workload(container={"ports": [{"name": "http", "containerPort": 80}]}), service(), lost]
    for path in paths({key: value for key, value in body.items() if key not in ("apiVersion", "kind", "metadata")}):
        for other in OTHERS:
            findings = registry.check_stack(checked(*valid, changed(body, path, copy.deepcopy(other))))
            assert [finding.message for finding in findings if finding.code == "check-failed"] == [], (path, other)
