"""Flux beside a test cluster: the real kustomize-controller, and a stand-in for the source-controller (`source_controller`)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import urllib3
import yaml
from tests.e2e import program, source_controller
from tests.e2e.cluster import Cluster
from tests.e2e.polling import until
from tests.e2e.servers import HOST, free_ports, wait_for
from tests.servers import process

NAMESPACE = "flux-system"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SERVED = ("/apis/source.toolkit.fluxcd.io/v1", "/apis/kustomize.toolkit.fluxcd.io/v1")


@contextlib.contextmanager
def running(cluster: Cluster, folder: Path) -> Iterator[None]:
    """A Flux that was installed before the stack: its CRDs, and its processes; ``folder`` gets their logs."""
    binary = program.flux().path
    for crds in ("flux-crds", "flux-source-crds"):
        for path in sorted((binary.parent / crds).glob("*.yaml")):
            body = yaml.load(path.read_bytes(), yaml.CSafeLoader)
            cluster.apply(f"{CRDS}/{body['metadata']['name']}", body)
    cluster.apply(
        f"/api/v1/namespaces/{NAMESPACE}", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    )
    until(lambda: all(map(cluster.get, SERVED)), "Flux's kinds are served")
    metrics, health = free_ports(2)
    command: list[str | Path] = [
        binary,
        f"--metrics-addr={HOST}:{metrics}",
        f"--health-addr={HOST}:{health}",
        "--enable-leader-election=false",
        "--watch-all-namespaces=true",
        "--requeue-dependency=2s",
        "--feature-gates=CancelHealthCheckOnNewRevision=true",
    ]
    environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig), "RUNTIME_NAMESPACE": NAMESPACE}
    with source_controller.running(cluster, folder):
        controller = process.start("kustomize-controller", command, folder, environment)
        try:
            with urllib3.HTTPConnectionPool(HOST, health) as http:
                wait_for(controller, http, "/healthz")
            yield
        finally:
            controller.stop()
