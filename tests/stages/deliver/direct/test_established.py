"""Waiting until a fake cluster serves the kinds of CRDs."""

from __future__ import annotations

import pytest
from tests.fake_clock import FakeClock
from tests.fake_cluster import FakeCluster, FakeRequest
from tests.stages.deliver.deliveries import PASSING, WIDGETS

from cluster_forge.foundation.errors import ClusterError, DeploymentError, ForgeError, RefusedError
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.cluster import ServedKind, ServedKinds
from cluster_forge.stages.deliver.direct.established import Definitions

INSTALLING = [
    {"type": "NamesAccepted", "status": "True"},
    {"type": "Established", "status": "False", "reason": "Installing"},
]


class Restarted(FakeCluster):
    """An API server that was ended while it established a CRD: it goes on when the CRD changes."""

    def served(self, *, is_fresh: bool = False) -> ServedKinds:
        kinds = super().served(is_fresh=is_fresh)
        stored = self.objects().get(ObjectId.of(WIDGETS))
        is_forgotten = stored is not None and stored["status"]["conditions"] == INSTALLING
        return ServedKinds(tuple(kind for kind in kinds.kinds if not (is_forgotten and kind.kind == "Widget")))


@pytest.fixture
def restarted() -> Restarted:
    cluster = Restarted()
    cluster.put({**WIDGETS, "status": {"conditions": INSTALLING}})
    return cluster


def test_a_crd_that_a_restarted_server_has_forgotten_is_established(restarted: Restarted) -> None:
    clock = FakeClock()
    Definitions(restarted, clock).wait(["widgets.example.com"], 60, lambda _: None)
    assert clock.now < 30
    assert [request.verb for request in restarted.requests] == ["get", "get", "patch"]


def test_without_the_right_to_change_its_status_it_is_an_error_at_the_end(restarted: Restarted) -> None:
    def refuse(request: FakeRequest) -> None:
        if request.verb == "patch":
            raise RefusedError("forbidden", status=403, reason="Forbidden")

    restarted.before = refuse
    with pytest.raises(DeploymentError, match=r"is not served after 60 s"):
        Definitions(restarted, FakeClock()).wait(["widgets.example.com"], 60, lambda _: None)


def test_while_the_server_gets_on_no_crd_is_looked_at() -> None:
    """Each look is one more request for a server that is busy, and a CRD may have megabytes."""
    names = [f"widgets.{number}.example.com" for number in range(20)]
    clock = FakeClock()

    class Slow(FakeCluster):
        """One more kind is served every six seconds, until the last but ``refused``."""

        refused = 0

        def served(self, *, is_fresh: bool = False) -> ServedKinds:
            del is_fresh
            served = names[: min(int(clock.now / 6), len(names) - self.refused)]
            groups = [name.partition(".")[2] for name in served]
            return ServedKinds(
                tuple(
                    ServedKind(
                        group=group,
                        version="v1",
                        kind="Widget",
                        plural="widgets",
                        is_namespaced=True,
                        is_preferred=True,
                    )
                    for group in groups
                )
            )

    cluster = Slow()
    Definitions(cluster, clock).wait(names, 600, lambda _: None)
    assert cluster.requests == []
    clock.now, cluster.refused = 0.0, 1
    began = clock.now
    with pytest.raises(DeploymentError, match=r"widgets\.19\.example\.com.*is not served after 200 s"):
        Definitions(cluster, clock).wait(names, 200, lambda _: None)
    assert clock.now - began < 210
    looked_at = [request.target.name for request in cluster.requests]
    assert set(looked_at) == {"widgets.19.example.com"}
    assert len(looked_at) <= 7, "ever more seldom"


def test_another_component_whose_crds_are_served_first_gives_no_reason_to_look() -> None:
    clock = FakeClock()

    class Busy(FakeCluster):
        """Serves those of others, one after the other, and the widgets in the end."""

        def served(self, *, is_fresh: bool = False) -> ServedKinds:
            del is_fresh
            others = [(f"others{number}", "example.org") for number in range(int(clock.now / 6))]
            mine = [("widgets", "example.com")] if clock.now > 120 else []
            return ServedKinds(
                tuple(
                    ServedKind(
                        group=group,
                        version="v1",
                        kind=plural.title(),
                        plural=plural,
                        is_namespaced=True,
                        is_preferred=True,
                    )
                    for plural, group in others + mine
                )
            )

    cluster = Busy()
    Definitions(cluster, clock).wait(["widgets.example.com"], 600, lambda _: None)
    assert cluster.requests == []


class Away(Restarted):
    """An API server that does not answer the requests of these numbers, neither for its discovery nor for an object."""

    def __init__(self, error: ForgeError, away: range) -> None:
        self.error, self.away, self.asked = error, away, 0
        super().__init__(before=lambda _: self._answer())

    def served(self, *, is_fresh: bool = False) -> ServedKinds:
        if is_fresh:  # asked from outside, and not by the fake itself
            self._answer()
        return super().served(is_fresh=is_fresh)

    def _answer(self) -> None:
        self.asked += 1
        if self.asked in self.away:
            raise self.error


@pytest.mark.parametrize("error", PASSING)
def test_a_cluster_that_does_not_answer_for_a_moment_is_asked_again(error: ForgeError) -> None:
    cluster = Away(error, range(2, 8))
    cluster.put({**WIDGETS, "status": {"conditions": INSTALLING}})
    said = list[str]()
    Definitions(cluster, FakeClock()).wait(["widgets.example.com"], 90, said.append)
    assert str(error) in said
    assert cluster.asked > 8, "it went on"


def test_a_cluster_that_stays_away_is_said_at_the_end() -> None:
    cluster = Away(PASSING[0], range(1, 1_000))
    clock = FakeClock()
    with pytest.raises(ClusterError, match="connection refused"):
        Definitions(cluster, clock).wait(["widgets.example.com"], 60, lambda _: None)
    assert clock.now >= 60


def test_what_does_not_pass_ends_the_wait_at_once(restarted: Restarted) -> None:
    def refuse(request: FakeRequest) -> None:
        raise RefusedError(f"may not {request.verb}", status=403, reason="Forbidden")

    restarted.before = refuse
    clock = FakeClock()
    with pytest.raises(RefusedError, match="may not get"):
        Definitions(restarted, clock).wait(["widgets.example.com"], 60, lambda _: None)
    assert clock.now < 15
