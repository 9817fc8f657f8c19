"""What Pods would do in a cluster whose containers do not run, done by this process as long as a test wants it.

Each pass looks at the cluster and does what is missing: Services get names, what calls a Service gets an answer and the
certificate of who answers (`webhooks`), custom resources the status that their operators would write (`operators`), and the
Pods of Git servers a process (`git_servers`).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import urllib3
from tests.e2e import network
from tests.e2e.cluster import Cluster
from tests.e2e.stand_in.git_servers import GitServers
from tests.e2e.stand_in.operators import Operators
from tests.e2e.stand_in.webhooks import Webhooks

PAUSE_SECONDS = 0.5


@contextlib.contextmanager
def running(cluster: Cluster, folder: Path) -> Iterator[Webhooks]:
    """Stand in for the Pods of a cluster; what was asked is in the `Webhooks`. One cluster of a network has the names."""
    webhooks = Webhooks(cluster, folder)
    parts = (webhooks, Operators(cluster), GitServers(cluster, folder))
    is_over = threading.Event()

    def work() -> None:
        while not is_over.wait(PAUSE_SECONDS):
            # The API server may be away for a while, or an object gone between two looks at it: the next pass sees to it.
            with contextlib.suppress(urllib3.exceptions.HTTPError, AssertionError):
                _write_names(cluster)
                for part in parts:
                    part.work()

    thread = threading.Thread(target=work, name="stand-in", daemon=True)
    thread.start()
    try:
        yield webhooks
    finally:
        is_over.set()
        thread.join()
        for part in parts:
            part.stop()


def _write_names(cluster: Cluster) -> None:
    """What the cluster's DNS would answer (Kubernetes, "DNS for Services and Pods")."""
    names: dict[str, list[str]] = {}
    for service in cluster.get("/api/v1/services")["items"]:
        name = f"{service['metadata']['name']}.{service['metadata']['namespace']}"
        address = service["spec"].get("clusterIP", "None")
        if address != "None":
            names[address] = [name, f"{name}.svc", f"{name}.svc.cluster.local"]
    network.write_names(names)
