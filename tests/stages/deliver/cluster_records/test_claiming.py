"""Claiming objects and handing them over, as deploy.sh does it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fake_cluster import FakeCluster
from tests.gitops.conftest import body, crd, part
from tests.stages.deliver.preflight.situations import EXISTING, namespace, planned, tools, workload

from cluster_forge.gitops import owners
from cluster_forge.gitops.owners import Verdict
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.stages.deliver.cluster_records import claiming

WEB = workload("Deployment", "web")
KEY = body("v1", "ConfigMap", "key", "shop", data={})
CLAIM = ObjectId(group="", kind="ConfigMap", namespace="cluster-forge", name="claim-demo")
RUN = "host/1/2"


def judged(plan: DeployPlan, cluster: FakeCluster) -> Verdict:
    return owners.judge(claiming.facts(plan, tools(cluster)))


def claim(plan: DeployPlan, cluster: FakeCluster) -> None:
    if ObjectId(group="", kind="Namespace", namespace="", name="cluster-forge") not in cluster.objects():
        cluster.put(namespace("cluster-forge"))
    claiming.claim(plan, judged(plan, cluster), tools(cluster), run=RUN)


def claimed(cluster: FakeCluster, stack: str = "demo") -> str:
    target = ObjectId(group="", kind="ConfigMap", namespace="cluster-forge", name=f"claim-{stack}")
    return str(cluster.objects()[target]["data"]["objects"])


def claim_of(stack: str, *lines: str) -> dict[str, Any]:
    labels = {"cluster-forge/claim": "objects", "cluster-forge/stack": stack}
    data = {"objects": "".join(f"{line}\n" for line in lines)}
    return body("v1", "ConfigMap", f"claim-{stack}", "cluster-forge", labels=labels, data=data)


def test_the_first_deployment_makes_the_claim() -> None:
    cluster = FakeCluster()
    claim(planned(WEB, KEY), cluster)
    assert claimed(cluster) == "ConfigMap shop key -\nDeployment.apps shop web -\n"
    metadata = cluster.objects()[CLAIM]["metadata"]
    assert metadata["annotations"]["cluster-forge/run"] == RUN
    assert metadata["labels"]["cluster-forge/stack"] == "demo"
    claim(planned(WEB, KEY), cluster)  # again


def test_what_has_left_the_stack_stays_claimed_data_for_ever_and_the_rest_until_it_is_pruned() -> None:
    cluster = FakeCluster()
    gone = ("PersistentVolumeClaim shop data -", "Secret shop gone -", "Deployment.apps shop web -")
    cluster.put(namespace("cluster-forge"), claim_of("demo", *gone))
    claim(planned(WEB), cluster)
    kept = "PersistentVolumeClaim shop data stays-behind\nSecret shop gone leaves\n"
    assert claimed(cluster) == f"{kept}Deployment.apps shop web -\n"


def test_a_narrowed_stack_keeps_the_rest_claimed() -> None:
    cluster = FakeCluster()
    cluster.put(namespace("cluster-forge"), claim_of("demo", "Secret shop rest -"))
    narrowed = planned(WEB, left_out=(part("rest", []).name,))
    assert narrowed.narrowed
    claim(narrowed, cluster)
    assert claimed(cluster) == "Secret shop rest -\nDeployment.apps shop web -\n"


def test_what_is_adopted_leaves_the_claim_of_the_other_stack() -> None:
    cluster = FakeCluster()
    cluster.put(namespace("cluster-forge"), claim_of("other", "Deployment.apps shop web -", "Secret other key -"))
    claim(planned(WEB), cluster)
    assert claimed(cluster, "other") == "Secret other key -\n"
    assert claimed(cluster) == "Deployment.apps shop web -\n"


@pytest.mark.parametrize(("there", "here"), [("old", ""), ("", "new"), ("old", "new")])
def test_the_claim_has_the_environment(there: str, here: str) -> None:
    cluster = FakeCluster()
    claim(planned(WEB, environment=there), cluster)
    claim(planned(WEB, environment=here), cluster)
    labels = cluster.objects()[CLAIM]["metadata"]["labels"]
    assert labels.get("cluster-forge/environment", "") == here


def test_few_listings_find_all_that_is_there() -> None:
    """Not a request for each object."""
    cluster = FakeCluster()
    spaces = [f"n{number}" for number in range(6)]
    bodies = [body("v1", "ConfigMap", f"c{number}", space, data={}) for space in spaces for number in range(5)]
    cluster.put(*map(namespace, spaces), *bodies, WEB, namespace("shop"))
    facts = claiming.facts(planned(WEB, *bodies), tools(cluster))
    assert len(facts.live) == 31
    assert [request.verb for request in cluster.requests] == ["list"] * len(cluster.requests)
    assert len(cluster.requests) <= 6


def application(name: str, stack: str = "demo", **spec: Any) -> dict[str, Any]:
    labels = {"cluster-forge/stack": stack}
    return body("argoproj.io/v1alpha1", "Application", name, "argocd", labels=labels, spec=spec)


def with_argo_cd(*more: dict[str, Any]) -> FakeCluster:
    versions = [{"name": "v1alpha1", "served": True, "storage": True}]
    names = {"kind": "Application", "plural": "applications"}
    definition = crd(
        "applications.argoproj.io", group="argoproj.io", names=names, scope="Namespaced", versions=versions
    )
    cluster = FakeCluster()
    cluster.put(definition, namespace("argocd"), namespace("shop"))
    cluster.put(*more)
    return cluster


def test_applications_of_the_older_naming_end_without_their_objects() -> None:
    old = application("shop", source={"path": "shop"})
    old["metadata"]["finalizers"] = ["resources-finalizer.argocd.argoproj.io"]
    cluster = with_argo_cd(old, application("demo", source={"path": "argo-apps"}), WEB)
    plan = planned(WEB, gitops=EXISTING)
    claiming.take_over(plan, judged(plan, cluster), tools(cluster))
    deleted = [request.target.name for request in cluster.requests if request.verb == "delete"]
    assert deleted == ["demo", "shop"]
    left = [str(target) for target in cluster.objects() if target.group == "argoproj.io"]
    assert left == []
    assert any(target.name == "web" for target in cluster.objects())


def test_an_object_that_another_component_has_now_is_handed_over() -> None:
    automated = {"automated": {"prune": True}}
    tracked = {"argocd.argoproj.io/tracking-id": "demo.web:apps/Deployment:shop/web"}
    web = {**WEB, "metadata": {**WEB["metadata"], "annotations": tracked}}
    cluster = with_argo_cd(
        application("demo.web", syncPolicy=automated), application("demo.argo-apps", syncPolicy=automated), web
    )
    plan = planned(WEB, gitops=EXISTING)
    claiming.take_over(plan, judged(plan, cluster), tools(cluster))
    patched = [request.target.name for request in cluster.requests if request.verb == "patch"]
    assert patched == ["demo.argo-apps", "demo.web", "web"]
    objects = {target.name: content for target, content in cluster.objects().items()}
    assert objects["demo.web"]["spec"]["syncPolicy"] == {}
    annotations = objects["web"]["metadata"]["annotations"]
    assert annotations["argocd.argoproj.io/tracking-id"] == "demo.shop:apps/Deployment:shop/web"
