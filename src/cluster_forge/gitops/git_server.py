"""The Git server in the cluster: a read-only `git daemon` from Argo CD's own image, with the repository in ConfigMaps.

The reasons and the alternatives: ADR 0011. The bare repository is one tar archive, cut into immutable ConfigMaps that
are named by its digest; a new cast has new ones, and the pod that reads them is replaced.
"""

from __future__ import annotations

import base64
import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import bounded
from cluster_forge.gitops import script_source
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.manifests.manifest import Body
from cluster_forge.stack.model import Stack

NAMESPACE = "cluster-forge"
COMMIT = "cluster-forge/commit"
CHUNK = 700 * 1024
"""Bytes in one ConfigMap: less than 1 MiB as base64 too (Kubernetes, "ConfigMaps": "cannot exceed 1 MiB")."""
NO_IMAGE = "argocd"
"""A placeholder for the image of an existing Argo CD: `deploy.sh` looks it up in the cluster."""
DEPLOYMENT_FILE = "git-server-deployment.yaml"
"""The file of the step that applies the server's Deployment."""
_PORT = 9418


def name(stack: Stack) -> str:
    """The name of the server's objects: one server for each stack."""
    return bounded(f"git-{stack.name}")


def url(stack: Stack) -> str:
    """The address from which Argo CD reads the repository; without the cluster's domain, which is unknown."""
    return f"git://{name(stack)}.{NAMESPACE}.svc/{stack.name}.git"


