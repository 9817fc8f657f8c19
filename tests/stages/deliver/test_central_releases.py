"""Releases of the clusters of a central Argo CD: kept, gone back to, and removed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.fake_cluster import FakeRequest
from tests.gitops.conftest import part
from tests.stages.deliver import central_hub
from tests.stages.deliver.central_hub import EXTRAS, SHOP, Hub, cast, clusters, stack
from tests.stages.deliver.deliveries import PASSING, identity
from tests.stages.deliver.test_rollback import LOSSES, volume, widgets

from cluster_forge.foundation.errors import (
    DeploymentError,
    ForgeError,
    PreflightError,
    ReleaseError,
    UnknownNameError,
)
from cluster_forge.gitops import release
from cluster_forge.ports.cluster import Query
from cluster_forge.stages.deliver import central, central_remove, obstacles
from cluster_forge.stages.deliver.argocd import central_stacks
from cluster_forge.stages.deliver.cluster_records import audit_log, releases
from cluster_forge.stages.deliver.removal.deletion import Deletion
from cluster_forge.stages.deliver.results import State


@pytest.fixture
def hub() -> Hub:
    return central_hub.made()


class TestReleases:
    """Each cluster has releases of its own, in the cluster of Argo CD."""

    def test_a_deployment_is_a_release_of_each_cluster(self, hub: Hub) -> None:
        staging, eu = clusters(hub, SHOP)
        hub.deploy(staging)
        hub.argocd.ill.add("eu")
        assert hub.deploy(staging, eu) == {"staging": State.UNCHANGED, "eu": State.FAILED}
        assert hub.releases("staging") == [(1, "deployed", ""), (2, "deployed", "")]
        assert hub.releases("eu") == [(1, "failed", "")]
        assert releases.listed(hub.delivery.cluster, "demo") == (), "the cluster of Argo CD itself has none"
        assert releases.stacks(hub.delivery.cluster) == ()
        log = audit_log.read(hub.delivery.cluster, "demo")
        assert [(entry.cluster, entry.release, entry.result) for entry in log] == [
            ("staging", 1, "deployed"),
            ("staging", 2, "deployed"),
            ("eu", 1, "failed"),
        ]

    def test_the_clusters_share_the_files_that_are_the_same(self, hub: Hub) -> None:
        def contents() -> set[str]:
            secrets = hub.delivery.cluster.list(Query(group="", kind="Secret", labels="cluster-forge/release-content"))
            return {body["metadata"]["name"] for body in secrets.items}

        staging, eu = clusters(hub, SHOP)
        hub.deploy(staging)
        alone = contents()
        hub.deploy(eu)
        assert contents() == alone != set()
        releases.remove_of("demo", "staging", hub.delivery.tools)
        assert contents() == alone
        releases.remove_of("demo", "eu", hub.delivery.tools)
        assert contents() == set()

    def test_old_releases_of_one_cluster_take_no_files_of_another(self, hub: Hub) -> None:
        staging, _ = clusters(hub, SHOP)
        _, eu = clusters(hub, SHOP, EXTRAS)
        hub.deploy(eu)
        for _ in range(releases.KEPT + 2):
            hub.deploy(staging)
        assert len(hub.releases("staging")) == releases.KEPT
        (kept,) = releases.listed(hub.delivery.cluster, "demo", "eu")
        wanted = obstacles.with_deciding_fields(eu.deployment, eu.parts)
        assert releases.deployment(kept, hub.delivery.tools).files == wanted.files


class TestWayBack:
    """One cluster goes back to an earlier release: one pin moves."""

    def test_the_pin_goes_back_and_all_others_stay(self, hub: Hub) -> None:
        hub.deploy(*clusters(hub, SHOP, EXTRAS))
        before = hub.pins
        hub.deploy(*clusters(hub, SHOP))
        after = hub.pins
        template = hub.delivery.there("ApplicationSet", "demo.clusters", "argocd", "argoproj.io")["spec"]["template"]
        assert hub.go_back("eu") == (1, State.READY)
        assert hub.pins == after | {"eu": before["eu"]} != after
        found = hub.delivery.there("ApplicationSet", "demo.clusters", "argocd", "argoproj.io")["spec"]
        assert found["template"] == template
        assert "Secret" in hub.kinds, "the extras are permitted again"
        assert hub.releases("eu")[-1] == (3, "deployed", "rollback to 1")
        assert len(hub.releases("staging")) == 2

    def test_it_goes_to_the_release_that_is_named(self, hub: Hub) -> None:
        for parts in ([SHOP], [SHOP, EXTRAS], [SHOP]):
            hub.deploy(*clusters(hub, *parts))
        assert hub.go_back("staging", 2) == (2, State.READY)
        assert hub.pins["staging"] != hub.pins["eu"]

    def test_the_repository_of_now_is_kept(self, hub: Hub) -> None:
        hub.deploy(*clusters(hub, SHOP))
        moved = replace(
            clusters(hub, SHOP)[0], deployment=cast(stack(url="https://git.example.com/moved.git"), (SHOP,))
        )
        hub.argocd.push(moved.deployment, stack(url="https://git.example.com/moved.git"), (SHOP,), ["staging"])
        hub.deploy(moved)
        hub.go_back("staging", 1)
        found = hub.delivery.there("ApplicationSet", "demo.clusters", "argocd", "argoproj.io")
        assert found["spec"]["template"]["spec"]["source"]["repoURL"] == "https://git.example.com/moved.git"

    @pytest.mark.parametrize(("former", "present", "_target", "_status", "message"), LOSSES)
    def test_what_the_newest_release_says_would_be_lost_keeps_the_pin_where_it_is(
        self,
        hub: Hub,
        former: list[dict[str, Any]],
        present: list[dict[str, Any]],
        _target: object,
        _status: object,
        message: str,
    ) -> None:
        for bodies in (former, present):
            hub.deploy(*clusters(hub, part("shop", bodies)))
        before = hub.delivery.cluster.objects()
        with pytest.raises(ReleaseError, match=message) as refused:
            hub.go_back("eu")
        assert "--recreate" not in str(refused.value.fix), "Argo CD has no such option"
        assert hub.planned("eu").release.number == 1, "a dry run shows what would change beside it"
        assert hub.delivery.cluster.objects() == before
        assert hub.planned("eu", is_forced=True).obstacles == ()
        assert hub.go_back("eu", is_forced=True) == (1, State.READY)

    def test_a_version_of_a_crd_that_stores_nothing_may_go(self, hub: Hub) -> None:
        hub.deploy(*clusters(hub, part("shop", [widgets("v2")])))
        hub.deploy(*clusters(hub, part("shop", [widgets("v1beta1", "v2")])))
        assert hub.go_back("eu") == (1, State.READY)

    def test_a_way_back_keeps_what_the_next_one_is_compared_with(self, hub: Hub) -> None:
        for size in ("2Gi", "1Gi"):
            hub.deploy(*clusters(hub, part("shop", [volume(size)])))
        assert hub.go_back("eu") == (1, State.READY)
        with pytest.raises(ReleaseError, match="the volume has 2Gi, and 1Gi in that release"):
            hub.go_back("eu", 2)

    def test_what_others_deploy_before_the_lease_is_held_stays(self, hub: Hub) -> None:
        three = {"staging": 1, "eu": 2, "us": 3}
        for parts in ([SHOP], [SHOP, EXTRAS]):
            hub.deploy(*clusters(hub, *parts))
        planned = hub.planned("eu")
        hub.deploy(*clusters(hub, SHOP, names=three), described="staging eu us")
        others = hub.pins
        with central.opened(planned.rollout, hub.delivery.tools) as rollout:
            rollout.deliver("eu", hub.delivery.reporter)
        assert {name: hub.pins[name] for name in ("staging", "us")} == {
            name: others[name] for name in ("staging", "us")
        }

    def test_a_pin_that_others_take_away_before_the_lease_is_held_does_not_come_back(self, hub: Hub) -> None:
        for parts in ([SHOP], [SHOP, EXTRAS]):
            hub.deploy(*clusters(hub, *parts))
        planned = hub.planned("eu")
        central_remove.remove(hub.removal("eu"), "host/1/3", hub.delivery.tools)
        with (
            pytest.raises(UnknownNameError, match="not delivered to eu any more"),
            central.opened(planned.rollout, hub.delivery.tools),
        ):
            pass
        assert list(hub.pins) == ["staging"]

    def test_a_release_that_does_not_say_what_would_be_lost(self, hub: Hub) -> None:
        one = replace(clusters(hub, part("shop", [volume("1Gi")]))[1], parts=())  # as it was kept once
        with central.opened(hub.request(one), hub.delivery.tools) as rollout:
            for _ in range(2):
                rollout.deliver("eu", hub.delivery.reporter)
        assert "release 2 does not say what going back would lose in eu" in hub.planned("eu").unseen

    @pytest.mark.parametrize(
        ("cluster", "to", "error"),
        [("eux", None, UnknownNameError), ("eu", None, ReleaseError), ("eu", 7, ReleaseError)],
    )
    def test_what_is_not_there_changes_nothing(
        self, hub: Hub, cluster: str, to: int | None, error: type[Exception]
    ) -> None:
        hub.deploy(*clusters(hub, SHOP))
        before = hub.delivery.cluster.objects()
        with pytest.raises(error):
            hub.go_back(cluster, to)
        assert hub.delivery.cluster.objects() == before


def changes(hub: Hub) -> list[FakeRequest]:
    return [request for request in hub.delivery.cluster.requests if request.verb == "patch"]


class TestRemoval:
    """A stack leaves one cluster, through Argo CD."""

    def remove(self, hub: Hub, cluster: str) -> Deletion:
        hub.delivery.cluster.requests.clear()
        return central_remove.remove(hub.removal(cluster), "host/1/3", hub.delivery.tools)

    def test_the_last_wave_goes_first_with_its_objects(self, hub: Hub) -> None:
        hub.deploy(*clusters(hub, SHOP, EXTRAS))
        planned = central_remove.planned(hub.removal("eu"), hub.delivery.tools)
        assert planned == central_remove.CentralPlan(components=("extras", "shop"), objects=2)
        done = self.remove(hub, "eu")
        applications = [
            (request.verb, request.target.name)
            for request in hub.delivery.cluster.requests
            if request.target.kind == "Application" and request.verb in ("patch", "delete")
        ]
        assert [name for verb, name in applications if verb == "delete"] == [
            "demo.eu.argo-apps",
            "demo.eu.extras",
            "demo.eu.shop",
        ]
        assert hub.applications == ["demo.staging.argo-apps", "demo.staging.extras", "demo.staging.shop"]
        assert list(hub.pins) == ["staging"]
        assert {str(target) for target in done.deleted} == {"ConfigMap/shop/a"}
        assert {str(target) for target, _ in done.kept} == {"Namespace/shop"}
        assert (hub.releases("eu"), len(hub.releases("staging"))) == ([], 1)
        last = audit_log.read(hub.delivery.cluster, "demo")[-1]
        assert (last.action, last.cluster) == ("remove", "eu")

    def test_what_others_deploy_before_the_lease_is_held_stays(self, hub: Hub) -> None:
        hub.deploy(*clusters(hub, SHOP))
        removal = hub.removal("eu")
        hub.deploy(*clusters(hub, SHOP, EXTRAS))
        others = hub.pins
        central_remove.remove(removal, "host/1/3", hub.delivery.tools)
        assert hub.pins == {"staging": others["staging"]}

    def test_argo_cd_takes_the_objects_along(self, hub: Hub) -> None:
        hub.deploy(*clusters(hub, SHOP))
        application = hub.delivery.there("Application", "demo.eu.shop", "argocd", "argoproj.io")
        metadata = {**application["metadata"], "finalizers": ["example.com/mine"]}
        hub.delivery.cluster.put({**application, "metadata": metadata})
        seen: list[list[str]] = []

        def note(request: FakeRequest) -> None:
            if request.verb == "delete" and request.target.name == "demo.eu.shop":
                there = hub.delivery.there("Application", "demo.eu.shop", "argocd", "argoproj.io")
                seen.append(list(there["metadata"]["finalizers"]))
                hub.delivery.cluster.put({**there, "metadata": {**there["metadata"], "finalizers": []}})

        hub.delivery.cluster.before = note
        self.remove(hub, "eu")
        assert seen == [["example.com/mine", "resources-finalizer.argocd.argoproj.io"]]

    def test_applications_that_go_with_their_root_are_left_alone(self, hub: Hub) -> None:
        """With `gitops.finalizers` the root takes them along."""
        hub.deploy(*clusters(hub, SHOP))

        def cascade(request: FakeRequest) -> None:
            if request.verb == "delete" and request.target.name == "demo.eu.argo-apps":
                hub.delivery.cluster.delete(identity("Application", "demo.eu.shop", "argocd", "argoproj.io"))

        hub.delivery.cluster.before = cascade
        self.remove(hub, "eu")
        assert hub.applications == ["demo.staging.argo-apps", "demo.staging.shop"]

    def test_after_the_last_cluster_nothing_is_left(self, hub: Hub) -> None:
        before = set(hub.delivery.cluster.objects())
        hub.deploy(*clusters(hub, SHOP))
        self.remove(hub, "eu")
        assert "demo.project" in str(sorted(hub.delivery.cluster.objects()))
        self.remove(hub, "staging")
        left = set(hub.delivery.cluster.objects()) - before
        assert {target for target in left if target.kind != "Event"} == set()

    def test_what_the_cluster_keeps_of_other_stacks_stays(self, hub: Hub) -> None:
        hub.deploy(*clusters(hub, SHOP))
        kept = releases.listed(hub.delivery.cluster, "demo", "eu")[0]
        hub.delivery.cluster.put(release.secret(replace(kept, stack="other")))
        for cluster in ("eu", "staging"):
            self.remove(hub, cluster)
        assert releases.listed(hub.delivery.cluster, "other", "eu")

    def test_a_removal_that_was_killed_goes_on(self, hub: Hub) -> None:
        hub.deploy(*clusters(hub, SHOP, names={"eu": 1}), described="eu")

        def kill(request: FakeRequest) -> None:
            if request.verb == "delete" and request.target.kind == "AppProject":
                raise KeyboardInterrupt

        hub.delivery.cluster.before = kill
        with pytest.raises(KeyboardInterrupt):
            self.remove(hub, "eu")
        hub.delivery.cluster.before = lambda _: None
        central_remove.planned(hub.removal("eu"), hub.delivery.tools)
        self.remove(hub, "eu")
        assert central_stacks.of(hub.delivery.cluster) == ()

    def test_what_the_user_may_not_do_is_said_before_the_first_change(self, hub: Hub) -> None:
        hub.deploy(*clusters(hub, SHOP))
        hub.delivery.cluster.denied = {("delete", "Application", "argocd")}
        before = hub.delivery.cluster.objects()
        with pytest.raises(PreflightError, match=r"may not delete applications\.argoproj\.io in namespace argocd"):
            self.remove(hub, "eu")
        assert hub.delivery.cluster.objects() == before

    @pytest.mark.parametrize("error", PASSING)
    def test_a_cluster_that_does_not_answer_for_a_moment_stops_nothing(self, hub: Hub, error: ForgeError) -> None:
        hub.deploy(*clusters(hub, SHOP))
        removal, looks = hub.removal("eu"), list[str]()
        hub.delivery.cluster.requests.clear()

        def refuse(request: FakeRequest) -> None:
            if request.verb == "list" and request.target.kind == "Application" and changes(hub):
                looks.append(request.verb)
                if len(looks) in (2, 3):  # the first one is the controller's own
                    raise error

        hub.delivery.cluster.before = refuse
        central_remove.remove(removal, "host/1/3", hub.delivery.tools)
        assert len(looks) > 3
        assert list(hub.pins) == ["staging"]

    def test_a_controller_that_does_nothing_is_named(self, hub: Hub) -> None:
        hub.deploy(*clusters(hub, SHOP))
        hub.argocd.stands_still = True
        with pytest.raises(DeploymentError, match="ApplicationSet controller has not deleted"):
            self.remove(hub, "eu")
        assert "demo.eu.shop" in hub.applications

    def test_a_cluster_that_has_nothing_of_it(self, hub: Hub) -> None:
        hub.deploy(*clusters(hub, SHOP))
        with pytest.raises(UnknownNameError, match="not delivered to stagin"):
            central_remove.planned(hub.removal("stagin"), hub.delivery.tools)
