"""CRDs that are applied ahead of their components, to a fake cluster that is slow to serve them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.fake_clock import FakeClock
from tests.fake_cluster import FakeCluster, FakeRequest
from tests.gitops.conftest import crd

from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.foundation.errors import RefusedError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops.component_steps import rendered
from cluster_forge.gitops.steps import ApplyCrds, StepFile
from cluster_forge.ports.cluster import ServedKinds
from cluster_forge.stages.deliver.direct import step_documents
from cluster_forge.stages.deliver.direct.applier import Applier
from cluster_forge.stages.deliver.direct.early_crds import EarlyCrds
from cluster_forge.stages.deliver.direct.established import Definitions
from cluster_forge.stages.deliver.direct.step_documents import StepDocument
from cluster_forge.stages.deliver.options import DeployOptions

READER = PurePythonYaml()
FIRST, SECOND = ComponentName("first"), ComponentName("second")


class Slow(FakeCluster):
    """An API server that serves no CRD before ``serves_at``; ``began`` has the time of each apply."""

    def __init__(self, clock: FakeClock, serves_at: float = 0.0) -> None:
        super().__init__(before=self._note_time)
        self.began: dict[str, float] = {}
        self._time = clock
        self._serves_at = serves_at

    def served(self, *, is_fresh: bool = False) -> ServedKinds:
        kinds = super().served(is_fresh=is_fresh)
        is_late = self._time.now < self._serves_at
        return ServedKinds(tuple(kind for kind in kinds.kinds if not (is_late and kind.group == "example.com")))

    def _note_time(self, request: FakeRequest) -> None:
        if request.verb == "apply":
            self.began[request.target.name] = self._time.now


def crds(prefix: str, number: int) -> tuple[StepDocument, ...]:
    bodies = (
        crd(
            f"{prefix}{index}s.example.com",
            group="example.com",
            names={"kind": f"{prefix.title()}{index}", "plural": f"{prefix}{index}s"},
            scope="Namespaced",
            versions=[
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
            ],
        )
        for index in range(number)
    )
    return step_documents.of(ApplyCrds(file=StepFile.CRDS, documents=rendered(bodies)), READER)


def early(cluster: FakeCluster, clock: FakeClock, *order: ComponentName) -> EarlyCrds:
    with ThreadWorkers(1).queue() as queue:
        applier = Applier(cluster=cluster, clock=clock, reader=READER, queue=queue, options=DeployOptions())
    return EarlyCrds(applier, Definitions(cluster, clock), clock, order)


def test_few_more_are_applied_than_the_server_serves() -> None:
    clock = FakeClock()
    cluster = Slow(clock, serves_at=5.0)
    assert len(early(cluster, clock, FIRST).apply(FIRST, crds("a", 40))) == 40
    assert 10 < sum(began < 5 for began in cluster.began.values()) < 20
    assert clock.now < 9


def test_one_that_is_never_served_holds_up_no_others_for_long() -> None:
    clock = FakeClock()
    cluster = Slow(clock, serves_at=1_000_000)
    early(cluster, clock, FIRST).apply(FIRST, crds("a", 40))
    assert len(cluster.began) == 40
    assert clock.now < 30


def test_one_that_is_refused_holds_up_no_others() -> None:
    def refuse(request: FakeRequest) -> None:
        raise RefusedError("denied the request", where=str(request.target), status=403, reason="Forbidden")

    clock = FakeClock()
    outcomes = early(FakeCluster(before=refuse), clock, FIRST).apply(FIRST, crds("a", 40))
    assert all(outcome.error for outcome in outcomes)
    assert clock.now == 0


def test_components_are_applied_in_their_order() -> None:
    clock = FakeClock()
    cluster = Slow(clock)
    crds_of = early(cluster, clock, FIRST, SECOND)
    with ThreadPoolExecutor() as pool:
        second = pool.submit(crds_of.apply, SECOND, crds("b", 2))
        first = pool.submit(crds_of.apply, FIRST, crds("a", 2))
        second.result(timeout=10)
        first.result(timeout=10)
    assert [name[0] for name in cluster.began] == ["a", "a", "b", "b"]


def test_a_component_whose_documents_cannot_be_read_holds_up_no_others() -> None:
    def unreadable() -> Iterator[StepDocument]:
        raise ValueError("not an object")
        yield

    clock = FakeClock()
    crds_of = early(FakeCluster(), clock, FIRST, SECOND)
    with pytest.raises(ValueError, match="not an object"):
        crds_of.apply(FIRST, unreadable())
    assert len(crds_of.apply(SECOND, crds("b", 1))) == 1
