"""One part as files for kubectl: what is applied one after the other, and what is waited for in between.

::

    namespaces.yaml  crds.yaml  hooks-pre-NN-objects.yaml  hooks-pre-NN-jobs.yaml  objects.yaml  jobs.yaml  custom.yaml
    wait             hooks-post-NN-objects.yaml  hooks-post-NN-jobs.yaml

Hooks run as Helm runs them: by weight, and each weight's Jobs are done before the next weight begins (Helm, "Chart
Hooks"). ``wait`` has a line for each thing that has to be ready: ``monitoring deployment.apps/grafana``, ``-`` for none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops.parts import CRD, POST_INSTALL, PRE_INSTALL, is_custom
from cluster_forge.manifests import emitter
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part, PartObject

_NAMESPACE, _JOB, _POD = ("", "Namespace"), ("batch", "Job"), ("", "Pod")
_ALWAYS_THERE = frozenset({"", "default", "kube-system", "kube-public", "kube-node-lease"})
_ROLLOUT = frozenset({("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet")})
_WAITED = _ROLLOUT | {_JOB, ("apiregistration.k8s.io", "APIService")}

_ORDER = {
    kind: place
    for place, kind in enumerate(
        (
            *("PriorityClass", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodDisruptionBudget"),
            *("ServiceAccount", "Secret", "ConfigMap", "StorageClass", "PersistentVolume", "PersistentVolumeClaim"),
            *("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "Service", "DaemonSet", "Pod"),
            *("ReplicationController", "ReplicaSet", "Deployment", "HorizontalPodAutoscaler", "StatefulSet"),
            *("Job", "CronJob", "IngressClass", "Ingress", "APIService"),
            *("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
        )
    )
}
"""What Helm installs first (Helm, ``pkg/release/v1/util/kind_sorter.go``, ``InstallOrder``); other kinds come last."""


def of(part: Part, parts: Sequence[Part], minor: int) -> FileTree:
    """The files of ``part``, without a folder. A kind that Kubernetes 1.``minor`` lacks counts as a custom one."""
    files = {
        "namespaces.yaml": _namespaces(part, parts),
        "crds.yaml": _stream(each for each in part.applied if each.kind == CRD and not each.hook),
    }
    plain = [each for each in part.applied if not each.hook and each.kind not in (CRD, _NAMESPACE)]
    built_in = [each for each in plain if not is_custom(each.kind, minor)]
    files |= _hooks("hooks-pre", part, PRE_INSTALL)
    files["objects.yaml"] = _stream(each for each in built_in if each.kind != _JOB)
    files["jobs.yaml"] = _stream(each for each in built_in if each.kind == _JOB)
    files["custom.yaml"] = _stream(each for each in plain if is_custom(each.kind, minor))
    files["wait"] = "".join(f"{line}\n" for line in _waits(plain)).encode()
    files |= _hooks("hooks-post", part, POST_INSTALL)
    return FileTree({path: content for path, content in files.items() if content})


def documents(bodies: Iterable[Body]) -> bytes:
    """Bodies as one file."""
    return emitter.stream(map(emitter.document, bodies)).encode()


def _namespaces(part: Part, parts: Sequence[Part]) -> bytes:
    """The part's own namespaces and those that its objects lie in, from wherever the stack has them."""
    made = {each.id.name: each.content for other in parts for each in other.applied if each.kind == _NAMESPACE}
    own = {each.id.name for each in part.applied if each.kind == _NAMESPACE}
    used = {each.id.namespace for each in part.applied} - _ALWAYS_THERE
    return _joined(made.get(name) or documents([_namespace(name)]) for name in sorted(own | used))


def _namespace(name: str) -> Body:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _hooks(prefix: str, part: Part, events: frozenset[str]) -> Mapping[str, bytes]:
    """The part's hooks for ``events``: files in the order in which they are applied."""
    hooks = [each for each in part.applied if each.events & events]
    files: dict[str, bytes] = {}
    for weight in sorted({each.hook_weight for each in hooks}):
        same = [each for each in hooks if each.hook_weight == weight]
        for tail, runs in (("objects", False), ("jobs", True)):
            content = _stream(each for each in same if (each.kind in (_JOB, _POD)) == runs)
            if content:
                files[f"{prefix}-{len(files):02}-{tail}.yaml"] = content
    return files


def _waits(objects: Sequence[PartObject]) -> Iterator[str]:
    for each in sorted(objects, key=_install_order):
        if each.kind in _WAITED:
            yield f"{each.id.namespace or '-'} {resource(each.id)}"


def resource(name: ObjectId) -> str:
    """As kubectl takes it: ``deployment.apps/grafana``."""
    return f"{name.kind.lower()}.{name.group}/{name.name}" if name.group else f"{name.kind.lower()}/{name.name}"


def _stream(objects: Iterable[PartObject]) -> bytes:
    return _joined(each.content for each in sorted(objects, key=_install_order))


def _joined(contents: Iterable[bytes]) -> bytes:
    return b"---\n".join(content if content.endswith(b"\n") else content + b"\n" for content in contents)


def _install_order(each: PartObject) -> tuple[int, ObjectId]:
    return (_ORDER.get(each.id.kind, len(_ORDER)), each.id)
