"""References to what is not in the stack are reported; to what is, will be or may be there they are not."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_forge.checks import registry
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.exemption import Exemption
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.stack.model import Stack
from cluster_forge.stack.operated_kind import OperatedKind

LABELS = {"app": "web"}
MONITORING, GATEWAYS, CERTIFICATES = "monitoring.coreos.com/v1", "gateway.networking.k8s.io/v1", "cert-manager.io/v1"


def resource(
    api: str, kind: str, spec: dict[str, Any], name: str = "web", namespace: str = "shop", **more: Any
) -> Manifest:
    labels = more.pop("labels", {})
    metadata = {"name": name, "labels": labels, **({"namespace": namespace} if namespace else {})}
    body = {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec, **more}
    return Manifest.of(body, Provenance(component=ComponentName("web"), origin="a.yaml"))


def service(name: str = "web", **spec: Any) -> Manifest:
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    return resource("v1", "Service", {"ports": ports, "selector": LABELS, **spec}, name, labels=LABELS)


def deployment(pod: dict[str, Any] | None = None, **container: Any) -> Manifest:
    ports = [{"name": "web", "containerPort": 8080}]
    containers = [{"name": "web", "image": "web:1", "ports": ports, **container}]
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": containers, **(pod or {})}}
    return resource("apps/v1", "Deployment", {"template": template})


def config(text: str) -> Manifest:
    return resource("v1", "ConfigMap", {}, "settings", data={"a": text})


def custom(kind: str, group: str, name: str = "db") -> Manifest:
    return resource(f"{group}/v1", kind, {}, name)


OPERATED = OperatedKind(
    group="example.org", kind="Database", services=("{name}-rw", "database-operated"), secrets=("{name}-app",)
)


def findings(*manifests: Manifest, **options: Any) -> list[Finding]:
    exemptions = options.pop("exemptions", {})
    manifests = (*manifests, *(definition(group, kind) for group, kind in KINDS))
    checked = CheckedStack(Stack(name="shop"), manifests, waves={}, operated=[OPERATED], is_closed=True, **options)
    findings = registry.check_references(checked, exemptions)
    return [finding for finding in findings if finding.code == "missing-reference"]


def definition(group: str, kind: str) -> Manifest:
    names = {"kind": kind, "plural": f"{kind.lower()}s"}
    scope = "Cluster" if kind.startswith("Cluster") else "Namespaced"
    spec = {
        "group": group,
        "names": names,
        "scope": scope,
        "versions": [{"name": "v1", "served": True, "storage": True}],
    }
    return resource("apiextensions.k8s.io/v1", "CustomResourceDefinition", spec, f"{kind.lower()}s.{group}", "")


KINDS = [
    ("cert-manager.io", "Issuer"),
    ("cert-manager.io", "ClusterIssuer"),
    ("external-secrets.io", "SecretStore"),
    ("external-secrets.io", "ClusterSecretStore"),
    ("gateway.networking.k8s.io", "Gateway"),
]
"""Custom kinds that every stack here defines."""


def problems(*manifests: Manifest, **options: Any) -> list[str]:
    """The messages of the findings about what is missing; the Services here mostly have no Pods."""
    return [finding.message for finding in findings(*manifests, **options)]


@pytest.mark.parametrize(
    "address",
    [
        "http://web.shop.svc",
        "http://web.shop.svc.cluster.local/path",
        "web.shop.svc.cluster.local:80",
        "web.shop.svc.cluster.local.",
        "redis://:$(PASSWORD)@web.shop.svc:80/0",
        "http://web-0.web.shop.svc:80",
        "https://kubernetes.default.svc",
        "kube-dns.kube-system.svc.cluster.local:53",
    ],
)
def test_an_address_of_a_service_is_not_reported(address: str) -> None:
    assert problems(service(), config(f"url: {address}\n")) == []


@pytest.mark.parametrize(
    "address",
    [
        "http://other.shop.svc",
        "http://web.other.svc.cluster.local",
        "https://web.shop.svc",
        "web.shop.svc:81",
        "redis://:$(PASSWORD)@other.shop.svc:6379/0",
        "http://pod-0.other.shop.svc:80",
    ],
)
def test_an_address_without_a_service_is_reported(address: str) -> None:
    (problem,) = problems(service(), config(f"url: {address}\n"))
    assert "no such Service" in problem or "the Service has no port" in problem


@pytest.mark.parametrize(
    "text",
    [
        "http://${name}.shop.svc",
        "{{ .Release.Name }}-web.other.svc",
        "*.other.shop.svc",
        "other.shop.svcs",
        "http://web.$(NAMESPACE).svc:99",
    ],
)
def test_text_that_is_not_an_address_is_not_reported(text: str) -> None:
    assert problems(config(text)) == []


def test_a_finding_names_the_object_and_the_ports_of_the_service() -> None:
    (finding,) = findings(service(), config("web.shop.svc:81"))
    assert (str(finding.object), finding.component) == ("ConfigMap/shop/settings", "web")
    assert finding.message == "web.shop.svc:81: the Service has no port 81, only 80"


def test_a_headless_service_has_the_ports_of_its_pods() -> None:
    headless = service(clusterIP="None")
    assert problems(headless, deployment(), config("web.shop.svc:8080")) == []
    assert problems(headless, config("web.shop.svc:8080")) == []  # its pods are created by another program
    assert problems(headless, deployment(), config("web.shop.svc:8081")) == [
        "web.shop.svc:8081: the Service has no port 8081, only 80"
    ]
    assert problems(service(), deployment(), config("web.shop.svc:8080")) == [
        "web.shop.svc:8080: the Service has no port 8080, only 80"
    ]


def test_an_external_name_service_may_have_any_port() -> None:
    assert problems(service(type="ExternalName", ports=[]), config("web.shop.svc:443")) == []


@pytest.mark.parametrize("address", ["db-rw.shop.svc:5432", "database-operated.shop.svc"])
def test_services_that_operators_create_are_not_reported(address: str) -> None:
    missing = [f"{address}: no such Service"]
    assert problems(custom("Database", "example.org"), config(address)) == []
    assert problems(custom("Database", "example.com"), config(address)) == missing
    other = address.replace(".shop.", ".other.")
    assert problems(custom("Database", "example.org"), config(other)) == [f"{other}: no such Service"]


def test_descriptions_and_names_in_certificates_are_not_reported() -> None:
    crd = resource(
        "apiextensions.k8s.io/v1", "CustomResourceDefinition", {"description": "http://a.b.svc"}, namespace=""
    )
    issuer = resource(CERTIFICATES, "Issuer", {}, "own")
    certificate = resource(CERTIFICATES, "Certificate", {"dnsNames": ["a.b.svc"], "issuerRef": {"name": "own"}})
    assert problems(crd, issuer, certificate) == []


WANTED: list[dict[str, Any]] = [
    {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "a"}}}]},
    {"envFrom": [{"secretRef": {"name": "keys"}}]},
]
VOLUMES: list[dict[str, Any]] = [
    {"name": "a", "secret": {"secretName": "keys"}},
    {"name": "a", "projected": {"sources": [{"secret": {"name": "keys"}}]}},
]


@pytest.mark.parametrize(
    "wanting",
    [*(deployment(**container) for container in WANTED), *(deployment({"volumes": [volume]}) for volume in VOLUMES)],
)
def test_a_secret_that_pods_want_is_in_the_stack_or_expected(wanting: Manifest) -> None:
    assert problems(wanting) == ["no such Secret: keys"]
    assert problems(wanting, secrets=[("shop", "keys")]) == []
    assert problems(wanting, secrets=[("other", "keys")]) == ["no such Secret: keys"]
    assert problems(wanting, resource("v1", "Secret", {}, "keys")) == []
    own = resource(CERTIFICATES, "Issuer", {}, "own")
    certificate = resource(CERTIFICATES, "Certificate", {"secretName": "keys", "issuerRef": {"name": "own"}})
    assert problems(wanting, own, certificate) == []
    assert problems(wanting, resource("external-secrets.io/v1", "ExternalSecret", {}, "keys")) == []
    target = resource("external-secrets.io/v1", "ExternalSecret", {"target": {"name": "keys"}}, "other")
    assert problems(wanting, target) == []


@pytest.mark.parametrize(
    "wanting",
    [
        deployment(env=[{"name": "A", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "a", "optional": True}}}]),
        deployment({"volumes": [{"name": "a", "secret": {"secretName": "keys", "optional": True}}]}),
        deployment({"imagePullSecrets": [{"name": "keys"}]}),
        deployment(
            env=[{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "keys", "key": "a", "optional": True}}}]
        ),
    ],
)
def test_an_optional_secret_is_not_reported(wanting: Manifest) -> None:
    assert problems(wanting) == []


def test_secrets_that_operators_create_are_not_reported() -> None:
    wanting = deployment(envFrom=[{"secretRef": {"name": "db-app"}}])
    assert problems(wanting, custom("Database", "example.org")) == []
    assert problems(wanting, custom("Database", "example.org", "other")) == ["no such Secret: db-app"]


@pytest.mark.parametrize(
    "wanting",
    [
        resource(GATEWAYS, "Gateway", {"listeners": [{"name": "a", "tls": {"certificateRefs": [{"name": "keys"}]}}]}),
        resource(CERTIFICATES, "Issuer", {"ca": {"secretName": "keys"}}),
        resource(
            "postgresql.cnpg.io/v1",
            "Cluster",
            {"backup": {"barmanObjectStore": {"s3Credentials": {"accessKeyId": {"name": "keys", "key": "a"}}}}},
        ),
        resource(
            "opentelemetry.io/v1beta1",
            "OpenTelemetryCollector",
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "a"}}}]},
        ),
    ],
    ids=lambda manifest: str(manifest.id.kind),
)
def test_a_secret_that_an_operator_wants_is_in_the_stack_or_expected(wanting: Manifest) -> None:
    assert problems(wanting) == ["no such Secret: keys"]
    assert problems(wanting, secrets=[("shop", "keys")]) == []


def route(parent: dict[str, Any] | None = None, backend: dict[str, Any] | None = None) -> Manifest:
    rules = [{"backendRefs": [{"name": "web", "port": 80, **(backend or {})}]}]
    parents = [{"name": "platform", "namespace": "gateways", **(parent or {})}]
    return resource(GATEWAYS, "HTTPRoute", {"parentRefs": parents, "rules": rules})


GATEWAY = resource(GATEWAYS, "Gateway", {"listeners": [{"name": "http"}]}, "platform", "gateways")


def test_a_route_from_a_gateway_to_a_service_is_not_reported() -> None:
    assert problems(GATEWAY, service(), route()) == []
    assert problems(GATEWAY, service(), route({"sectionName": "http"})) == []
    assert problems(GATEWAY, service(), route({"kind": "Service", "group": ""})) == []
    assert problems(GATEWAY, service(), route(backend={"kind": "Bucket", "group": "example.com", "name": "b"})) == []


@pytest.mark.parametrize(
    ("parent", "backend", "problem"),
    [
        ({"name": "other"}, {}, "no such Gateway: gateways/other"),
        ({"namespace": "shop"}, {}, "no such Gateway: shop/platform"),
        ({"sectionName": "https"}, {}, "the Gateway gateways/platform has no listener https"),
        ({}, {"name": "other"}, "backend shop/other: no such Service"),
        ({}, {"namespace": "other"}, "backend other/web: no such Service"),
        ({}, {"port": 8080}, "backend shop/web: the Service has no port 8080, only 80"),
    ],
)
def test_a_route_without_its_gateway_or_service_is_reported(
    parent: dict[str, Any], backend: dict[str, Any], problem: str
) -> None:
    assert problems(GATEWAY, service(), route(parent, backend)) == [problem]


def service_monitor(endpoint: dict[str, Any], **spec: Any) -> Manifest:
    return resource(
        MONITORING, "ServiceMonitor", {"selector": {"matchLabels": LABELS}, "endpoints": [endpoint], **spec}
    )


def test_a_service_monitor_with_a_service_is_not_reported() -> None:
    assert problems(service(), service_monitor({"port": "http"})) == []
    assert problems(service(), deployment(), service_monitor({"targetPort": "web"})) == []
    assert problems(service(), deployment(), service_monitor({"targetPort": 8080})) == []
    assert problems(service(), service_monitor({"targetPort": "web"})) == []  # the pods are created by another program
    there = service_monitor({"port": "http"}, namespaceSelector={"matchNames": ["shop", "other"]})
    assert problems(service(), there) == []


def test_a_service_monitor_without_a_service_or_port_is_reported() -> None:
    assert problems(service(), service_monitor({"port": "metrics"})) == ["no selected Service has a port metrics"]
    assert problems(service(), deployment(), service_monitor({"targetPort": "metrics"})) == [
        "no pod of the selected Services has a port metrics"
    ]
    assert problems(service_monitor({"port": "http"})) == ["selects no Service"]
    elsewhere = service_monitor({"port": "http"}, namespaceSelector={"matchNames": ["other"]})
    assert problems(service(), elsewhere) == ["selects no Service"]
    unlike = service_monitor({"port": "http"}, selector={"matchLabels": {**LABELS, "tier": "db"}})
    assert problems(service(), unlike) == ["selects no Service"]


@pytest.mark.parametrize(
    "monitor",
    [
        service_monitor({"port": "http"}, namespaceSelector={"any": True}),
        service_monitor({"port": "http"}, namespaceSelector={"matchNames": ["kube-system"]}),
    ],
)
def test_a_monitor_of_what_may_be_in_no_manifest_is_not_reported(monitor: Manifest) -> None:
    assert problems(monitor) == []


def test_a_monitor_of_what_an_operator_creates_is_not_reported() -> None:
    monitor = service_monitor({"port": "http"})
    assert problems(monitor, custom("Database", "example.org")) == []
    assert problems(monitor, custom("Database", "example.com")) == ["selects no Service"]


def pod_monitor(endpoint: dict[str, Any], **spec: Any) -> Manifest:
    selector = {"matchLabels": LABELS}
    return resource(MONITORING, "PodMonitor", {"selector": selector, "podMetricsEndpoints": [endpoint], **spec})


@pytest.mark.parametrize("endpoint", [{"port": "web"}, {"portNumber": 8080}, {"targetPort": 8080}, {}])
def test_a_pod_monitor_with_pods_is_not_reported(endpoint: dict[str, Any]) -> None:
    assert problems(deployment(), pod_monitor(endpoint)) == []
    job = {"jobTemplate": {"spec": {"template": deployment().body["spec"]["template"]}}}
    assert problems(resource("batch/v1", "CronJob", job), pod_monitor(endpoint)) == []


@pytest.mark.parametrize("endpoint", [{"port": "http"}, {"portNumber": 80}, {"targetPort": "http"}])
def test_a_pod_monitor_without_its_port_is_reported(endpoint: dict[str, Any]) -> None:
    assert problems(deployment(), pod_monitor(endpoint)) == [
        f"no selected pod has a port {next(iter(endpoint.values()))}"
    ]


def test_a_pod_monitor_without_pods_is_reported() -> None:
    assert problems(service(), pod_monitor({"port": "web"})) == ["selects no pods"]
    assert problems(pod_monitor({"port": "web"}), custom("Database", "example.org")) == []


@pytest.mark.parametrize(
    ("operator", "values", "is_found"),
    [
        ("In", ["web", "db"], True),
        ("In", ["db"], False),
        ("NotIn", ["db"], True),
        ("NotIn", ["web"], False),
        ("Exists", None, True),
        ("DoesNotExist", None, False),
    ],
)
def test_selectors_may_be_expressions(operator: str, values: list[str] | None, *, is_found: bool) -> None:
    expression = {"key": "app", "operator": operator, **({"values": values} if values else {})}
    monitor = pod_monitor({"port": "web"}, selector={"matchExpressions": [expression]})
    assert problems(deployment(), monitor) == ([] if is_found else ["selects no pods"])


@pytest.mark.parametrize(("kind", "namespace"), [("Issuer", "shop"), ("ClusterIssuer", "")])
def test_a_certificate_has_an_issuer(kind: str, namespace: str) -> None:
    certificate = resource(CERTIFICATES, "Certificate", {"secretName": "a", "issuerRef": {"name": "ca", "kind": kind}})
    assert problems(certificate, resource(CERTIFICATES, kind, {}, "ca", namespace)) == []
    assert problems(certificate, resource(CERTIFICATES, kind, {}, "ca", "other")) == [f"no such {kind}: ca"]
    foreign = {"secretName": "a", "issuerRef": {"name": "ca", "kind": kind, "group": "example.com"}}
    assert problems(resource(CERTIFICATES, "Certificate", foreign)) == []


@pytest.mark.parametrize(("kind", "namespace"), [("SecretStore", "shop"), ("ClusterSecretStore", "")])
def test_an_external_secret_has_a_store(kind: str, namespace: str) -> None:
    api = "external-secrets.io/v1"
    fetched = resource(api, "ExternalSecret", {"secretStoreRef": {"name": "vault", "kind": kind}})
    assert problems(fetched, resource(api, kind, {}, "vault", namespace)) == []
    assert problems(fetched, resource(api, kind, {}, "other", namespace)) == [f"no such {kind}: vault"]
    assert problems(resource(api, "ExternalSecret", {})) == []


CLAIM = {"storageClassName": "fast"}


@pytest.mark.parametrize(
    "claim",
    [
        resource("v1", "PersistentVolumeClaim", CLAIM),
        resource("apps/v1", "StatefulSet", {"volumeClaimTemplates": [{"metadata": {"name": "a"}, "spec": CLAIM}]}),
    ],
    ids=lambda manifest: str(manifest.id.kind),
)
def test_a_claim_names_a_storage_class_of_the_stack(claim: Manifest) -> None:
    api = "storage.k8s.io/v1"
    assert problems(claim, resource(api, "StorageClass", {}, "fast", "")) == []
    assert problems(claim, resource(api, "StorageClass", {}, "slow", "")) == ["no such StorageClass: fast"]
    assert problems(claim) == []  # the cluster has its own
    text = "kind: StorageClass\nmetadata:\n  name: {}\n"
    assert problems(claim, config(text.format("fast"))) == []
    assert problems(claim, config(text.format("slow"))) == ["no such StorageClass: fast"]


def test_a_claim_without_a_storage_class_is_not_reported() -> None:
    there = resource("storage.k8s.io/v1", "StorageClass", {}, "slow", "")
    for spec in ({}, {"storageClassName": ""}):
        assert problems(there, resource("v1", "PersistentVolumeClaim", spec)) == []


def calling(kind: str, **client: Any) -> Manifest:
    called = {"service": {"name": "web", "namespace": "shop", **client}}
    if kind == "APIService":
        return resource("apiregistration.k8s.io/v1", kind, called, namespace="")
    if kind == "CustomResourceDefinition":
        spec = {"conversion": {"strategy": "Webhook", "webhook": {"clientConfig": called}}}
        return resource("apiextensions.k8s.io/v1", kind, spec, namespace="")
    webhooks = [{"name": "a.example.com", "clientConfig": called}]
    return resource("admissionregistration.k8s.io/v1", kind, {}, namespace="", webhooks=webhooks)


@pytest.mark.parametrize(
    "kind",
    ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "CustomResourceDefinition", "APIService"],
)
def test_a_service_that_the_api_server_calls_is_in_the_stack(kind: str) -> None:
    https = service(ports=[{"name": "https", "port": 443}])
    called = "the API server calls Service"
    assert problems(https, calling(kind)) == []
    assert problems(service(), calling(kind, port=80)) == []
    assert problems(service(), calling(kind)) == [f"{called} shop/web: the Service has no port 443, only 80"]
    assert problems(https, calling(kind, name="other")) == [f"{called} shop/other: no such Service"]
    assert problems(https, calling(kind, namespace="other")) == [f"{called} other/web: no such Service"]


def test_webhooks_by_url_are_not_reported() -> None:
    by_url = [{"name": "a.example.com", "clientConfig": {"url": "https://example.com"}}]
    webhook = resource("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", {}, webhooks=by_url)
    assert problems(webhook, resource("apiregistration.k8s.io/v1", "APIService", {"group": "apps"}, namespace="")) == []


def test_an_exemption_accepts_its_component_code_and_objects_only() -> None:
    manifests = [config("other.shop.svc"), config("other.shop.svc:80")]

    def reported(component: str, code: str, objects: str) -> int:
        exemption = Exemption(code=code, objects=(objects,))
        return len(findings(*manifests, exemptions={component: [exemption]}))

    assert reported("web", "missing-reference", "ConfigMap/*") == 0
    assert reported("web", "missing-reference", "Secret/*") == 2
    assert reported("web", "plaintext-secret", "ConfigMap/*") == 2
    assert reported("other", "missing-reference", "ConfigMap/*") == 2
