"""Argo CD's processes beside a test cluster: application controller, repo server, applicationset controller, and Redis.

They are the real ones, built from Argo CD's module, the newest or an older one (`program.argo_cd`); its server and Dex do not
run. They work in a namespace in which Argo CD was installed: by `install`, as somebody else's, or by the stack that a test
delivers.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import orjson
import urllib3
import yaml
from tests.e2e import program
from tests.e2e.cluster import Cluster
from tests.e2e.contents import Key
from tests.e2e.polling import until
from tests.e2e.servers import HOST, ROOMY, free_ports, wait_for
from tests.e2e.stand_in.operators import MERGE_PATCH
from tests.servers import process
from tests.servers.process import Server

from cluster_forge.gitops.argocd import resource_filter
from cluster_forge.manifests.manifest import Body

NAMESPACE = "argocd"
PART_OF = {"app.kubernetes.io/part-of": "argocd"}
KINDS = ("applications.argoproj.io", "applicationsets.argoproj.io", "appprojects.argoproj.io")
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
EXCLUDED = [
    {"apiGroups": ["", "discovery.k8s.io"], "kinds": ["Endpoints", "EndpointSlice"]},
    {"apiGroups": ["coordination.k8s.io"], "kinds": ["Lease"]},
    {"apiGroups": ["authentication.k8s.io", "authorization.k8s.io"], "kinds": ["TokenReview", "SubjectAccessReview"]},
    {"apiGroups": ["certificates.k8s.io"], "kinds": ["CertificateSigningRequest"]},
    {"apiGroups": ["cert-manager.io"], "kinds": ["CertificateRequest"]},
    {"apiGroups": ["cilium.io"], "kinds": ["CiliumIdentity", "CiliumEndpoint", "CiliumEndpointSlice"]},
    {
        "apiGroups": ["kyverno.io", "reports.kyverno.io", "wgpolicyk8s.io"],
        "kinds": ["PolicyReport", "ClusterPolicyReport", "EphemeralReport", "ClusterEphemeralReport", "UpdateRequest"],
    },
]
"""What the settings of Argo CD's manifests leave out since 3.0 (Argo CD, "v2.14 to 3.0")."""
RESYNC_SECONDS = 180
"""As often as Argo CD looks by itself, unless it is asked for a refresh: its default without the jitter."""


def install(cluster: Cluster, namespace: str = NAMESPACE, settings: dict[str, str] | None = None) -> None:
    """What an installation by somebody else leaves in the cluster, so far as a deployment looks at it: CRDs, settings (those of
    the manifests, and ``settings``), the project ``default``, the Deployment of the repo server.
    """
    if not _are_established(cluster):
        _install_kinds(cluster)
    cluster.apply(f"/api/v1/namespaces/{namespace}", _object("v1", "Namespace", namespace))
    core, place = f"/api/v1/namespaces/{namespace}", {"namespace": namespace, "labels": PART_OF}
    data = {"data": {resource_filter.EXCLUSIONS: yaml.safe_dump(EXCLUDED), **(settings or {})}}
    cluster.apply(f"{core}/configmaps/argocd-cm", _object("v1", "ConfigMap", "argocd-cm", **place) | data)
    cluster.apply(f"{core}/secrets/argocd-secret", _object("v1", "Secret", "argocd-secret", **place))
    project = _object("argoproj.io/v1alpha1", "AppProject", "default", namespace=namespace)
    everything = [{"group": "*", "kind": "*"}]
    project["spec"] = {
        "sourceRepos": ["*"],
        "destinations": [{"namespace": "*", "server": "*"}],
        "clusterResourceWhitelist": everything,
    }
    cluster.apply(f"/apis/argoproj.io/v1alpha1/namespaces/{namespace}/appprojects/default", project)
    labels = {**PART_OF, "app.kubernetes.io/component": "repo-server", "app.kubernetes.io/name": "argocd-repo-server"}
    server = _object("apps/v1", "Deployment", "argocd-repo-server", namespace=namespace, labels=labels)
    container = {"name": "argocd-repo-server", "image": f"quay.io/argoproj/argocd:v{program.argo_cd().version}"}
    server["spec"] = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    cluster.apply(f"/apis/apps/v1/namespaces/{namespace}/deployments/argocd-repo-server", server)


@contextlib.contextmanager
def kinds(cluster: Cluster) -> Iterator[None]:
    """Argo CD's CRDs, which stay in the cluster from test to test meanwhile: to take them and to let them go is 12 CPU seconds,
    most of them the API server's, and a test takes 20 without.
    """
    ground = cluster.ground
    _install_kinds(cluster)
    definitions = {Key("apiextensions.k8s.io", "CustomResourceDefinition", "", name) for name in KINDS}
    # The API server makes it for their group, again and again.
    service = Key("apiregistration.k8s.io", "APIService", "", "v1alpha1.argoproj.io")
    cluster.ground |= {service, *definitions}
    try:
        yield
    finally:
        cluster.ground = ground


def _install_kinds(cluster: Cluster) -> None:
    for path in sorted((program.argo_cd().program.path.parent / "argocd-crds").glob("*-crd.yaml")):
        body = yaml.load(path.read_bytes(), yaml.CSafeLoader)
        cluster.apply(f"{CRDS}/{body['metadata']['name']}", body)
    until(lambda: _are_established(cluster), "the CRDs are established")