def archive(repository: FileTree) -> bytes:
    """The repository as a tar archive (ustar), the same bytes for the same files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, content in repository.files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            entry.mode = 0o755 if path in repository.executable else 0o644
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def chunks(stack: Stack, packed: bytes, commit: str) -> Iterator[Body]:
    """The ConfigMaps that carry the archive, in order."""
    digest = Digest.of(packed).hex
    for number, start in enumerate(range(0, len(packed), CHUNK)):
        yield {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": _chunk_name(stack, digest, number),
                "namespace": NAMESPACE,
                "labels": {**_labels(stack), STACK_LABEL: stack.name, COMMIT: commit},
            },
            "immutable": True,
            "binaryData": {"chunk": base64.b64encode(packed[start : start + CHUNK]).decode()},
        }


def namespace() -> Body:
    """The namespace of what the delivery itself adds to a cluster."""
    labels = {
        "app.kubernetes.io/managed-by": "cluster-forge",
        "pod-security.kubernetes.io/enforce": "restricted",
    }
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}


def surroundings(stack: Stack, argocd: str) -> Iterator[Body]:
    """Namespace, Service, NetworkPolicy and, for a persistent repository, its volume.

    ``argocd`` is Argo CD's namespace, the only one with access to the server; empty where it is not known yet.
    """
    yield namespace()
    if stack.gitops.persistent:
        yield {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": _metadata(stack),
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        }
    yield from _network(stack, argocd)


def _network(stack: Stack, argocd: str) -> Iterator[Body]:
    """The Service, and the NetworkPolicy that admits Argo CD alone and lets nothing out."""
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(stack),
        "spec": {
            "selector": _selector(stack),
            "ports": [{"name": "git", "port": _PORT, "targetPort": "git", "protocol": "TCP"}],
        },
    }
    yield {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(stack),
        "spec": {
            "podSelector": {"matchLabels": _selector(stack)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [_client(argocd)], "ports": [{"port": "git", "protocol": "TCP"}]}],
        },
    }


def deployment(
    stack: Stack, packed: bytes, commit: str, image: str, pull_secrets: Sequence[Mapping[str, Any]] = ()
) -> Body:
    """The server. The commit is in the pod's template, so that a new cast replaces the pod.

    The old pod ends before the new one starts: the earlier revision must not be served any more.
    """
    pod = _pod(stack, packed, image)
    if pull_secrets:
        pod["imagePullSecrets"] = [dict(secret) for secret in pull_secrets]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(stack),
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 0,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": _selector(stack)},
            "template": {"metadata": {"labels": _labels(stack), "annotations": {COMMIT: commit}}, "spec": pod},
        },
    }


def with_image(server: Body, image: str) -> Body:
    """The server's Deployment with the image of the cluster's Argo CD."""
    template = server["spec"]["template"]
    pod = template["spec"]
    changed = {
        key: [{**container, "image": image} for container in pod[key]] for key in ("initContainers", "containers")
    }
    return {**server, "spec": {**server["spec"], "template": {**template, "spec": {**pod, **changed}}}}


def _pod(stack: Stack, packed: bytes, image: str) -> dict[str, Any]:
    """The first container unpacks the repository, the second serves it."""
    container = _container(image, _environment(stack, Digest.of(packed).hex))
    pod: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 5,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "initContainers": [
            {
                "name": "unpack",
                **container,
                "command": ["sh", "-c", script_source.read("unpack_repository").lstrip()],
                "volumeMounts": [*_MOUNTS, {"name": "chunks", "mountPath": "/chunks", "readOnly": True}],
            }
        ],
        "containers": [{"name": "serve", **container, **_serve(stack)}],
        "volumes": _volumes(stack, packed),
    }
    if stack.gitops.persistent:
        pod["securityContext"] |= {"fsGroup": 999, "fsGroupChangePolicy": "OnRootMismatch"}
    return pod


def _container(image: str, environment: list[Body]) -> dict[str, Any]:
    """What both containers have in common."""
    return {
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "env": environment,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
    }


_MOUNTS = [{"name": "repository", "mountPath": "/repository"}, {"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108


def _serve(stack: Stack) -> dict[str, Any]:
    return {
        "command": [
            *("git", "daemon", "--export-all", "--base-path=/repository", "--reuseaddr", f"--port={_PORT}"),
            *("--informative-errors", "--init-timeout=30", "--timeout=300", "--max-connections=64"),
            f"/repository/{stack.name}.git",
        ],
        "ports": [{"name": "git", "containerPort": _PORT, "protocol": "TCP"}],
        "readinessProbe": {
            "exec": {"command": ["git", "ls-remote", "--exit-code", f"git://127.0.0.1/{stack.name}.git", "HEAD"]},
            "periodSeconds": 10,
            "timeoutSeconds": 5,
        },
        "livenessProbe": {"tcpSocket": {"port": "git"}, "periodSeconds": 20, "timeoutSeconds": 5},
        "volumeMounts": [{**mount, "readOnly": mount["name"] == "repository"} for mount in _MOUNTS],
    }


def _environment(stack: Stack, digest: str) -> list[Body]:
    """The owner of a volume's files may be unknown: ``safe.directory`` makes Git trust them."""
    values = {
        "HOME": "/tmp",  # noqa: S108
        "REPOSITORY": f"/repository/{stack.name}.git",
        "REPOSITORY_SHA256": digest,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    return [{"name": key, "value": value} for key, value in values.items()]


def _volumes(stack: Stack, packed: bytes) -> list[Body]:
    kept = {"persistentVolumeClaim": {"claimName": name(stack)}} if stack.gitops.persistent else {"emptyDir": {}}
    digest = Digest.of(packed).hex
    sources = [
        {"configMap": {"name": _chunk_name(stack, digest, number), "items": [{"key": "chunk", "path": f"{number:03}"}]}}
        for number in range(-(-len(packed) // CHUNK))
    ]
    return [
        {"name": "repository", **kept},
        {"name": "tmp", "emptyDir": {}},
        {"name": "chunks", "projected": {"sources": sources}},
    ]


def _client(argocd: str) -> Body:
    if argocd:
        return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": argocd}}}
    return {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app.kubernetes.io/part-of": "argocd"}}}


def _chunk_name(stack: Stack, digest: str, number: int) -> str:
    return f"{name(stack)}-{digest[:12]}-{number:03}"


def _metadata(stack: Stack) -> dict[str, Any]:
    return {"name": name(stack), "namespace": NAMESPACE, "labels": _labels(stack)}


def _selector(stack: Stack) -> dict[str, str]:
    return {"app.kubernetes.io/name": "git-server", "app.kubernetes.io/instance": stack.name}


def _labels(stack: Stack) -> dict[str, str]:
    return {**_selector(stack), "app.kubernetes.io/managed-by": "cluster-forge"}
