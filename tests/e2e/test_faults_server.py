"""An API server that goes away, answers 429 and 503, cuts watches, changes its certificate, or is an older one."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from tests.e2e import interference
from tests.e2e.certificates import Certificates
from tests.e2e.cluster import Cluster
from tests.e2e.interference import Fault, Interference
from tests.e2e.nodes import Fate
from tests.e2e.polling import until
from tests.e2e.stacks import NAME, Forged, assert_contents, everything_is_ready

pytestmark = pytest.mark.e2e
AWAY_SECONDS = 3
AWAY_AT_MOST = 100
"""Seconds until a deployment gives a server up: a minute, and a little for each request after that."""
SHARE = 0.3
SEED = 21
BUSY = (Fault.TOO_MANY, Fault.UNAVAILABLE)


def has_begun(cluster: Cluster) -> bool:
    return cluster.get(f"/api/v1/namespaces/{NAME}") is not None


def ended(process: subprocess.Popen[str]) -> str:
    """The output of a process that has to end well."""
    output, _ = process.communicate()
    assert process.returncode == 0, output
    return output


def test_the_api_server_is_restarted_in_the_middle(forged: Forged, own_cluster: Cluster) -> None:
    shop = forged()
    deploying = shop.start("deploy", "--yes", "-q")
    until(lambda: has_begun(own_cluster), "the deployment has begun")
    with own_cluster.without_api_server():
        time.sleep(AWAY_SECONDS)
    ended(deploying)
    assert everything_is_ready(own_cluster)
    shop.succeeds("diff")
    removing = shop.start("remove", "--yes", "-q", "--data")
    until(lambda: not everything_is_ready(own_cluster), "the removal has begun")
    with own_cluster.without_api_server():
        time.sleep(AWAY_SECONDS)
    ended(removing)
    assert_contents(own_cluster, own_cluster.ground)


def test_the_api_server_goes_away_and_stays_away(
    forged: Forged, own_cluster: Cluster, pytestconfig: pytest.Config
) -> None:
    """Whoever deploys is told after a minute, and not a minute later for each request."""
    if not pytestconfig.getoption("--all-faults"):
        pytest.skip("takes more than a minute: --all-faults")
    shop = forged(fate=Fate.PENDING)
    deploying = shop.start("deploy", "--yes", "-q", "--timeout", "8")
    until(lambda: has_begun(own_cluster), "the deployment has begun")
    with own_cluster.without_api_server():
        began = time.monotonic()
        said, _ = deploying.communicate()
        took = time.monotonic() - began
    assert deploying.returncode not in (0, 1), said
    assert own_cluster.own is not None
    assert own_cluster.own.url in said
    assert "Traceback" not in said
    assert took < AWAY_AT_MOST, said
    shop.cluster.kubectl("delete", "lease", "--ignore-not-found", "-n", "cluster-forge", f"deploy-{NAME}")
    forged().succeeds("deploy", "--yes", "-q")
    assert everything_is_ready(own_cluster)


def test_almost_a_third_of_all_requests_fails(forged: Forged, own_cluster: Cluster, tmp_path: Path) -> None:
    """And each watch is cut within a second."""
    shop, new = forged(), forged(version="1.1.0")
    with interference.before(own_cluster, Interference(seed=SEED, share=SHARE, kinds=BUSY, watch=1)) as relay:
        place = ("--kubeconfig", str(interference.kubeconfig(relay, tmp_path)))
        shop.succeeds("deploy", "--yes", "-q", *place)
        assert everything_is_ready(own_cluster)
        shop.succeeds("diff", *place)
        shop.succeeds("status", *place)
        new.succeeds("deploy", "--yes", "-q", *place)
        assert everything_is_ready(own_cluster, "1.1.0")
        new.succeeds("rollback", "--yes", "-q", *place)
        assert everything_is_ready(own_cluster)
        shop.succeeds("remove", "--yes", "-q", "--data", *place)
    assert_contents(own_cluster, own_cluster.ground)
    assert relay.failed.keys() == set(BUSY)
    assert relay.cut


def test_the_certificate_of_the_api_server_changes(forged: Forged, own_cluster: Cluster, tmp_path: Path) -> None:
    """Within its authority nobody notices; one of another authority is not trusted, whatever was before."""
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    first, second = Certificates(tmp_path / "first"), Certificates(tmp_path / "second")
    renewed = first.for_server("renewed", addresses=("127.0.0.1",))
    shop = forged(fate=Fate.PENDING)
    with interference.before(own_cluster, Interference(), first.server) as relay:
        kubeconfig = interference.kubeconfig(relay, tmp_path, first.authority)
        deploying = shop.start("deploy", "--yes", "-q", "--kubeconfig", str(kubeconfig))
        until(lambda: has_begun(own_cluster), "the deployment has begun")
        relay.show(renewed)
        time.sleep(2)
        assert deploying.poll() is None
        relay.show(second.server)
        said, _ = deploying.communicate()
        assert deploying.returncode not in (0, 1), said
        assert "but the kubeconfig trusts" in " ".join(said.split())
        own_cluster.kubectl("delete", "lease", "--ignore-not-found", "-n", "cluster-forge", f"deploy-{NAME}")
        kubeconfig = interference.kubeconfig(relay, tmp_path, second.authority)
        forged().succeeds("deploy", "--yes", "-q", "--kubeconfig", str(kubeconfig))
    assert everything_is_ready(own_cluster)


def test_an_older_api_server(forged: Forged, own_cluster: Cluster, tmp_path: Path) -> None:
    """It says that it is 1.25, and has no aggregated discovery, as none before 1.26; the rest is that of the real one."""
    shop = forged()
    with interference.before(own_cluster, Interference(version="v1.25.16")) as relay:
        place = ("--kubeconfig", str(interference.kubeconfig(relay, tmp_path)))
        said = shop.fails("deploy", "--yes", "-q", *place)
        assert "1.25" in said
        assert "--force-version" in said
        assert_contents(own_cluster, own_cluster.ground)
        shop.succeeds("deploy", "--yes", "-q", "--force-version", *place)
        shop.succeeds("diff", *place)
    assert everything_is_ready(own_cluster)
