"""Two deployments of one stack at once: the second says who is at work since when, and one that has lost its lease stops."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from tests.e2e.cluster import Cluster
from tests.e2e.nodes import Fate
from tests.e2e.polling import until
from tests.e2e.stacks import NAME, Forged, Shop, everything_is_ready, start_pods

from cluster_forge.stages.deliver.cluster_records.claiming import RUN

pytestmark = pytest.mark.e2e
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/cluster-forge/leases/deploy-{NAME}"
CLAIM = f"/api/v1/namespaces/cluster-forge/configmaps/claim-{NAME}"
POD = f"/api/v1/namespaces/{NAME}/pods?labelSelector=app%3Dweb"
BUSY = 57
REPLICAS = 2
DOUBTFUL_SECONDS = 20
"""After so long without a renewal a deployment asks before a change whether the lease is still its own; until then it may
know from a renewal that failed.
"""


@pytest.fixture
def held(forged: Forged, own_cluster: Cluster) -> Shop:
    """A stack whose deployment is at work until `start_pods`."""
    return forged(fate=Fate.PENDING)


@pytest.fixture(autouse=True)
def _no_lease(own_cluster: Cluster) -> Iterator[None]:
    yield
    own_cluster.kubectl("delete", "lease", "--ignore-not-found", "-n", "cluster-forge", f"deploy-{NAME}")


def is_waiting(cluster: Cluster) -> bool:
    """Whether a deployment waits for its Pods."""
    return len(cluster.get(POD)["items"]) == REPLICAS


def at_work(cluster: Cluster) -> str:
    """Which deployment has begun last."""
    return str(cluster.get(CLAIM)["metadata"]["annotations"][RUN])


def test_the_second_says_who_is_at_work(held: Shop, own_cluster: Cluster) -> None:
    first = held.start("deploy", "--yes", "-q")
    until(lambda: is_waiting(own_cluster), "the first deployment is at work")
    holder = own_cluster.get(LEASE)["spec"]
    script = held.start_script()
    second = held.program("deploy", "--yes", "-q")
    assert second.returncode == BUSY, second.stderr
    assert f"{holder['holderIdentity']} since {holder['acquireTime']}" in " ".join(second.stderr.split())
    said, _ = script.communicate()
    assert script.returncode == 3, said
    assert f"is being deployed by {holder['holderIdentity']} since" in said
    start_pods(own_cluster)
    output, _ = first.communicate()
    assert first.returncode == 0, output
    assert everything_is_ready(own_cluster)


def test_deploy_ends_a_deploy_sh_that_is_at_work(held: Shop, own_cluster: Cluster) -> None:
    script = held.start_script()
    until(lambda: is_waiting(own_cluster), "deploy.sh is at work")
    former = at_work(own_cluster)
    deploying = held.start("deploy", "--yes", "-q")
    until(lambda: at_work(own_cluster) != former, "deploy has begun")
    start_pods(own_cluster)
    said, _ = script.communicate()
    assert script.returncode != 0, said
    assert "another" in said, said
    output, _ = deploying.communicate()
    assert deploying.returncode == 0, output
    assert everything_is_ready(own_cluster)
    held.succeeds("diff")


def test_one_that_has_lost_its_lease_stops(held: Shop, own_cluster: Cluster) -> None:
    first = held.start("deploy", "--yes", "-q")
    until(lambda: is_waiting(own_cluster), "the first deployment is at work")
    taken = json.dumps({"spec": {"holderIdentity": "other/1/0"}})
    own_cluster.kubectl("-n", "cluster-forge", "patch", "lease", f"deploy-{NAME}", "--type=merge", "-p", taken)
    time.sleep(DOUBTFUL_SECONDS)
    start_pods(own_cluster)
    said, _ = first.communicate()
    assert first.returncode == BUSY, said
    assert "other/1/0 deploys the stack now" in " ".join(said.split())
    assert own_cluster.get(LEASE)["spec"]["holderIdentity"] == "other/1/0"


def test_a_lease_of_one_that_was_killed_expires(forged: Forged, own_cluster: Cluster) -> None:
    shop = forged()
    first = shop.start("deploy", "--yes", "-q")
    until(lambda: own_cluster.get(LEASE), "the first deployment is at work")
    first.kill()
    first.communicate()
    assert own_cluster.get(LEASE)
    done = shop.program("deploy", "--yes", "--quiet", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert everything_is_ready(own_cluster)
