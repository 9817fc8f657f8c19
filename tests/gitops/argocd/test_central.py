"""The ApplicationSet and the AppProject of a central Argo CD."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.gitops.test_cluster_folder import PARTS, place, planned, stack

from cluster_forge.gitops import cluster_folder
from cluster_forge.gitops.argocd import applications, central, project
from cluster_forge.gitops.argocd.central import Pin
from cluster_forge.manifests.manifest import Body
from cluster_forge.stack.model import GitOpsEngine

PINS = tuple(
    Pin(
        cluster=name,
        name=f"demo.{name}.argo-apps",
        path=f"clusters/{name}/argo-apps",
        revision=f"{name}/v-1",
        step=step,
    )
    for name, step in (("staging", "1"), ("eu", "2"), ("us", "2"), ("asia", "10"))
)


def root() -> Body:
    plan = planned(stack(GitOpsEngine.ARGOCD))
    argocd = cluster_folder.placed_plan(plan, place(plan, is_central=True), yaml.safe_load).argocd
    assert argocd
    return applications.in_namespace(yaml.safe_load(argocd.sync.documents[0]), "argocd")


def generated(application_set: Body, cluster: str) -> dict[str, Any]:
    """The Application that Argo CD makes for a cluster."""
    elements = application_set["spec"]["generators"][0]["list"]["elements"]
    (element,) = (one for one in elements if one["cluster"] == cluster)
    text = re.sub(
        r"\{\{\.(\w+)\}\}", lambda match: element[match[1]], yaml.safe_dump(application_set["spec"]["template"])
    )
    made: dict[str, Any] = yaml.safe_load(text)
    return made


def test_it_makes_the_root_that_the_folder_of_the_cluster_is_for() -> None:
    wanted = root()
    source = wanted["spec"]["source"]
    pin = Pin(
        cluster="eu-1",
        name=wanted["metadata"]["name"],
        path=source["path"],
        revision=source["targetRevision"],
        step="1",
    )
    made = generated(central.application_set(wanted, "demo", [pin, *PINS], at_once=1), "eu-1")
    labels = made["metadata"]["labels"]
    assert labels.pop("cluster-forge/rollout-step") == "1"
    assert made["metadata"] == {key: value for key, value in wanted["metadata"].items() if key != "namespace"}
    assert made["spec"].pop("source") == {key: source[key] for key in ("repoURL", "targetRevision", "path")}
    assert made["spec"] == {key: value for key, value in wanted["spec"].items() if key != "source"}


def test_the_steps_of_the_rollout_are_in_their_order_and_every_cluster_is_in_one() -> None:
    body = central.application_set(root(), "demo", PINS, at_once=2)
    strategy = body["spec"]["strategy"]
    assert strategy["type"] == "RollingSync"
    steps = strategy["rollingSync"]["steps"]
    values = [step["matchExpressions"][0]["values"] for step in steps]
    assert values == [["1"], ["2"], ["10"]]
    assert {step["maxUpdate"] for step in steps} == {2}
    for pin in PINS:
        label = generated(body, pin.cluster)["metadata"]["labels"][steps[0]["matchExpressions"][0]["key"]]
        assert [label] in values


def test_a_cluster_that_leaves_keeps_everything_unless_finalizers_are_wanted() -> None:
    wanted = root()
    assert central.application_set(wanted, "demo", PINS, at_once=1)["spec"]["syncPolicy"] == {
        "preserveResourcesOnDeletion": True
    }
    final = {**wanted, "metadata": {**wanted["metadata"], "finalizers": ["x"]}}
    body = central.application_set(final, "demo", PINS, at_once=1)
    assert body["spec"]["syncPolicy"] == {"preserveResourcesOnDeletion": False}
    assert generated(body, "eu")["metadata"]["finalizers"] == ["x"]


def test_the_pins_in_a_cluster_are_read_again() -> None:
    body = central.application_set(root(), "demo", PINS, at_once=3)
    assert central.pins(body) == PINS
    assert central.at_once(body) == 3


@pytest.mark.parametrize("steps", [None, [], [None], [{"maxUpdate": "3"}], [{"maxUpdate": 0}], [{"maxUpdate": "10%"}]])
def test_where_a_rollout_says_nothing_one_cluster_changes_at_a_time(steps: object) -> None:
    assert central.at_once({"spec": {"strategy": {"rollingSync": {"steps": steps}}}}) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["list", "elements", "step"]), inner),
    max_leaves=10,
)


@given(generators=JSON)
def test_whatever_is_in_the_cluster_is_pins_or_nothing(generators: Any) -> None:
    assert central.pins({"spec": {"generators": generators}}) == ()
    assert central.pins({"spec": generators}) == ()


@pytest.mark.parametrize("step", ["", "x", "-1", "²"])
def test_an_element_whose_step_cannot_be_counted_is_left_out(step: str) -> None:
    element = {"cluster": "a", "name": "b", "path": "c", "revision": "d", "step": step}
    assert central.pins({"spec": {"generators": [{"list": {"elements": [element]}}]}}) == ()


def test_the_project_permits_the_clusters_by_their_names_and_nothing_of_argo_cds_own_but_applications() -> None:
    described = stack(GitOpsEngine.ARGOCD)
    own = project.body(described, PARTS)
    granted = central.rights(own, ["eu", "us"])
    assert granted.namespaces == frozenset()
    placed = project.in_namespace(project.with_rights(own, granted), "argocd")
    destinations = placed["spec"]["destinations"]
    assert [one["namespace"] for one in destinations if "server" in one] == ["argocd"]
    assert {one["name"] for one in destinations if "name" in one} == {"eu", "us"}
    assert project.rights(placed) == granted | project.Rights(namespaces=frozenset({"argocd"}))
    assert placed["spec"]["namespaceResourceWhitelist"] == own["spec"]["namespaceResourceWhitelist"]
