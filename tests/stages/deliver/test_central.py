"""A rollout through a central Argo CD."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.stages.deliver import central_hub
from tests.stages.deliver.central_hub import EXTRAS, SHOP, Hub, cast, clusters, stack

from cluster_forge.foundation.errors import (
    DeploymentError,
    DescriptionError,
    PreflightError,
)
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.cluster import Patch
from cluster_forge.stages.deliver import central
from cluster_forge.stages.deliver.results import State


@pytest.fixture
def hub() -> Hub:
    return central_hub.made()


def test_pins_move_one_after_the_other_and_the_project_ends_narrow(hub: Hub) -> None:
    both = clusters(hub, SHOP, EXTRAS)
    assert hub.check(*both)[0].code == "engine-setting"  # the health script: a warning
    assert hub.deploy(*both) == {"staging": State.READY, "eu": State.READY}
    assert hub.argocd.moved == [hub.pins["staging"], hub.pins["eu"]]
    assert "Secret" in hub.kinds
    without = clusters(hub, SHOP)
    with central.opened(hub.request(*without), hub.delivery.tools) as rollout:
        assert "Secret" in hub.kinds, "Argo CD prunes only what the project permits"
        for one in without:
            rollout.deliver(one.name, hub.delivery.reporter)
    assert "Secret" not in hub.kinds
    assert hub.deploy(*without) == {"staging": State.UNCHANGED, "eu": State.UNCHANGED}


def test_a_cluster_alone_leaves_the_others_where_they_are_and_the_project_wide(hub: Hub) -> None:
    hub.deploy(*clusters(hub, SHOP, EXTRAS))
    before = hub.pins
    staging, _ = clusters(hub, SHOP)
    hub.deploy(staging)
    assert hub.pins == before | {"staging": f"staging/{staging.deployment.plan.version}"} != before
    assert "Secret" in hub.kinds


def test_an_application_that_is_ill_fails_and_says_so(hub: Hub) -> None:
    hub.argocd.ill.add("staging")
    staging, _ = clusters(hub, SHOP)
    assert hub.deploy(staging) == {"staging": State.FAILED}
    assert list(hub.pins) == ["staging"]


def test_a_cluster_that_the_description_no_longer_has_is_no_longer_pinned(hub: Hub) -> None:
    both = clusters(hub, SHOP)
    hub.deploy(*both)
    hub.deploy(both[0], described="staging")
    assert list(hub.pins) == ["staging"]


def test_without_waiting_all_pins_move(hub: Hub) -> None:
    both = clusters(hub, SHOP)
    (problem,) = [one for one in hub.check(*both, waits=False) if "progressive" in one.message]
    assert not problem.is_error
    assert hub.deploy(*both, waits=False) == {"staging": State.APPLIED, "eu": State.APPLIED}
    assert list(hub.pins) == ["staging", "eu"]


def test_a_controller_that_does_nothing_is_named(hub: Hub) -> None:
    hub.argocd.stands_still = True
    staging, _ = clusters(hub, SHOP)
    with pytest.raises(DeploymentError, match="ApplicationSet controller has not moved"):
        hub.deploy(staging)


def test_what_argo_cd_lacks_is_said_before_the_first_change(hub: Hub) -> None:
    both = clusters(hub, SHOP, names={"staging": 1, "asia": 1})
    with pytest.raises(PreflightError) as refused:
        hub.check(*both, described="staging asia")
    error = refused.value
    assert "'asia'" in str(error)
    assert error.fix
    assert "it knows: eu, in-cluster, staging" in error.fix
    assert "password" not in str(error) + error.fix
    assert not [one for one in hub.delivery.cluster.requests if one.verb in ("apply", "create")]


def test_the_login_that_argo_cd_lacks_is_named_before_the_first_change(hub: Hub) -> None:
    with pytest.raises(PreflightError, match="the Secret with Argo CD's login") as refused:
        hub.check(replace(clusters(hub, SHOP)[0], deployment=cast(stack(secret="repository"), (SHOP,))))
    assert refused.value.where == "Secret/argocd/repository"


def test_a_paused_application_of_a_cluster_of_the_rollout_is_named(hub: Hub) -> None:
    staging, eu = clusters(hub, SHOP)
    hub.deploy(staging, eu)
    cluster = hub.delivery.cluster
    (paused,) = (one for one in cluster.objects().values() if one["metadata"]["name"] == "demo.staging.shop")
    pause = {"metadata": {"annotations": {"argocd.argoproj.io/skip-reconcile": "true"}}}
    cluster.patch(ObjectId.of(paused), pause, Patch.MERGE, manager="kubectl-annotate")
    hub.check(eu)
    with pytest.raises(PreflightError, match="it is paused") as refused:
        hub.check(staging, eu)
    assert refused.value.where == "Application.argoproj.io/argocd/demo.staging.shop"


def test_environments_with_other_repositories_are_refused(hub: Hub) -> None:
    staging, eu = clusters(hub, SHOP)
    other = cast(stack("production", url="https://git.example.com/other.git"), (SHOP,))
    with pytest.raises(DescriptionError, match="one repository"):
        hub.deploy(staging, replace(eu, deployment=other))
