"""`clusters` and `rollout` of a description."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cluster_forge.foundation.errors import DescriptionError, UnknownNameError
from cluster_forge.stack.clusters import DescribedCluster, Fleet, Rollout, RolloutWait

Native = Callable[..., Any]
EU, US = {"region": "eu"}, {"region": "us", "tier": "test"}
FLEET = Fleet(
    clusters=(
        DescribedCluster(name="b", context="b", environment="production", labels=EU),
        DescribedCluster(name="a", context="a", environment="production", labels=US),
        DescribedCluster(name="stage", context="s", environment="staging", labels=EU),
        DescribedCluster(name="lab", context="l"),
    ),
    rollout=Rollout(order=("staging", "a", "production")),
)


def test_clusters_have_a_context_an_environment_and_labels(native: Native) -> None:
    text = """\
clusters:
- {name: staging}
- {name: eu-1, context: admin@eu-1, kubeconfig: ~/.kube/eu, environment: production, labels: {region: eu}}
rollout: {order: [staging, production], wait: applied, maxUnavailable: 2}
environments: {production: {target: {size: large}}}
"""
    assert native(text).load().fleet == Fleet(
        clusters=(
            DescribedCluster(name="staging", context="staging", where="input/config.yaml:5"),
            DescribedCluster(
                name="eu-1",
                context="admin@eu-1",
                kubeconfig="~/.kube/eu",
                environment="production",
                labels={"region": "eu"},
                where="input/config.yaml:6",
            ),
        ),
        rollout=Rollout(order=("staging", "production"), wait=RolloutWait.APPLIED, max_unavailable=2),
    )


def test_one_context_in_two_kubeconfigs_is_two_clusters(native: Native) -> None:
    text = "clusters: [{name: a, context: admin, kubeconfig: /a}, {name: b, context: admin, kubeconfig: /b}]\n"
    assert len(native(text).load().fleet.clusters) == 2


def test_clusters_merge_by_name(native: Native) -> None:
    text = """\
clusters: [{name: a, context: x}, {name: b}]
environments:
  other: {clusters: [{name: b, remove: true}, {name: a, labels: {region: eu}}, {name: c}]}
"""
    clusters = native(text).load(environment="other").fleet.clusters
    assert [(one.name, one.context, one.labels) for one in clusters] == [("a", "x", EU), ("c", "c", {})]


def test_the_clusters_do_not_change_what_is_cast(native: Native) -> None:
    without, changed = native("").load(), native("clusters: [{name: a}]\nrollout: {order: [a]}\n").load()
    assert (without.digest, without.stack) == (changed.digest, changed.stack)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clusters: [{name: A}]", "'A' is not a DNS label"),
        ("clusters: [{name: a}, {name: a}]", "duplicate cluster 'a': already defined at input/config.yaml:4"),
        (
            "clusters: [{name: a, context: x}, {name: b, context: x}]",
            "clusters: b has the context 'x', which a has, too",
        ),
        ("clusters: [{name: a}, {name: b, context: a}]", "clusters: b has the context 'a', which a has, too"),
        (
            "clusters: [{name: a, context: x, kubeconfig: ~/k}, {name: b, context: x, kubeconfig: ~/./k}]",
            "clusters: b has the context 'x', which a has, too",
        ),
        ("clusters: [{name: a, contxt: b}]", "contxt"),
        ("clusters: [{name: stage}]\nrollout: {order: [stagee]}", "did you mean 'stage'"),
        ("rollout: {wait: never}", "never"),
        ("rollout: {maxUnavailable: 0}", "maxUnavailable"),
    ],
)
def test_what_is_wrong_has_a_place(text: str, message: str, native: Native) -> None:
    with pytest.raises(DescriptionError) as caught:
        native(text).load()
    assert message in str(caught.value)
    assert (caught.value.where or "").startswith("input/config.yaml:")


@pytest.mark.parametrize(
    ("names", "selector", "chosen"),
    [
        ((), "", ["b", "a", "stage", "lab"]),
        (("stage", "b"), "", ["b", "stage"]),
        ((), "region=eu", ["b", "stage"]),
        ((), "region==eu, tier!=test", ["b", "stage"]),
        ((), "tier", ["a"]),
        ((), "!region", ["lab"]),
        ((), "region!=eu", ["a", "lab"]),
        (("a", "b"), "region=us", ["a"]),
    ],
)
def test_clusters_are_chosen_by_name_and_label(names: tuple[str, ...], selector: str, chosen: list[str]) -> None:
    assert [cluster.name for cluster in FLEET.chosen(names, selector)] == chosen


@pytest.mark.parametrize(
    ("names", "selector", "message"),
    [
        (("stag",), "", "no cluster 'stag'"),
        ((), "region=asia", "no cluster has the labels 'region=asia'"),
        (("stage",), "region=asia", "none of stage has the labels 'region=asia'"),
    ],
)
def test_a_choice_of_nothing_is_an_error(names: tuple[str, ...], selector: str, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        FLEET.chosen(names, selector)


def test_a_requirement_without_a_key_is_an_error() -> None:
    with pytest.raises(DescriptionError, match="'=eu' is not a requirement"):
        FLEET.chosen((), "=eu")


def test_a_rollout_goes_in_its_order_and_ends_with_the_rest() -> None:
    steps = FLEET.steps(FLEET.clusters)
    assert [[cluster.name for cluster in step] for step in steps] == [["stage"], ["a"], ["b"], ["lab"]]
