"""The Git server in the cluster: a read-only `git daemon` from Argo CD's own image, with the repository in ConfigMaps
(`git_chunks`), or from the image of the stack, which has it (`git_image`).

The reasons and the alternatives: ADR 0011, ADR 0043. A new cast has another repository, and the pod that serves it is replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cluster_forge.foundation.names import bounded
from cluster_forge.gitops import script_source
from cluster_forge.manifests.manifest import Body
from cluster_forge.stack.model import Stack

NAMESPACE = "cluster-forge"
COMMIT = "cluster-forge/commit"
NO_IMAGE = "argocd"
"""A placeholder for the image of an existing Argo CD: `deploy.sh` looks it up in the cluster."""
DEPLOYMENT_FILE = "git-server-deployment.yaml"
"""The file of the step that applies the server's Deployment."""
_PORT = 9418
_GROUP: Final = 999
"""Argo CD's own, in its image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Where a server has the repository from: the shell that puts it together in ``/repository/new``, and what it needs.

    ``user`` is a number where the image is not known to run without root.
    """

    image: str
    script: str
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: Sequence[Body] = ()
    volumes: Sequence[Body] = ()
    pull_secrets: Sequence[Mapping[str, Any]] = ()
    user: int | None = None


def name(stack: Stack) -> str:
    """The name of the server's objects: one server for each stack."""
    return bounded(f"git-{stack.name}")


def url(stack: Stack) -> str:
    """The address from which Argo CD reads the repository; without the cluster's domain, which is unknown."""
    return f"git://{name(stack)}.{NAMESPACE}.svc/{stack.name}.git"


def namespace() -> Body:
    """The namespace of what the delivery itself adds to a cluster."""
    marks = {
        "app.kubernetes.io/managed-by": "cluster-forge",
        "pod-security.kubernetes.io/enforce": "restricted",
    }
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": marks}}


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


def deployment(stack: Stack, content: Content, commit: str) -> Body:
    """The server. The commit is in the pod's template, so that a new cast replaces the pod.

    The old pod ends before the new one starts: the earlier revision must not be served any more.
    """
    pod = _pod(stack, content)
    if content.pull_secrets:
        pod["imagePullSecrets"] = [dict(secret) for secret in content.pull_secrets]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(stack),
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 0,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": _selector(stack)},
            "template": {"metadata": {"labels": labels(stack), "annotations": {COMMIT: commit}}, "spec": pod},
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


def _pod(stack: Stack, content: Content) -> dict[str, Any]:
    """The first container puts the repository together, the second serves it."""
    container = _container(content.image, _environment(stack, content))
    security: dict[str, Any] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    if content.user is not None:
        security["runAsUser"] = content.user
    if stack.gitops.persistent:
        security |= {"fsGroup": _GROUP, "fsGroupChangePolicy": "OnRootMismatch"}
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 5,
        "securityContext": security,
        "initContainers": [
            {
                "name": "unpack",
                **container,
                "command": ["sh", "-c", content.script + script_source.read("place_repository").lstrip()],
                "volumeMounts": [*_MOUNTS, *content.mounts],
            }
        ],
        "containers": [{"name": "serve", **container, **_serve(stack)}],
        "volumes": [*_volumes(stack), *content.volumes],
    }


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


def _environment(stack: Stack, content: Content) -> list[Body]:
    """The owner of a volume's files may be unknown: ``safe.directory`` makes Git trust them."""
    values = {
        "HOME": "/tmp",  # noqa: S108
        "REPOSITORY": f"/repository/{stack.name}.git",
        **content.environment,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    return [{"name": key, "value": value} for key, value in values.items()]


def _volumes(stack: Stack) -> list[Body]:
    kept = {"persistentVolumeClaim": {"claimName": name(stack)}} if stack.gitops.persistent else {"emptyDir": {}}
    return [{"name": "repository", **kept}, {"name": "tmp", "emptyDir": {}}]


def _client(argocd: str) -> Body:
    if argocd:
        return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": argocd}}}
    return {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app.kubernetes.io/part-of": "argocd"}}}


def _metadata(stack: Stack) -> dict[str, Any]:
    return {"name": name(stack), "namespace": NAMESPACE, "labels": labels(stack)}


def _selector(stack: Stack) -> dict[str, str]:
    return {"app.kubernetes.io/name": "git-server", "app.kubernetes.io/instance": stack.name}


def labels(stack: Stack) -> dict[str, str]:
    """Those of the server and of everything that belongs to it."""
    return {**_selector(stack), "app.kubernetes.io/managed-by": "cluster-forge"}
