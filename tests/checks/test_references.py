"""What leads nowhere: each rule finds its fault, and leaves alone what is there, will be there or may be there."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_forge.catalog.component_format import Exemption
from cluster_forge.checks import references
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.manifest import Manifest, Provenance

LABELS = {"app": "web"}
MONITORING, GATEWAYS, CERTIFICATES = "monitoring.coreos.com/v1", "gateway.networking.k8s.io/v1", "cert-manager.io/v1"


def made(
    api: str, kind: str, spec: dict[str, Any], name: str = "web", namespace: str = "shop", **more: Any
) -> Manifest:
    labels = more.pop("labels", {})
    metadata = {"name": name, "labels": labels, **({"namespace": namespace} if namespace else {})}
    body = {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec, **more}
    return Manifest.of(body, Provenance(component=ComponentName("web"), origin="a.yaml"))


def service(name: str = "web", **spec: Any) -> Manifest:
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    return made("v1", "Service", {"ports": ports, "selector": LABELS, **spec}, name, labels=LABELS)


def deployment(pod: dict[str, Any] | None = None, **container: Any) -> Manifest:
    ports = [{"name": "web", "containerPort": 8080}]
    containers = [{"name": "web", "image": "web:1", "ports": ports, **container}]
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": containers, **(pod or {})}}
    return made("apps/v1", "Deployment", {"template": template})


def config(text: str) -> Manifest:
    return made("v1", "ConfigMap", {}, "settings", data={"a": text})


def custom(kind: str, group: str, name: str = "db") -> Manifest:
    return made(f"{group}/v1", kind, {}, name)


def broken(*manifests: Manifest, **options: Any) -> list[str]:
    return [each.rule for each in references.breaches(manifests, **options)]


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
def test_an_address_leads_to_a_service(address: str) -> None:
    assert broken(service(), config(f"url: {address}\n")) == []


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
def test_an_address_leads_nowhere(address: str) -> None:
    assert broken(service(), config(f"url: {address}\n")) == ["address"]


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
def test_what_is_no_address_is_left_alone(text: str) -> None:
    assert broken(config(text)) == []


def test_a_breach_names_the_object_and_says_which_ports_there_are() -> None:
    (breach,) = references.breaches([service(), config("web.shop.svc:81")])
    assert breach.object == "ConfigMap/shop/settings"
    assert breach.message == "web.shop.svc:81: its Service has no port 81, only 80"


def test_a_headless_service_leads_to_the_ports_of_its_pods() -> None:
    headless = service(clusterIP="None")
    assert broken(headless, deployment(), config("web.shop.svc:8080")) == []
    assert broken(headless, config("web.shop.svc:8080")) == []  # somebody else makes its pods
    assert broken(headless, deployment(), config("web.shop.svc:8081")) == ["address"]
    assert broken(service(), deployment(), config("web.shop.svc:8080")) == ["address"]


def test_a_service_of_another_name_may_have_any_port() -> None:
    assert broken(service(type="ExternalName", ports=[]), config("web.shop.svc:443")) == []


@pytest.mark.parametrize(
    ("kind", "group", "address"),
    [
        ("Cluster", "postgresql.cnpg.io", "db-rw.shop.svc:5432"),
        ("Prometheus", "monitoring.coreos.com", "prometheus-operated.shop.svc:9090"),
        ("Alertmanager", "monitoring.coreos.com", "alertmanager-operated.shop.svc:9093"),
        ("Tenant", "minio.min.io", "minio.shop.svc"),
        ("OpenTelemetryCollector", "opentelemetry.io", "db-collector.shop.svc:4317"),
    ],
)
def test_operators_make_services_of_their_objects(kind: str, group: str, address: str) -> None:
    assert broken(custom(kind, group), config(address)) == []
    assert broken(custom(kind, "example.com"), config(address)) == ["address"]
    assert broken(custom(kind, group), config(address.replace(".shop.", ".other."))) == ["address"]


def test_descriptions_and_names_in_certificates_are_no_addresses() -> None:
    crd = made("apiextensions.k8s.io/v1", "CustomResourceDefinition", {"description": "http://a.b.svc"}, namespace="")
    issuer = made(CERTIFICATES, "Issuer", {}, "own")
    certificate = made(CERTIFICATES, "Certificate", {"dnsNames": ["a.b.svc"], "issuerRef": {"name": "own"}})
    assert broken(crd, issuer, certificate) == []


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
    [*(deployment(**each) for each in WANTED), *(deployment({"volumes": [each]}) for each in VOLUMES)],
)
def test_a_secret_that_pods_want_is_made_or_expected(wanting: Manifest) -> None:
    assert broken(wanting) == ["secret"]
    assert broken(wanting, secrets=[("shop", "keys")]) == []
    assert broken(wanting, secrets=[("other", "keys")]) == ["secret"]
    assert broken(wanting, made("v1", "Secret", {}, "keys")) == []
    own = made(CERTIFICATES, "Issuer", {}, "own")
    certificate = made(CERTIFICATES, "Certificate", {"secretName": "keys", "issuerRef": {"name": "own"}})
    assert broken(wanting, own, certificate) == []
    assert broken(wanting, made("external-secrets.io/v1", "ExternalSecret", {}, "keys")) == []
    target = made("external-secrets.io/v1", "ExternalSecret", {"target": {"name": "keys"}}, "other")
    assert broken(wanting, target) == []


@pytest.mark.parametrize(
    "wanting",
    [
        deployment(env=[{"name": "A", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "a", "optional": True}}}]),
        deployment({"volumes": [{"name": "a", "secret": {"secretName": "keys", "optional": True}}]}),
        deployment({"imagePullSecrets": [{"name": "keys"}]}),
        deployment(env=[{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "keys", "key": "a"}}}]),
    ],
)
def test_a_secret_that_may_be_missing_is_left_alone(wanting: Manifest) -> None:
    assert broken(wanting) == []


def test_an_operator_makes_the_secrets_of_a_database() -> None:
    wanting = deployment(envFrom=[{"secretRef": {"name": "db-app"}}])
    assert broken(wanting, custom("Cluster", "postgresql.cnpg.io")) == []
    assert broken(wanting, custom("Cluster", "postgresql.cnpg.io", "other")) == ["secret"]


@pytest.mark.parametrize(
    "wanting",
    [
        made(GATEWAYS, "Gateway", {"listeners": [{"name": "a", "tls": {"certificateRefs": [{"name": "keys"}]}}]}),
        made(CERTIFICATES, "Issuer", {"ca": {"secretName": "keys"}}),
        made(
            "postgresql.cnpg.io/v1",
            "Cluster",
            {"backup": {"barmanObjectStore": {"s3Credentials": {"accessKeyId": {"name": "keys", "key": "a"}}}}},
        ),
        made(
            "opentelemetry.io/v1beta1",
            "OpenTelemetryCollector",
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "a"}}}]},
        ),
    ],
    ids=lambda manifest: str(manifest.id.kind),
)
def test_a_secret_that_an_operator_wants_is_made_or_expected(wanting: Manifest) -> None:
    assert broken(wanting) == ["secret"]
    assert broken(wanting, secrets=[("shop", "keys")]) == []


def route(parent: dict[str, Any] | None = None, backend: dict[str, Any] | None = None) -> Manifest:
    rules = [{"backendRefs": [{"name": "web", "port": 80, **(backend or {})}]}]
    parents = [{"name": "platform", "namespace": "gateways", **(parent or {})}]
    return made(GATEWAYS, "HTTPRoute", {"parentRefs": parents, "rules": rules})


GATEWAY = made(GATEWAYS, "Gateway", {"listeners": [{"name": "http"}]}, "platform", "gateways")


def test_a_route_goes_from_a_gateway_to_a_service() -> None:
    assert broken(GATEWAY, service(), route()) == []
    assert broken(GATEWAY, service(), route({"sectionName": "http"})) == []
    assert broken(GATEWAY, service(), route({"kind": "Service", "group": ""})) == []
    assert broken(GATEWAY, service(), route(backend={"kind": "Bucket", "group": "example.com", "name": "b"})) == []


@pytest.mark.parametrize(
    ("parent", "backend", "rule"),
    [
        ({"name": "other"}, {}, "parent"),
        ({"namespace": "shop"}, {}, "parent"),
        ({"sectionName": "https"}, {}, "parent"),
        ({}, {"name": "other"}, "backend"),
        ({}, {"namespace": "other"}, "backend"),
        ({}, {"port": 8080}, "backend"),
    ],
)
def test_a_route_leads_nowhere(parent: dict[str, Any], backend: dict[str, Any], rule: str) -> None:
    assert broken(GATEWAY, service(), route(parent, backend)) == [rule]


def service_monitor(endpoint: dict[str, Any], **spec: Any) -> Manifest:
    return made(MONITORING, "ServiceMonitor", {"selector": {"matchLabels": LABELS}, "endpoints": [endpoint], **spec})


def test_a_service_monitor_finds_a_service_with_its_port() -> None:
    assert broken(service(), service_monitor({"port": "http"})) == []
    assert broken(service(), deployment(), service_monitor({"targetPort": "web"})) == []
    assert broken(service(), deployment(), service_monitor({"targetPort": 8080})) == []
    assert broken(service(), service_monitor({"targetPort": "web"})) == []  # somebody else makes the pods
    there = service_monitor({"port": "http"}, namespaceSelector={"matchNames": ["shop", "other"]})
    assert broken(service(), there) == []


def test_a_service_monitor_finds_nothing() -> None:
    assert broken(service(), service_monitor({"port": "metrics"})) == ["service-monitor"]
    assert broken(service(), deployment(), service_monitor({"targetPort": "metrics"})) == ["service-monitor"]
    assert broken(service_monitor({"port": "http"})) == ["service-monitor"]
    elsewhere = service_monitor({"port": "http"}, namespaceSelector={"matchNames": ["other"]})
    assert broken(service(), elsewhere) == ["service-monitor"]
    unlike = service_monitor({"port": "http"}, selector={"matchLabels": {**LABELS, "tier": "db"}})
    assert broken(service(), unlike) == ["service-monitor"]


@pytest.mark.parametrize(
    "monitor",
    [
        service_monitor({"port": "http"}, namespaceSelector={"any": True}),
        service_monitor({"port": "http"}, namespaceSelector={"matchNames": ["kube-system"]}),
    ],
)
def test_a_monitor_of_what_stands_in_no_manifest_is_left_alone(monitor: Manifest) -> None:
    assert broken(monitor) == []


def test_a_monitor_of_what_an_operator_makes_is_left_alone() -> None:
    monitor = service_monitor({"port": "http"})
    assert broken(monitor, custom("Tenant", "minio.min.io")) == []
    assert broken(monitor, custom("Tenant", "example.com")) == ["service-monitor"]


def pod_monitor(endpoint: dict[str, Any], **spec: Any) -> Manifest:
    selector = {"matchLabels": LABELS}
    return made(MONITORING, "PodMonitor", {"selector": selector, "podMetricsEndpoints": [endpoint], **spec})


@pytest.mark.parametrize("endpoint", [{"port": "web"}, {"portNumber": 8080}, {"targetPort": 8080}, {}])
def test_a_pod_monitor_finds_pods_with_its_port(endpoint: dict[str, Any]) -> None:
    assert broken(deployment(), pod_monitor(endpoint)) == []
    job = {"jobTemplate": {"spec": {"template": deployment().body["spec"]["template"]}}}
    assert broken(made("batch/v1", "CronJob", job), pod_monitor(endpoint)) == []


@pytest.mark.parametrize("endpoint", [{"port": "http"}, {"portNumber": 80}, {"targetPort": "http"}])
def test_a_pod_monitor_finds_no_such_port(endpoint: dict[str, Any]) -> None:
    assert broken(deployment(), pod_monitor(endpoint)) == ["pod-monitor"]


def test_a_pod_monitor_finds_no_pods() -> None:
    assert broken(service(), pod_monitor({"port": "web"})) == ["pod-monitor"]
    assert broken(pod_monitor({"port": "web"}), custom("Cluster", "postgresql.cnpg.io")) == []


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
    assert broken(deployment(), monitor) == ([] if is_found else ["pod-monitor"])


@pytest.mark.parametrize(("kind", "namespace"), [("Issuer", "shop"), ("ClusterIssuer", "")])
def test_a_certificate_has_an_issuer(kind: str, namespace: str) -> None:
    certificate = made(CERTIFICATES, "Certificate", {"secretName": "a", "issuerRef": {"name": "ca", "kind": kind}})
    assert broken(certificate, made(CERTIFICATES, kind, {}, "ca", namespace)) == []
    assert broken(certificate, made(CERTIFICATES, kind, {}, "ca", "other")) == ["issuer"]
    foreign = {"secretName": "a", "issuerRef": {"name": "ca", "kind": kind, "group": "example.com"}}
    assert broken(made(CERTIFICATES, "Certificate", foreign)) == []


@pytest.mark.parametrize(("kind", "namespace"), [("SecretStore", "shop"), ("ClusterSecretStore", "")])
def test_an_external_secret_has_a_store(kind: str, namespace: str) -> None:
    api = "external-secrets.io/v1"
    fetched = made(api, "ExternalSecret", {"secretStoreRef": {"name": "vault", "kind": kind}})
    assert broken(fetched, made(api, kind, {}, "vault", namespace)) == []
    assert broken(fetched, made(api, kind, {}, "other", namespace)) == ["secret-store"]
    assert broken(made(api, "ExternalSecret", {})) == []


CLAIM = {"storageClassName": "fast"}


@pytest.mark.parametrize(
    "claim",
    [
        made("v1", "PersistentVolumeClaim", CLAIM),
        made("apps/v1", "StatefulSet", {"volumeClaimTemplates": [{"metadata": {"name": "a"}, "spec": CLAIM}]}),
    ],
    ids=lambda manifest: str(manifest.id.kind),
)
def test_a_claim_names_a_class_that_is_there(claim: Manifest) -> None:
    api = "storage.k8s.io/v1"
    assert broken(claim, made(api, "StorageClass", {}, "fast", "")) == []
    assert broken(claim, made(api, "StorageClass", {}, "slow", "")) == ["storage-class"]
    assert broken(claim) == []  # the cluster has its own
    text = "kind: StorageClass\nmetadata:\n  name: {}\n"
    assert broken(claim, config(text.format("fast"))) == []
    assert broken(claim, config(text.format("slow"))) == ["storage-class"]


def test_a_claim_without_a_class_takes_the_default_one() -> None:
    there = made("storage.k8s.io/v1", "StorageClass", {}, "slow", "")
    for spec in ({}, {"storageClassName": ""}):
        assert broken(there, made("v1", "PersistentVolumeClaim", spec)) == []


def calling(kind: str, **client: Any) -> Manifest:
    called = {"service": {"name": "web", "namespace": "shop", **client}}
    if kind == "APIService":
        return made("apiregistration.k8s.io/v1", kind, called, namespace="")
    if kind == "CustomResourceDefinition":
        spec = {"conversion": {"strategy": "Webhook", "webhook": {"clientConfig": called}}}
        return made("apiextensions.k8s.io/v1", kind, spec, namespace="")
    webhooks = [{"name": "a.example.com", "clientConfig": called}]
    return made("admissionregistration.k8s.io/v1", kind, {}, namespace="", webhooks=webhooks)


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("ValidatingWebhookConfiguration", "webhook"),
        ("MutatingWebhookConfiguration", "webhook"),
        ("CustomResourceDefinition", "webhook"),
        ("APIService", "api-service"),
    ],
)
def test_the_api_server_calls_a_service_that_is_there(kind: str, rule: str) -> None:
    https = service(ports=[{"name": "https", "port": 443}])
    assert broken(https, calling(kind)) == []
    assert broken(service(), calling(kind, port=80)) == []
    assert broken(service(), calling(kind)) == [rule]
    assert broken(https, calling(kind, name="other")) == [rule]
    assert broken(https, calling(kind, namespace="other")) == [rule]


def test_what_the_api_server_does_not_call_by_a_service_is_left_alone() -> None:
    by_url = [{"name": "a.example.com", "clientConfig": {"url": "https://example.com"}}]
    webhook = made("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", {}, webhooks=by_url)
    assert broken(webhook, made("apiregistration.k8s.io/v1", "APIService", {"group": "apps"}, namespace="")) == []


def test_a_component_may_be_excused() -> None:
    manifests = [config("other.shop.svc"), config("other.shop.svc:80")]
    assert broken(*manifests) == ["address", "address"]

    def excused(component: str, rule: str, objects: str) -> list[str]:
        exception = Exemption(rule=rule, objects=objects, reason="It is off.")
        return broken(*manifests, exceptions={component: [exception]})

    assert excused("web", "address", "ConfigMap/*") == []
    assert excused("web", "address", "Secret/*") == ["address", "address"]
    assert excused("web", "secret", "ConfigMap/*") == ["address", "address"]
    assert excused("other", "address", "ConfigMap/*") == ["address", "address"]
