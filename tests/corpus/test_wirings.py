"""APIs, certificates, gateways and stores that are there are used by every component of the catalog that has a wiring for
them. What each wiring names is looked at by `catalog test` (`test_catalog.py`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml
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
CATALOG = {name: packaged().component(name) for name in packaged().names}
MONITORING, CERTIFICATES = "monitoring.coreos.com", "cert-manager.io"


def having(*, wired_to: str) -> list[str]:
    """The components that have a wiring for just this."""
    return [name for name, component in CATALOG.items() if any(each.all_of == [wired_to] for each in component.wiring)]


def company(stacks: TrialStacks, component: CatalogComponent, each: Wiring, size: SizeName) -> TrialStack:
    minor = newest(component)
    names = stacks.trials.plans.stack_for_wiring(component, each, size, minor)
    assert names
    domain = "example.com" if DOMAIN in each.all_of else ""
    return stacks.of(*names, size=size, minor=minor, domain=domain, about=[component.name])


def company_of(stacks: TrialStacks, name: str, *, wired_to: str) -> TrialStack:
    (each,) = [one for one in CATALOG[name].wiring if one.all_of == [wired_to] and not one.none_of]
    return company(stacks, CATALOG[name], each, each.sizes[0])


@pytest.mark.parametrize("name", CATALOG)
def test_nothing_is_of_an_api_that_nobody_brings(small_stacks: TrialStacks, name: str) -> None:
    """Monitors and rules are off without the Prometheus operator's APIs, certificates without cert-manager's."""
    stack = small_stacks.whole(name, minor=newest(CATALOG[name]))
    for group in (MONITORING, CERTIFICATES):
        if not stack.context.has(group):
            assert [str(each.id) for each in stack.parts[name] if each.id.group == group] == []


@pytest.mark.parametrize("name", having(wired_to=MONITORING))
def test_monitors_are_on_where_the_prometheus_operators_apis_are(small_stacks: TrialStacks, name: str) -> None:
    stack = company_of(small_stacks, name, wired_to=MONITORING)
    assert objects_of(stack, name, "ServiceMonitor", "PodMonitor")


@pytest.mark.parametrize("name", ["loki", "metallb", "mimir", "opentelemetry-operator", "velero"])
def test_rules_are_on_where_the_prometheus_operators_apis_are(small_stacks: TrialStacks, name: str) -> None:
    rules_made = objects_of(company_of(small_stacks, name, wired_to=MONITORING), name, "PrometheusRule")
    assert [each for one in rules_made for each in members(one.body, "expr")]


def test_prometheus_takes_the_monitors_and_rules_of_all(small_stacks: TrialStacks) -> None:
    (prometheus,) = objects_of(small_stacks.of("kube-prometheus-stack"), "kube-prometheus-stack", "Prometheus")
    for kind in ("serviceMonitor", "podMonitor", "rule"):
        assert prometheus.body["spec"][f"{kind}Selector"] == {}  # all
        assert prometheus.body["spec"][f"{kind}NamespaceSelector"] == {}


def test_its_own_crds_give_way(small_stacks: TrialStacks) -> None:
    def crds(stack: TrialStack, name: str) -> set[str]:
        return {each.id.name for each in objects_of(stack, name, "CustomResourceDefinition")}

    alone = small_stacks.of("kube-prometheus-stack")
    together = small_stacks.of("kube-prometheus-stack", "prometheus-operator-crds")
    brought = crds(together, "prometheus-operator-crds")
    assert crds(alone, "kube-prometheus-stack") <= brought
    assert "servicemonitors.monitoring.coreos.com" in crds(alone, "kube-prometheus-stack")
    assert crds(together, "kube-prometheus-stack") == set()


def test_its_own_grafana_gives_way(small_stacks: TrialStacks) -> None:
    def made(stack: TrialStack) -> tuple[bool, int]:
        ours = objects_of(stack, "kube-prometheus-stack", "Deployment", "ConfigMap")
        dashboards = [each for each in ours if "grafana_dashboard" in (each.body["metadata"].get("labels") or {})]
        return "kube-prometheus-stack-grafana" in {each.id.name for each in ours}, len(dashboards)

    has_grafana, dashboards = made(small_stacks.of("kube-prometheus-stack"))
    assert has_grafana
    assert dashboards > 10
    assert made(small_stacks.of("kube-prometheus-stack", "grafana")) == (False, dashboards)


@pytest.mark.parametrize("name", having(wired_to="cert-manager"))
def test_certificates_come_from_cert_manager_where_it_is(small_stacks: TrialStacks, name: str) -> None:
    """Its pods take them from their Secrets, and the API server trusts them by what cert-manager writes."""
    stack = company_of(small_stacks, name, wired_to="cert-manager")
    made = {f"{each.id.namespace}/{each.id.name}" for each in objects_of(stack, name, "Certificate")}
    assert made
    wanted = {text for each in stack.parts[name] for text in strings_in([pod_of(each.body)])}
    wanted |= {text.partition("=")[2] for text in wanted if text.startswith("--")}
    assert {each.body["spec"]["secretName"] for each in objects_of(stack, name, "Certificate")} & wanted
    assert {trusted for each in stack.parts[name] if (trusted := annotated(each))} <= made


def annotated(manifest: Manifest) -> str:
    """The Certificate whose CA cert-manager writes into an object."""
    annotations = manifest.body["metadata"].get("annotations") or {}
    return str(annotations.get("cert-manager.io/inject-ca-from") or "")


OWN_MEANS = {
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
"""How certificates come to be without cert-manager; Kyverno makes those that it does not find."""


def test_all_own_means_are_known() -> None:
    assert sorted(OWN_MEANS) == having(wired_to="cert-manager")


@pytest.mark.parametrize("name", [name for name, means in OWN_MEANS.items() if means])
def test_certificates_come_from_their_own_means_where_cert_manager_is_not(small_stacks: TrialStacks, name: str) -> None:
    def means(stack: TrialStack) -> set[str]:
        found = {f"{each.id.kind}/{each.id.name}" for each in stack.parts[name]}
        for each in stack.parts[name]:
            found |= set(strings_in(each.body))
            if each.body.get("spec", {}).get("insecureSkipTLSVerify"):
                found.add("insecureSkipTLSVerify: true")
            for text in files_of(each).values() if "internalCertManagement" in each.text.decode() else ():
                is_own = yaml.safe_load(text).get("internalCertManagement", {}).get("enable")
                found |= {"internalCertManagement: true"} if is_own else set()
        return found

    assert OWN_MEANS[name] in means(small_stacks.whole(name, minor=newest(CATALOG[name])))
    assert OWN_MEANS[name] not in means(company_of(small_stacks, name, wired_to="cert-manager"))


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
def test_user_interfaces_are_routed_by_the_gateway_that_is_there(
    small_stacks: TrialStacks, name: str, gateway: str
) -> None:
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
        each for each in (*stack.findings_about(name), *stack.findings_about(gateway)) if each.object == route.id
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
        said = [text for each in stack.parts[name] for text in (*strings_in(each.body), *files_of(each).values())]
        links = {found[1] for text in said for found in re.finditer(rf"(\w+)://{ROUTED[name]}\.example\.com", text)}
        assert links == (set() if name in WITHOUT_LINKS else {scheme})


@pytest.mark.parametrize("name", ROUTED)
def test_there_is_no_route_without_a_domain_or_a_gateway(small_stacks: TrialStacks, name: str) -> None:
    for names, domain in (((name, "traefik", "gateway-api"), ""), ((name,), "example.com")):
        assert objects_of(small_stacks.of(*names, minor=35, domain=domain, about=[name]), name, "HTTPRoute") == []


EXPECTING = [name for name, each in CATALOG.items() if any(not one.by_hand for one in each.secrets)]
STORE = ("external-secrets", "1password-connect", "1password-secret-store")


@pytest.mark.parametrize("name", EXPECTING)
def test_expected_secrets_come_from_the_store_that_is_there(small_stacks: TrialStacks, name: str) -> None:
    component = CATALOG[name]
    needed = [need for need in small_stacks.whole(name, minor=35).context.components if need not in STORE]
    stack = small_stacks.of(*needed, *STORE, minor=35, about=[name, STORE[-1]])
    (store,) = objects_of(stack, "1password-secret-store", "ClusterSecretStore")
    fetched = {each.body["spec"]["target"]["name"]: each for each in objects_of(stack, name, "ExternalSecret")}
    by_name = {each.name: each for each in component.secrets}
    expected = {
        each["name"] for each in wiring.layers(stack.context.components[name], stack.context)[0].plain["secrets"]
    }
    assert set(fetched) == {each for each in expected if not by_name[each].by_hand}
    for called, each in fetched.items():
        reference = each.body["spec"]["secretStoreRef"]
        assert (reference["kind"], reference["name"]) == ("ClusterSecretStore", store.id.name)
        assert {one["secretKey"] for one in each.body["spec"]["data"]} == set(by_name[called].keys)
    assert stack.findings_about(name) == []


@pytest.mark.parametrize("name", CATALOG)
def test_volumes_are_of_the_default_class(small_stacks: TrialStacks, name: str) -> None:
    """Nobody names a StorageClass: which one is the default is for the stack to say."""
    stack = small_stacks.whole(name, minor=newest(CATALOG[name]))
    makers = [each for each in stack.parts[name] if each.id.kind != "CustomResourceDefinition"]
    assert [each for one in makers for each in members(one.body, "storageClassName") if each] == []
