"""The order of components: from their objects, their needs and the waves that are set."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation.errors import OrderError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.graph import component_order, cycles
from cluster_forge.graph.component_order import ComponentOrder, Ordered
from cluster_forge.graph.object_graph import ObjectGraph
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.manifests.scope import Scopes

RBAC = "rbac.authorization.k8s.io"
CERTIFICATES = "cert-manager.io/v1"


def made(component: str, api: str, kind: str, name: str = "it", *, namespace: str = "", **members: Any) -> Manifest:
    metadata: dict[str, Any] = {"name": name, **members.pop("metadata", {})}
    if namespace:
        metadata["namespace"] = namespace
    body = {"apiVersion": api, "kind": kind, "metadata": metadata, **members}
    return Manifest.of(body, Provenance(component=ComponentName(component), origin=f"templates/{kind.lower()}.yaml"))


def crd(component: str, group: str, kind: str, plural: str) -> Manifest:
    spec = {
        "group": group,
        "names": {"kind": kind},
        "scope": "Namespaced",
        "versions": [{"name": "v1", "served": True}],
    }
    return made(component, "apiextensions.k8s.io/v1", "CustomResourceDefinition", f"{plural}.{group}", spec=spec)


def workload(component: str, name: str = "web", **pod: Any) -> Manifest:
    template = {"metadata": {"labels": {"app": name}}, "spec": pod}
    return made(component, "apps/v1", "Deployment", name, namespace=component, spec={"template": template})


def operator(component: str, group: str, plural: str) -> list[Manifest]:
    """A controller that writes the status of a kind, by a role."""
    subject = {"kind": "ServiceAccount", "name": "operator", "namespace": component}
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": component}
    rule = {"apiGroups": [group], "resources": [f"{plural}/status"], "verbs": ["update"]}
    return [
        workload(component, "operator", serviceAccountName="operator"),
        made(component, "v1", "ServiceAccount", "operator", namespace=component),
        made(component, f"{RBAC}/v1", "ClusterRole", component, rules=[rule]),
        made(component, f"{RBAC}/v1", "ClusterRoleBinding", component, roleRef=role, subjects=[subject]),
    ]


def certificate(component: str, secret: str = "tls") -> Manifest:
    spec = {"secretName": secret, "issuerRef": {"name": "ca", "kind": "ClusterIssuer"}}
    return made(component, CERTIFICATES, "Certificate", "tls", namespace=component, spec=spec)


def ordered(
    *manifests: Manifest,
    waves: dict[str, int] | None = None,
    needs: dict[str, str] | None = None,
    awaited: set[tuple[str, str]] | None = None,
) -> ComponentOrder:
    names = dict.fromkeys([*(str(one.provenance.component) for one in manifests), *(waves or {}), *(needs or {})])
    components = [
        Ordered(
            name=ComponentName(name),
            wave=(waves or {}).get(name),
            needs=tuple(map(ComponentName, (needs or {}).get(name, "").split())),
        )
        for name in names
    ]
    graph = ObjectGraph(manifests, Scopes.of(33, manifests), awaited=awaited or ())
    return component_order.of(components, graph)


def test_definitions_come_first_and_independents_side_by_side() -> None:
    order = ordered(crd("crds", "x.io", "X", "xs"), workload("a"), workload("b"))
    assert order.waves == {"crds": -100, "a": -90, "b": -90}


def test_a_custom_resource_comes_after_the_component_with_its_crd() -> None:
    order = ordered(
        made("app", "x.io/v1", "X", namespace="app"), crd("operator", "x.io", "X", "xs"), workload("operator")
    )
    assert order.waves == {"app": -80, "operator": -90}
    assert order.required(ComponentName("app")) == ["operator"]


def test_a_workload_comes_after_what_makes_its_secret_and_after_the_controller_that_does() -> None:
    order = ordered(
        workload("web", volumes=[{"name": "tls", "secret": {"secretName": "tls"}}]),
        made("certs", CERTIFICATES, "Certificate", "tls", namespace="web", spec={"secretName": "tls"}),
        crd("crds", "cert-manager.io", "Certificate", "certificates"),
        *operator("manager", "cert-manager.io", "certificates"),
    )
    assert order.waves == {"crds": -100, "manager": -90, "certs": -80, "web": -70}
    assert (
        "needs Secret tls, which is made for Certificate.cert-manager.io/web/tls"
        in order.links[ComponentName("web"), ComponentName("certs")].reasons[0]
    )


def test_a_controller_that_makes_nothing_for_others_may_come_at_any_time_unless_its_kind_is_awaited() -> None:
    manifests = [
        made("app", "x.io/v1", "Monitor", namespace="app"),
        crd("crds", "x.io", "Monitor", "monitors"),
        *operator("manager", "x.io", "monitors"),
    ]
    assert ordered(*manifests).waves == {"app": -90, "crds": -100, "manager": -90}
    assert ordered(*manifests, awaited={("x.io", "Monitor")}).waves == {"app": -80, "crds": -100, "manager": -90}


def test_what_closes_a_cycle_and_is_only_preferred_is_dropped() -> None:
    manifests = [
        made("app", "x.io/v1", "Monitor", namespace="app"),
        crd("crds", "x.io", "Monitor", "monitors"),
        *operator("manager", "x.io", "monitors"),
    ]
    order = ordered(*manifests, needs={"manager": "app"}, awaited={("x.io", "Monitor")})
    assert order.waves == {"app": -90, "crds": -100, "manager": -80}
    assert list(order.dropped) == [("app", "manager")]


def test_a_cycle_through_crds_splits_the_component_that_brings_them() -> None:
    monitor = made("manager", "m.io/v1", "Monitor", namespace="manager")
    order = ordered(
        crd("manager", "cert-manager.io", "Certificate", "certificates"),
        *operator("manager", "cert-manager.io", "certificates"),
        monitor,
        crd("monitoring", "m.io", "Monitor", "monitors"),
        workload("monitoring", volumes=[{"name": "t", "secret": {"secretName": "tls"}}]),
        certificate("monitoring"),
    )
    assert order.split == {("manager", "monitoring")}
    assert order.early == {"monitoring"}
    assert order.waves[ComponentName("monitoring")] > order.waves[ComponentName("manager")]
    assert order.required(ComponentName("manager")) == []


CROSSED = [
    made("a", "apps/v1", "Deployment", "a", namespace="x", spec={"template": {"spec": {"serviceAccountName": "b"}}}),
    made("b", "v1", "ServiceAccount", "b", namespace="x"),
    made("b", "apps/v1", "Deployment", "b", namespace="x", spec={"template": {"spec": {"priorityClassName": "p"}}}),
    made("a", "scheduling.k8s.io/v1", "PriorityClass", "p"),
]
"""Two components that need each other, without an object that needs itself."""


def test_components_come_side_by_side_where_only_they_need_each_other_and_no_object_does() -> None:
    order = ordered(*CROSSED, workload("base"), workload("web"), needs={"b": "base", "web": "a"})
    assert order.together == [frozenset({ComponentName("a"), ComponentName("b")})]
    assert order.waves == {"base": -90, "a": -80, "b": -80, "web": -70}
    assert order.required(ComponentName("a")) == []
    assert order.conflicts == []


def test_components_that_name_each_other_are_a_cycle_whatever_their_objects_need() -> None:
    with pytest.raises(OrderError):
        ordered(*CROSSED, needs={"a": "b"})


def test_a_kind_and_its_objects_never_come_side_by_side() -> None:
    monitors = [made("a", "m.io/v1", "M", namespace="a"), crd("b", "m.io", "M", "ms")]
    crossed = [workload("b", priorityClassName="p"), made("a", "scheduling.k8s.io/v1", "PriorityClass", "p")]
    order = ordered(*monitors, *crossed)
    assert order.split == {("a", "b")}


def test_a_real_cycle_names_its_objects() -> None:
    mount = {"volumes": [{"name": "tls", "secret": {"secretName": "tls"}}]}
    controller = workload("a", "operator", serviceAccountName="operator", **mount)
    certificate_of = made("b", CERTIFICATES, "Certificate", "tls", namespace="a", spec={"secretName": "tls"})
    kinds = crd("crds", "cert-manager.io", "Certificate", "certificates")
    with pytest.raises(OrderError) as caught:
        ordered(controller, *operator("a", "cert-manager.io", "certificates")[1:], certificate_of, kinds)
    text = str(caught.value)
    assert "a → b → a" in text
    assert "Deployment.apps/a/operator needs Secret tls, which is made for Certificate.cert-manager.io/a/tls" in text
    assert (
        "Certificate.cert-manager.io/a/tls is handled by Deployment.apps/a/operator (templates/certificate.yaml)"
        in text
    )


def test_a_wave_that_is_set_is_kept_and_a_contradiction_is_known() -> None:
    resource = made("app", "x.io/v1", "X", namespace="app")
    order = ordered(resource, crd("operator", "x.io", "X", "xs"), workload("operator"), waves={"app": 5, "operator": 9})
    assert order.waves == {"app": 5, "operator": 9}
    assert order.conflicts == [("app", "operator")]


def test_what_a_component_with_a_set_wave_needs_comes_before_it() -> None:
    resource = made("app", "x.io/v1", "X", namespace="app")
    manifests = [resource, crd("operator", "x.io", "X", "xs"), workload("operator"), workload("base")]
    order = ordered(*manifests, waves={"app": -200}, needs={"operator": "base"})
    assert order.waves == {"app": -200, "operator": -210, "base": -220}
    assert order.conflicts == []


def test_objects_that_ask_for_a_webhook_by_a_label_come_after_it_and_others_do_not() -> None:
    rules = [{"apiGroups": [""], "resources": ["pods"], "operations": ["CREATE"], "apiVersions": ["v1"]}]
    webhook = {"name": "w", "rules": rules, "objectSelector": {"matchLabels": {"app": "asks"}}}
    config = made("mesh", "admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", webhooks=[webhook])
    order = ordered(config, workload("mesh", "server"), workload("asking", "asks"), workload("other"))
    assert order.waves == {"mesh": -90, "asking": -80, "other": -90}


def test_one_object_among_many_that_asks_for_a_webhook_is_the_reason() -> None:
    hook = {
        "name": "a.example.org",
        "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}],
        "objectSelector": {"matchExpressions": [{"key": "inject", "operator": "In", "values": ["yes", "on"]}]},
    }
    guard = made("mesh", "admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "hook", webhooks=[hook])
    labels = {7: {"inject": "no"}, 8: {"inject": "on"}, 9: {"inject": "yes"}}
    maps = [
        made("shop", "v1", "ConfigMap", f"map-{number}", namespace="shop", metadata={"labels": labels.get(number, {})})
        for number in range(12)
    ]
    others = [made("blog", "v1", "ConfigMap", f"map-{number}", namespace="blog") for number in range(12)]
    graph = ObjectGraph([*others, *maps, guard], Scopes.of(33, []))

    assert [edge.source.id.name for edge in graph.edges] == ["map-8"]


@pytest.mark.parametrize(("version", "is_after"), [("v1beta1", True), ("v1", False)])
def test_what_must_be_converted_comes_after_the_workload_that_converts(version: str, *, is_after: bool) -> None:
    definition = made(
        "op",
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "stores.x.io",
        spec={
            "group": "x.io",
            "scope": "Namespaced",
            "names": {"kind": "Store", "plural": "stores"},
            "conversion": {
                "strategy": "Webhook",
                "webhook": {
                    "clientConfig": {"service": {"name": "hook", "namespace": "op"}},
                    "conversionReviewVersions": ["v1"],
                },
            },
            "versions": [
                {
                    "name": "v1beta1",
                    "served": True,
                    "storage": False,
                    "schema": {"openAPIV3Schema": {"type": "object"}},
                },
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}},
            ],
        },
    )
    service = made("op", "v1", "Service", "hook", namespace="op", spec={"selector": {"app": "hook"}})
    store = made("shop", f"x.io/{version}", "Store", namespace="shop")
    manifests = [definition, service, workload("op", "hook"), store]
    edges = ObjectGraph(manifests, Scopes.of(33, manifests)).edges
    converted = [edge.sentence for edge in edges if edge.source is store and edge.is_hard]

    expected = ["Store.x.io/shop/it is converted by Deployment.apps/op/hook"] if is_after else []
    assert [text for text in converted if "converted" in text] == expected
    assert any("defined by" in text for text in converted)


def test_policies_that_refuse_come_before_what_they_are_about_but_for_exempt_namespaces() -> None:
    rules = [{"apiGroups": ["apps"], "resources": ["deployments"], "operations": ["*"], "apiVersions": ["*"]}]
    selector = {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["free"]}]}
    spec = {"matchConstraints": {"resourceRules": rules, "namespaceSelector": selector}}
    kind = "ValidatingAdmissionPolicy"
    policy = made("policies", "admissionregistration.k8s.io/v1", kind, spec=spec)
    order = ordered(
        policy, made("policies", "v1", "ConfigMap", namespace="policies"), workload("app"), workload("free")
    )
    assert order.waves == {"policies": -90, "app": -80, "free": -90}


def test_claims_without_a_class_come_after_the_default_one_and_services_after_pools() -> None:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"}
    order = ordered(
        made("storage", "storage.k8s.io/v1", "StorageClass", metadata={"annotations": annotations}),
        workload("storage"),
        made("db", "v1", "PersistentVolumeClaim", namespace="db", spec={}),
        made("own", "v1", "PersistentVolumeClaim", namespace="own", spec={"storageClassName": "mine"}),
        made("edge", "v1", "Service", namespace="edge", spec={"type": "LoadBalancer"}),
        made("pools", "metallb.io/v1beta1", "IPAddressPool", namespace="pools"),
    )
    assert order.waves == {"storage": -90, "db": -80, "own": -90, "edge": -80, "pools": -90}


def test_a_component_that_has_the_object_itself_needs_none_of_another() -> None:
    resource = made("b", "x.io/v1", "X", namespace="b")
    order = ordered(crd("a", "x.io", "X", "xs"), workload("a"), crd("b", "x.io", "X", "xs"), resource)
    assert order.waves == {"a": -90, "b": -90}


NAMES = [ComponentName(f"c{number}") for number in range(7)]


@given(
    st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=14),
    st.dictionaries(st.sampled_from(NAMES), st.integers(-5, 5).map(lambda n: n * 10)),
)
def test_every_order_is_one_or_there_is_a_cycle(pairs: set[tuple[str, str]], waves: dict[str, int]) -> None:
    needs: dict[str, str] = {name: " ".join(sorted(b for a, b in pairs if a == name and b != name)) for name in NAMES}
    manifests = [workload(name) for name in NAMES]
    try:
        order = ordered(*manifests, needs=needs, waves=dict(waves))
    except OrderError as error:
        text = str(error).partition("cycle: ")[2].partition(";")[0].split(" → ")
        assert text[0] == text[-1]
        assert all(pair in pairs for pair in pairwise(text))
        return
    assert cycles.groups({name: list(map(ComponentName, needs[name].split())) for name in NAMES}) == []
    late = {(a, b) for a, b in pairs if a != b and order.waves[ComponentName(a)] <= order.waves[ComponentName(b)]}
    assert late == set(order.conflicts)
    assert all(order.waves[ComponentName(name)] == wave for name, wave in waves.items())
    if not waves:
        assert not late
