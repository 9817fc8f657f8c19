"""APIs, certificates, gateways and stores of a stack are used by every component of the catalog with a wiring for them. The references of each wiring are checked by `catalog test` (`test_catalog.py`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.corpus.catalog_trials import MIRRORED
from tests.corpus.reading import files_of, members, objects_of

from cluster_forge.catalog import wiring
from cluster_forge.catalog.library import packaged
from cluster_forge.catalog.stack_context import DOMAIN
from cluster_forge.catalog.trial_plan import newest
from cluster_forge.checks.inventory import strings_in
from cluster_forge.manifests.pods import pod_of

if TYPE_CHECKING:
    from cluster_forge.catalog.component_format import CatalogComponent, SizeName, Wiring
    from cluster_forge.manifests.manifest import Manifest
    from cluster_forge.stages.catalog.trial_stack import TrialStack, TrialStacks

pytestmark = pytest.mark.corpus
CATALOG = {name: packaged().component(name) for name in MIRRORED}
MONITORING, CERTIFICATES = "monitoring.coreos.com", "cert-manager.io"


def having(*, wired_to: str) -> list[str]:
    """The components that have a wiring for just this."""
    return [
        name for name, component in CATALOG.items() if any(wired.all_of == [wired_to] for wired in component.wiring)
    ]


def stack_for(stacks: TrialStacks, component: CatalogComponent, wired: Wiring, size: SizeName) -> TrialStack:
    minor = newest(component)
    names = stacks.trials.plans.stack_for_wiring(component, wired, size, minor)
    assert names
    domain = "example.com" if DOMAIN in wired.all_of else ""
    return stacks.of(*names, size=size, minor=minor, domain=domain, about=[component.name])


def stack_wired_to(stacks: TrialStacks, name: str, *, wired_to: str) -> TrialStack:
    (wired,) = [other for other in CATALOG[name].wiring if other.all_of == [wired_to] and not other.none_of]
    return stack_for(stacks, CATALOG[name], wired, wired.sizes[0])


@pytest.mark.parametrize("name", CATALOG)
def test_custom_objects_need_their_api(small_stacks: TrialStacks, name: str) -> None:
    """Monitors and rules are off without the Prometheus operator's APIs, certificates without cert-manager's."""
    stack = small_stacks.whole(name, minor=newest(CATALOG[name]))
    for group in (MONITORING, CERTIFICATES):
        if not stack.context.has(group):
            assert [str(manifest.id) for manifest in stack.parts[name] if manifest.id.group == group] == []


@pytest.mark.parametrize("name", having(wired_to=MONITORING))
def test_monitors_are_on_with_the_prometheus_operators_apis(small_stacks: TrialStacks, name: str) -> None:
    stack = stack_wired_to(small_stacks, name, wired_to=MONITORING)
    assert objects_of(stack, name, "ServiceMonitor", "PodMonitor")


@pytest.mark.parametrize("name", ["loki", "metallb", "mimir", "opentelemetry-operator", "velero"])
def test_rules_are_on_with_the_prometheus_operators_apis(small_stacks: TrialStacks, name: str) -> None:
    rules = objects_of(stack_wired_to(small_stacks, name, wired_to=MONITORING), name, "PrometheusRule")
    assert [expression for rule in rules for expression in members(rule.body, "expr")]


def test_prometheus_selects_the_monitors_and_rules_of_all_namespaces(small_stacks: TrialStacks) -> None:
    (prometheus,) = objects_of(small_stacks.of("kube-prometheus-stack"), "kube-prometheus-stack", "Prometheus")
    for kind in ("serviceMonitor", "podMonitor", "rule"):
        assert prometheus.body["spec"][f"{kind}Selector"] == {}  # all
        assert prometheus.body["spec"][f"{kind}NamespaceSelector"] == {}


def test_bundled_crds_are_off_with_prometheus_operator_crds(small_stacks: TrialStacks) -> None:
    def crds(stack: TrialStack, name: str) -> set[str]:
        return {manifest.id.name for manifest in objects_of(stack, name, "CustomResourceDefinition")}

    alone = small_stacks.of("kube-prometheus-stack")
    together = small_stacks.of("kube-prometheus-stack", "prometheus-operator-crds")
    brought = crds(together, "prometheus-operator-crds")
    assert crds(alone, "kube-prometheus-stack") <= brought
    assert "servicemonitors.monitoring.coreos.com" in crds(alone, "kube-prometheus-stack")
    assert crds(together, "kube-prometheus-stack") == set()


def test_the_bundled_grafana_is_off_with_grafana(small_stacks: TrialStacks) -> None:
    def made(stack: TrialStack) -> tuple[bool, int]:
        ours = objects_of(stack, "kube-prometheus-stack", "Deployment", "ConfigMap")
        dashboards = [
            manifest for manifest in ours if "grafana_dashboard" in (manifest.body["metadata"].get("labels") or {})
        ]
        return "kube-prometheus-stack-grafana" in {manifest.id.name for manifest in ours}, len(dashboards)

    has_grafana, dashboards = made(small_stacks.of("kube-prometheus-stack"))
    assert has_grafana
    assert dashboards > 10
    assert made(small_stacks.of("kube-prometheus-stack", "grafana")) == (False, dashboards)


@pytest.mark.parametrize("name", having(wired_to="cert-manager"))
def test_certificates_come_from_cert_manager_in_its_stack(small_stacks: TrialStacks, name: str) -> None:
    """Its pods take them from their Secrets, and the API server trusts them by what cert-manager writes."""
    stack = stack_wired_to(small_stacks, name, wired_to="cert-manager")
    made = {f"{manifest.id.namespace}/{manifest.id.name}" for manifest in objects_of(stack, name, "Certificate")}
    assert made
    wanted = {text for manifest in stack.parts[name] for text in strings_in([pod_of(manifest.body)])}
    wanted |= {text.partition("=")[2] for text in wanted if text.startswith("--")}
    assert {manifest.body["spec"]["secretName"] for manifest in objects_of(stack, name, "Certificate")} & wanted
    assert {trusted for manifest in stack.parts[name] if (trusted := annotated(manifest))} <= made


def annotated(manifest: Manifest) -> str:
    """The Certificate whose CA cert-manager writes into an object."""
    annotations = manifest.body["metadata"].get("annotations") or {}
    return str(annotations.get("cert-manager.io/inject-ca-from") or "")


OWN_SOURCES = {
    "external-secrets": "Deployment/external-secrets-cert-controller",
    "ingress-nginx": "Job/ingress-nginx-admission-create",
    "kube-prometheus-stack": "Job/kube-prometheus-stack-admission-create",
    "keda": "--enable-cert-rotation=true",
    "metrics-server": "insecureSkipTLSVerify: true",
    "jobset": "internalCertManagement: true",
    "kueue": "internalCertManagement: true",
    "lws": "internalCertManagement: true",
    "kyverno": "",
}
"""What creates certificates without cert-manager; Kyverno creates missing ones at run time."""


def test_all_own_certificate_sources_are_known() -> None:
    assert sorted(OWN_SOURCES) == having(wired_to="cert-manager")


@pytest.mark.parametrize("name", [name for name, source in OWN_SOURCES.items() if source])
def test_certificates_come_from_their_own_source_without_cert_manager(small_stacks: TrialStacks, name: str) -> None:
    def certificate_sources(stack: TrialStack) -> set[str]:
        found = {f"{manifest.id.kind}/{manifest.id.name}" for manifest in stack.parts[name]}
        for manifest in stack.parts[name]:
            found |= set(strings_in(manifest.body))
            if manifest.body.get("spec", {}).get("insecureSkipTLSVerify"):
                found.add("insecureSkipTLSVerify: true")
            for text in files_of(manifest).values() if "internalCertManagement" in manifest.text.decode() else ():
                is_own = yaml.safe_load(text).get("internalCertManagement", {}).get("enable")
                found |= {"internalCertManagement: true"} if is_own else set()
        return found

    assert OWN_SOURCES[name] in certificate_sources(small_stacks.whole(name, minor=newest(CATALOG[name])))
    assert OWN_SOURCES[name] not in certificate_sources(stack_wired_to(small_stacks, name, wired_to="cert-manager"))


ROUTED = {
    "argo-cd": "argocd",
    "gitea": "git",
    "grafana": "grafana",
    "harbor": "harbor",
    "keycloak": "keycloak",
    "kube-prometheus-stack": "grafana",
    "openbao": "bao",
    "openobserve": "openobserve",
}
"""User interfaces, and their names below the domain."""

GATEWAYS = {"kgateway": 31, "envoy-gateway": 35, "traefik": 35}
"""With a version of Kubernetes that they are for."""


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("name", ROUTED)
def test_user_interfaces_are_routed_by_the_gateway(small_stacks: TrialStacks, name: str, gateway: str) -> None:
    minor = GATEWAYS[gateway] if small_stacks.trials.plans.stack_component(name, GATEWAYS[gateway]) else 0
    if not minor:
        pytest.skip(f"{name} is for no version of Kubernetes that {gateway} is for")
    stack = small_stacks.of(
        name, gateway, "gateway-api", "cert-manager", minor=minor, domain="example.com", about=[name, gateway]
    )
    (route,) = objects_of(stack, name, "HTTPRoute")
    (gate,) = objects_of(stack, gateway, "Gateway")
    (parent,) = route.body["spec"]["parentRefs"]
    assert (parent["namespace"], parent["name"]) == (gate.id.namespace, gate.id.name)
    assert route.body["spec"]["hostnames"] == [f"{ROUTED[name]}.example.com"]
    assert gate.body["spec"]["gatewayClassName"] == gateway
    for listener in gate.body["spec"]["listeners"]:
        assert listener["hostname"] == "*.example.com"
        assert listener["allowedRoutes"]["namespaces"]["from"] == "All"
    assert [
        finding
        for finding in (*stack.findings_about(name), *stack.findings_about(gateway))
        if finding.object == route.id
    ] == []


WITHOUT_LINKS = {"keycloak", "openbao"}
"""User interfaces that take whatever address they are asked by."""


@pytest.mark.parametrize(
    "name", [name for name in ROUTED if "cert-manager" not in [need.name for need in CATALOG[name].needed]]
)
def test_user_interfaces_know_whether_the_gateway_takes_https(small_stacks: TrialStacks, name: str) -> None:
    """It does where cert-manager makes its certificate; links that a user interface writes lead back to it."""
    for others, scheme in (([], "http"), (["cert-manager"], "https")):
        stack = small_stacks.of(name, "traefik", "gateway-api", *others, minor=35, domain="example.com", about=[name])
        said = [
            text
            for manifest in stack.parts[name]
            for text in (*strings_in(manifest.body), *files_of(manifest).values())
        ]
        links = {found[1] for text in said for found in re.finditer(rf"(\w+)://{ROUTED[name]}\.example\.com", text)}
        assert links == (set() if name in WITHOUT_LINKS else {scheme})


@pytest.mark.parametrize("name", ROUTED)
def test_there_is_no_route_without_a_domain_or_a_gateway(small_stacks: TrialStacks, name: str) -> None:
    for names, domain in (((name, "traefik", "gateway-api"), ""), ((name,), "example.com")):
        assert objects_of(small_stacks.of(*names, minor=35, domain=domain, about=[name]), name, "HTTPRoute") == []


EXPECTING = [name for name, component in CATALOG.items() if any(not secret.by_hand for secret in component.secrets)]
STORE = ("external-secrets", "1password-connect", "1password-secret-store")


@pytest.mark.parametrize("name", EXPECTING)
def test_expected_secrets_come_from_the_secret_store(small_stacks: TrialStacks, name: str) -> None:
    component = CATALOG[name]
    needed = [need for need in small_stacks.whole(name, minor=35).context.components if need not in STORE]
    stack = small_stacks.of(*needed, *STORE, minor=35, about=[name, STORE[-1]])
    (store,) = objects_of(stack, "1password-secret-store", "ClusterSecretStore")
    fetched = {
        manifest.body["spec"]["target"]["name"]: manifest for manifest in objects_of(stack, name, "ExternalSecret")
    }
    by_name = {secret.name: secret for secret in component.secrets}
    expected = {
        secret["name"] for secret in wiring.layers(stack.context.components[name], stack.context)[0].plain["secrets"]
    }
    assert set(fetched) == {secret for secret in expected if not by_name[secret].by_hand}
    for secret, external in fetched.items():
        reference = external.body["spec"]["secretStoreRef"]
        assert (reference["kind"], reference["name"]) == ("ClusterSecretStore", store.id.name)
        assert {entry["secretKey"] for entry in external.body["spec"]["data"]} == set(by_name[secret].keys)
    assert stack.findings_about(name) == []


@pytest.mark.parametrize("name", CATALOG)
def test_volumes_are_of_the_default_class(small_stacks: TrialStacks, name: str) -> None:
    """No component names a StorageClass: the stack decides which one is the default."""
    stack = small_stacks.whole(name, minor=newest(CATALOG[name]))
    objects = [manifest for manifest in stack.parts[name] if manifest.id.kind != "CustomResourceDefinition"]
    assert [
        class_name for manifest in objects for class_name in members(manifest.body, "storageClassName") if class_name
    ] == []
