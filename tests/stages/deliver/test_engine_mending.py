"""What the API server refuses an engine in a new version, and what is done about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.gitops.conftest import part
from tests.stages.deliver.deliveries import Delivery, deployment
from tests.stages.deliver.direct.test_upgrades import CONVERSION, WIDGETS, database, delivery, widgets, with_pod

from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops import engine
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import ApplyOptions, Patch
from cluster_forge.stack.model import GitOpsEngine
from cluster_forge.stages.deliver.engine_mending import EngineMending
from cluster_forge.stages.deliver.options import DeployOptions

MANAGERS = engine.FIELD_MANAGERS
BUNDLE = {"spec": {"conversion": {"webhook": {"clientConfig": {"caBundle": "YQ=="}}}}}
SHOP = ComponentName("shop")


def applied(engine: GitOpsEngine, body: Body, made: Delivery | None = None) -> Delivery:
    """A cluster in which the engine has applied the object; one with an API server's checks unless another is given."""
    made = made or delivery()
    made.cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    made.cluster.apply(body, ApplyOptions(manager=MANAGERS[engine], force=True))
    return made


def mend(
    made: Delivery, engine: GitOpsEngine, bodies: Sequence[dict[str, Any]], times: int = 1, **options: bool
) -> None:
    """As the wait for the engine does after ``times`` looks at the same message, of all objects of the component."""
    parts = [part(SHOP, list(bodies))]
    plan = replace(deployment(parts).plan, engine=engine)
    with made.tools.workers.queue() as queue:
        chosen = DeployOptions(**options)  # type: ignore[arg-type]
        mending = EngineMending(plan, parts, made.tools, chosen, queue)
        for _ in range(times):
            mending.mend_component(SHOP, "is invalid")


@pytest.mark.parametrize("engine", list(MANAGERS))
def test_what_the_engine_left_of_a_structure_is_taken_out(engine: GitOpsEngine) -> None:
    made = applied(engine, widgets(conversion=CONVERSION))
    made.cluster.patch(WIDGETS, BUNDLE, Patch.MERGE, manager="operator")
    mend(made, engine, [widgets()])
    live = made.there(WIDGETS.kind, WIDGETS.name, group=WIDGETS.group)
    assert "conversion" not in live["spec"]
    made.cluster.apply(widgets(), ApplyOptions(manager=MANAGERS[engine], force=True))  # is taken now


def test_what_another_engine_applied_is_left() -> None:
    made = applied(GitOpsEngine.FLUX, widgets(conversion=CONVERSION))
    made.cluster.patch(WIDGETS, BUNDLE, Patch.MERGE, manager="operator")
    mend(made, GitOpsEngine.ARGOCD, [widgets()])
    assert made.there(WIDGETS.kind, WIDGETS.name, group=WIDGETS.group)["spec"]["conversion"]["strategy"] == "Webhook"


def test_an_object_that_cannot_change_goes_with_recreate_alone_and_its_pods_stay() -> None:
    made = applied(GitOpsEngine.ARGOCD, database())
    with_pod(made)
    mend(made, GitOpsEngine.ARGOCD, [database("other")])
    assert made.there("StatefulSet", "db", "shop", "apps")["spec"]["serviceName"] == "db"
    mend(made, GitOpsEngine.ARGOCD, [database("other")], recreate=True)
    assert not made.cluster.get(ObjectId.of(database()))
    assert made.there("Pod", "db-0", "shop")


def test_the_same_message_costs_nothing_again() -> None:
    made = applied(GitOpsEngine.FLUX, database(), Delivery())
    before = len(made.cluster.requests)
    mend(made, GitOpsEngine.FLUX, [database(replicas=2)], times=3)
    assert len(made.cluster.requests) == before + 1
    assert made.there("StatefulSet", "db", "shop", "apps")["spec"]["replicas"] == 1, "the engine applies it"
