"""New CRDs before the rest: as Argo CD would apply them, and what Argo CD is asked to do after them."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from tests.gitops.conftest import body, crd, part
from tests.stages.deliver.argocd.test_delivery import ARGO, EXISTING, GITOPS, SHOP, deployed, healthy
from tests.stages.deliver.deliveries import Delivery, still_waiting

from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import Stack
from cluster_forge.stages.deliver.results import State

MANY, FEW = 12, 3
SECRET = "Secret/cluster-forge-refresh"


def definition(number: int) -> dict[str, Any]:
    versions = [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}]
    names = {"kind": f"Kind{number}", "plural": f"kind{number}s"}
    group = "early.example.com"
    return crd(f"kind{number}s.{group}", group=group, names=names, scope="Cluster", versions=versions)


def operator(count: int) -> Part:
    return part("operator", [*map(definition, range(count)), body("v1", "ConfigMap", "settings", "operator")])


def managers(delivery: Delivery, name: str) -> set[str]:
    there = delivery.there("CustomResourceDefinition", name, group="apiextensions.k8s.io")
    return {fields["manager"] for fields in there["metadata"]["managedFields"]}


def cluster_secret(server: str, namespace: str = "gitops") -> Body:
    labels = {"argocd.argoproj.io/secret-type": "cluster"}
    data = {"server": base64.b64encode(server.encode()).decode(), "config": "e30="}
    return {**body("v1", "Secret", "this-cluster", namespace, labels=labels), "data": data}


def test_new_crds_come_first_as_argo_cd_would_apply_them() -> None:
    delivery, _, results = deployed(EXISTING, [operator(MANY), SHOP], {}, *GITOPS, knows_objects=True)
    assert results["operator"].state is State.READY
    assert not still_waiting(delivery.reporter)
    applied = delivery.applied()
    assert {kind.partition("/")[0] for kind in applied[:MANY]} == {"CustomResourceDefinition"}
    assert managers(delivery, "kind0s.early.example.com") == {"argocd-controller"}
    assert "CustomResourceDefinition" not in {kind.partition("/")[0] for kind in applied[MANY:]}


def test_crds_that_are_there_are_left_to_argo_cd() -> None:
    there = definition(0)
    delivery, _, _ = deployed(EXISTING, [operator(FEW)], {}, *GITOPS, there, knows_objects=True)
    crds = [name for name in delivery.applied() if name.startswith("CustomResourceDefinition/")]
    assert crds == [f"CustomResourceDefinition/kind{number}s.early.example.com" for number in range(1, FEW)]


def test_who_may_not_create_crds_leaves_them_to_argo_cd() -> None:
    denied = frozenset({("create", "CustomResourceDefinition", "*")})
    delivery, _, results = deployed(EXISTING, [operator(MANY)], {}, *GITOPS, knows_objects=True, denied=denied)
    assert results["operator"].state is State.READY
    assert not [name for name in delivery.applied() if name.startswith("CustomResourceDefinition/")]


def test_an_argo_cd_of_the_stack_comes_after_the_crds_with_its_own() -> None:
    delivery, _, _ = deployed(Stack(name="demo"), [ARGO, operator(MANY)], {}, knows_objects=True)
    applied = delivery.applied()
    last = max(number for number, name in enumerate(applied) if name.endswith(".early.example.com"))
    assert last < applied.index("StatefulSet/controller")
    assert SECRET not in applied, "it has no view of the cluster yet"


def test_a_running_argo_cd_is_asked_to_look_at_the_cluster_again() -> None:
    delivery, _, _ = deployed(EXISTING, [operator(MANY)], {}, *GITOPS, knows_objects=True)
    (asked,) = (one for one in delivery.cluster.requests if one.verb == "apply" and one.target.kind == "Secret")
    assert asked.body
    assert asked.body["metadata"]["namespace"] == "gitops"
    assert asked.body["metadata"]["annotations"]["argocd.argoproj.io/refresh"].endswith("Z")
    assert base64.b64decode(asked.body["data"]["server"]) == b"https://kubernetes.default.svc"
    assert asked.target not in delivery.cluster.objects(), "it is there for a moment"


@pytest.mark.parametrize("server", ["https://kubernetes.default.svc", "https://elsewhere.example.com"])
def test_a_secret_of_others_for_this_cluster_is_asked(server: str) -> None:
    delivery, _, _ = deployed(EXISTING, [operator(MANY)], {}, *GITOPS, cluster_secret(server), knows_objects=True)
    theirs = delivery.there("Secret", "this-cluster", "gitops")
    is_here = server == "https://kubernetes.default.svc"
    assert ("argocd.argoproj.io/refresh" in theirs["metadata"].get("annotations", {})) is is_here
    assert (SECRET in delivery.applied()) is not is_here


def test_few_crds_are_not_worth_it() -> None:
    delivery, _, _ = deployed(EXISTING, [operator(FEW)], {}, *GITOPS, knows_objects=True)
    assert SECRET not in delivery.applied()


class Stale:
    """An Application with CRDs that Argo CD takes for new, in its view of the cluster, the first ``times`` that it compares."""

    def __init__(self, times: int, *others: str) -> None:
        self.left = times
        self.resources = [
            {"kind": kind, "name": "a", "status": "Synced"} for kind in ("CustomResourceDefinition", *others)
        ]

    def __call__(self, application: Body) -> dict[str, Any]:
        self.left -= 1
        health = "Progressing" if self.left >= 0 else "Healthy"
        return {**healthy(application), "resources": self.resources, "health": {"status": health}}


def times_asked(delivery: Delivery) -> int:
    return sum(
        one.verb == "apply" and str(one.target) == "Secret/gitops/cluster-forge-refresh"
        for one in delivery.cluster.requests
    )


@pytest.mark.parametrize(("times", "asked"), [(0, 1), (1, 1), (2, 2), (3, 3)])
def test_crds_that_it_still_takes_for_new_have_it_look_again(times: int, asked: int) -> None:
    """Seen on 3.5.7: an event of the old view came into the new one, and the root waited for ever."""
    delivery, _, results = deployed(
        EXISTING, [operator(MANY), SHOP], {"demo.crds.1": Stale(times)}, *GITOPS, knows_objects=True
    )
    assert results["operator"].state is State.READY
    assert times_asked(delivery) == asked
    assert delivery.clock.monotonic() < 100, "Argo CD itself would have looked after 600 s"


def test_what_else_is_not_healthy_yet_has_it_not_look_again() -> None:
    looks = {"demo.crds.1": Stale(4, "ConfigMap")}
    delivery, _, _ = deployed(EXISTING, [operator(MANY), SHOP], looks, *GITOPS, knows_objects=True)
    assert times_asked(delivery) == 1


def test_a_view_that_it_was_not_asked_for_is_left_alone() -> None:
    looks = {"demo.crds.1": Stale(4)}
    delivery, _, _ = deployed(EXISTING, [operator(FEW), SHOP], looks, *GITOPS, knows_objects=True)
    assert times_asked(delivery) == 0


def test_it_looks_again_when_it_has_found_the_new_groups() -> None:
    delivery, _, _ = deployed(EXISTING, [operator(MANY)], {}, *GITOPS, knows_objects=True)
    assert delivery.clock.slept[0] == pytest.approx(5), "as long as it may still look for them by itself"