@contextlib.contextmanager
def running(cluster: Cluster, folder: Path, namespace: str = NAMESPACE) -> Iterator[None]:
    """Argo CD's processes, which start when Argo CD is installed in the namespace: now, or while a test delivers it.

    ``folder`` gets their logs.
    """
    is_over = threading.Event()
    servers: list[Server] = []

    def start_when_installed() -> None:
        while not is_over.wait(0.3):
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                if _is_installed(cluster, namespace):
                    _start(cluster, folder, namespace, servers)
                    return

    # They end with their standard input, not with the thread that starts them.
    thread = threading.Thread(target=start_when_installed, name="argocd", daemon=True)
    thread.start()
    try:
        if _is_installed(cluster, namespace):
            thread.join()
        yield
    finally:
        is_over.set()
        thread.join()
        for server in reversed(servers):
            server.stop()


def _is_installed(cluster: Cluster, namespace: str) -> bool:
    settings = cluster.get(f"/api/v1/namespaces/{namespace}/configmaps/argocd-cm")
    secret = cluster.get(f"/api/v1/namespaces/{namespace}/secrets/argocd-secret")
    return bool(settings and secret) and _are_established(cluster)


def _are_established(cluster: Cluster) -> bool:
    definitions = [cluster.get(f"{CRDS}/{name}") or {} for name in KINDS]
    return all(
        any(one["type"] == "Established" and one["status"] == "True" for one in _conditions(definition))
        for definition in definitions
    )


def _conditions(body: Body) -> Sequence[Mapping[str, str]]:
    """Those of an object: null, for a moment, of a new CRD."""
    return (body.get("status") or {}).get("conditions") or ()


def _start(cluster: Cluster, folder: Path, namespace: str, servers: list[Server]) -> None:
    # What Argo CD's server does when it starts first.
    secret = f"/api/v1/namespaces/{namespace}/secrets/argocd-secret?fieldManager=argocd-server"
    key = orjson.dumps({"stringData": {"server.secretkey": "known-to-the-tests"}})
    cluster.http.request("PATCH", secret, body=key, headers=MERGE_PATCH)
    argo_cd, environment = program.argo_cd(), _environment(folder)
    redis, repository, repository_metrics, metrics, sets, sets_probe = free_ports(6)
    common = [f"--kubeconfig={cluster.kubeconfig}", f"--namespace={namespace}", "--loglevel=info"]

    def start(name: str, *flags: str, port: int = 0, path: str = "/healthz") -> None:
        command: list[str | Path] = [argo_cd.program.path, name] if name.startswith("argocd") else [name]
        server = process.start(name, [*command, *flags], folder, environment)
        servers.append(server)
        if port:
            with urllib3.HTTPConnectionPool(HOST, port) as http:
                wait_for(server, http, path)

    start("redis-server", "--bind", HOST, "--port", str(redis), "--save", "", "--appendonly", "no")
    reading = (
        f"--address={HOST}",
        f"--port={repository}",
        f"--metrics-address={HOST}",
        f"--metrics-port={repository_metrics}",
    )
    environment |= {"KUBECONFIG": str(cluster.kubeconfig), "ARGOCD_NAMESPACE": namespace}
    start(
        "argocd-repo-server",
        *reading,
        f"--redis={HOST}:{redis}",
        "--disable-tls",
        *(["--client-ca-path="] if argo_cd.minor >= (3, 5) else []),
        "--loglevel=info",
        port=repository_metrics,
    )
    start(
        "argocd-application-controller",
        *common,
        f"--redis={HOST}:{redis}",
        f"--repo-server={HOST}:{repository}",
        "--repo-server-plaintext",
        f"--metrics-port={metrics}",
        f"--app-resync={RESYNC_SECONDS}",
        "--app-resync-jitter=0",
        port=metrics,
    )
    start(
        "argocd-applicationset-controller",
        *common,
        f"--argocd-repo-server={HOST}:{repository}",
        "--repo-server-plaintext",
        f"--metrics-addr={HOST}:{sets}",
        f"--probe-addr={HOST}:{sets_probe}",
        "--webhook-addr=127.0.0.1:0",
        port=sets,
        path="/metrics",  # it registers no health check, so that its probe answers 404
    )


def _environment(folder: Path) -> dict[str, str]:
    """That of the processes: Argo CD's scripts are on their PATH, and their temporary files in ``folder``."""
    binary = program.argo_cd().program.path
    scripts, temporary = folder / "argocd-bin", folder / "argocd-tmp"
    scripts.mkdir()
    temporary.mkdir()
    for script in (binary.parent / "argocd-bin").iterdir():
        (scripts / script.name).symlink_to(script)
    (scripts / "argocd-git-ask-pass").symlink_to(binary)
    # What Git calls for a password: in Argo CD's image one program, which looks at a variable for what it is to be.
    (scripts / "argocd").write_text('#!/bin/sh\nexec argocd-git-ask-pass "$@"\n')
    (scripts / "argocd").chmod(0o755)
    return {
        **ROOMY,
        **os.environ,
        "PATH": f"{scripts}:{os.environ['PATH']}",
        "HOME": str(temporary),
        "TMPDIR": str(temporary),
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_ASK_PASS_SOCK": str(folder / "ask.sock"),  # by default one for the machine
        "ARGOCD_FAKE_IN_CLUSTER": "true",
    }


def _object(api: str, kind: str, name: str, **metadata: object) -> dict[str, object]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, **metadata}}
