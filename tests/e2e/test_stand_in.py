"""Webhooks are answered, aggregated APIs available, conversions done and custom resources get a status, though no Pod runs."""

from __future__ import annotations

import subprocess

import pytest
import yaml
from tests.e2e.cluster import Cluster
from tests.e2e.polling import until
from tests.e2e.stand_in.webhooks import Webhooks

pytestmark = pytest.mark.e2e
HOOKED = """
apiVersion: v1
kind: Service
metadata: {name: gate, namespace: default}
spec: {selector: {app: gate}, ports: [{name: https, port: 443}, {name: api, port: 8443}]}
---
apiVersion: v1
kind: Pod
metadata: {name: gate, namespace: default, labels: {app: gate}}
spec: {containers: [{name: gate, image: "registry.invalid/gate:1", ports: [{containerPort: 443}, {containerPort: 8443}]}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: gate}
webhooks:
- name: gate.shop.test
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  clientConfig: {service: {name: gate, namespace: default, path: /secrets}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [secrets]}]
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.metrics.shop.test}
spec:
  group: metrics.shop.test
  version: v1
  groupPriorityMinimum: 100
  versionPriority: 100
  service: {name: gate, namespace: default, port: 8443}
"""
ISSUERS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: issuers.cert-manager.io}
spec:
  group: cert-manager.io
  scope: Namespaced
  names: {kind: Issuer, plural: issuers, singular: issuer, listKind: IssuerList}
  conversion: {strategy: Webhook, webhook: {conversionReviewVersions: [v1], clientConfig: {service: {name: gate, namespace: default}}}}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema: &schema
      openAPIV3Schema:
        type: object
        x-kubernetes-preserve-unknown-fields: true
        properties:
          status:
            type: object
            x-kubernetes-preserve-unknown-fields: true
            default: {conditions: [{type: Ready, status: Unknown, reason: Pending}]}
  - {name: v1beta1, served: true, storage: false, subresources: {status: {}}, schema: *schema}
"""
ROUTES = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: httproutes.gateway.networking.k8s.io
  annotations: {api-approved.kubernetes.io: "unapproved, experimental-only"}
spec:
  group: gateway.networking.k8s.io
  scope: Namespaced
  names: {kind: HTTPRoute, plural: httproutes, singular: httproute, listKind: HTTPRouteList}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""
ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: default}
spec: {parentRefs: [{name: front}, {name: back}]}
"""
ISSUER = """
apiVersion: cert-manager.io/v1beta1
kind: Issuer
metadata: {name: self, namespace: default}
spec: {selfSigned: {}}
"""


def create_secret(cluster: Cluster) -> str:
    """What the server says to a new Secret."""
    done = subprocess.run(
        ["kubectl", f"--kubeconfig={cluster.kubeconfig}", "create", "secret", "generic", "s", "--dry-run=server"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_a_webhook_allows_or_refuses_as_the_test_says(own_cluster: Cluster, stand_in: Webhooks) -> None:
    own_cluster.kubectl("apply", "-f", "-", given=HOOKED)
    until(lambda: "created" in create_secret(own_cluster), "the webhook answers")
    assert stand_in.asked["AdmissionReview"] >= 1
    stand_in.refusals["/secrets"] = "no Secrets on Sundays"
    assert "no Secrets on Sundays" in create_secret(own_cluster)


def test_an_aggregated_api_is_available(own_cluster: Cluster, stand_in: Webhooks) -> None:
    own_cluster.kubectl("apply", "-f", "-", given=HOOKED)
    own_cluster.kubectl("wait", "--for=condition=Available", "apiservice/v1.metrics.shop.test", "--timeout=120s")


def test_custom_resources_are_converted_and_get_a_status(own_cluster: Cluster, stand_in: Webhooks) -> None:
    own_cluster.kubectl("apply", "-f", "-", given=HOOKED + "---" + ISSUERS)
    own_cluster.kubectl("wait", "--for=condition=Established", "crd/issuers.cert-manager.io", "--timeout=120s")

    def is_taken() -> bool:
        try:
            return bool(own_cluster.kubectl("apply", "-f", "-", given=ISSUER))
        except subprocess.CalledProcessError:
            return False

    until(is_taken, "the Issuer is taken, in a version that is converted")
    own_cluster.kubectl("wait", "--for=condition=Ready", "issuers.v1.cert-manager.io/self", "--timeout=120s")
    assert stand_in.asked["ConversionReview"] >= 1


def test_a_route_is_accepted_by_each_gateway_that_it_names(own_cluster: Cluster, stand_in: Webhooks) -> None:
    own_cluster.kubectl("apply", "-f", "-", given=ROUTES)
    own_cluster.kubectl("wait", "--for=condition=Established", f"crd/{yaml.safe_load(ROUTES)['metadata']['name']}")
    own_cluster.kubectl("apply", "-f", "-", given=ROUTE)

    def accepted() -> list[str]:
        parents = own_cluster.get("/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes/shop").get(
            "status", {}
        )
        return [
            parent["parentRef"]["name"]
            for parent in parents.get("parents", ())
            for condition in parent["conditions"]
            if (condition["type"], condition["status"]) == ("Accepted", "True")
        ]

    until(lambda: accepted() == ["front", "back"], "both gateways have accepted the route")
