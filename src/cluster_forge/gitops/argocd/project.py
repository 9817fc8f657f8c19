"""The AppProject of a stack: Argo CD applies for it what the stack has, and nothing else (Argo CD, "Projects").

Argo CD asks the project also before it deletes: an object that the project does not permit is taken for one of others, and
stays in the cluster without a word (``IsLiveResourcePermitted`` in ``controller/state.go`` and ``appcontroller.go``). So
while a stack changes, its project permits what it had before, too (`widened`), and is narrowed once all is synced.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from cluster_forge.gitops import engine
from cluster_forge.gitops.argocd import applications, component
from cluster_forge.gitops.parts import STACK_LABEL, is_custom
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import Stack

Kind: TypeAlias = tuple[str, str]
"""Group and kind."""
KIND: Final = "AppProject"
_APPLICATION: Final = (engine.GROUP, "Application")
_POD, _REVISION = ("", "Pod"), ("apps", "ControllerRevision")
_MADE: Final[Mapping[Kind, tuple[Kind, ...]]] = MappingProxyType(
    {
        ("apps", "Deployment"): (("apps", "ReplicaSet"), _POD),
        ("apps", "StatefulSet"): (_REVISION, _POD, ("", "PersistentVolumeClaim")),
        ("apps", "DaemonSet"): (_REVISION, _POD),
        ("apps", "ReplicaSet"): (_POD,),
        ("batch", "CronJob"): (("batch", "Job"), _POD),
        ("batch", "Job"): (_POD,),
        ("", "Service"): (("", "Endpoints"), ("discovery.k8s.io", "EndpointSlice")),
    }
)
"""What Kubernetes makes of an object of a kind: Argo CD shows no object of another kind, nor the logs of its Pods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a project permits: repositories, namespaces of this cluster and, beside the name of a cluster, of others, and kinds by
    their scope.
    """

    repositories: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    elsewhere: frozenset[tuple[str, str]] = frozenset()
    cluster_kinds: frozenset[Kind] = frozenset()
    namespaced_kinds: frozenset[Kind] = frozenset()

    def __or__(self, other: Rights) -> Rights:
        return Rights(
            repositories=self.repositories | other.repositories,
            namespaces=self.namespaces | other.namespaces,
            elsewhere=self.elsewhere | other.elsewhere,
            cluster_kinds=self.cluster_kinds | other.cluster_kinds,
            namespaced_kinds=self.namespaced_kinds | other.namespaced_kinds,
        )


def body(stack: Stack, parts: Sequence[Part]) -> Body:
    """The AppProject; without Argo CD's namespace where only the deployment knows it (`in_namespace`)."""
    everything = applications.applications(stack, parts, "")
    items = [item.id for part in component.delivered(stack, parts) for item in part.objects]
    minor = stack.target.kubernetes.minor
    targets = frozenset(application["spec"]["destination"]["namespace"] for application in everything[:-1])
    granted = Rights(
        repositories=frozenset({applications.repository_url(stack)}),
        namespaces=targets | {item.namespace for item in items if item.namespace},
        cluster_kinds=_kinds(item for item in items if not item.namespace),
        namespaced_kinds=_with_made(_kinds(item for item in items if _may_be_namespaced(item, minor)) | {_APPLICATION}),
    )
    project: Body = {
        "apiVersion": f"{engine.GROUP}/v1alpha1",
        "kind": KIND,
        "metadata": {
            "name": applications.project_name(stack.name),
            "labels": {"app.kubernetes.io/managed-by": "cluster-forge", STACK_LABEL: stack.name},
        },
        "spec": {"description": f"What Argo CD applies for the stack {stack.name}", **_spec(granted)},
    }
    namespace = everything[-1]["metadata"].get("namespace", "")
    return in_namespace(project, namespace) if namespace else project


def with_rights(project: Body, granted: Rights) -> Body:
    """The project, which permits this and no more."""
    return {**project, "spec": {**project["spec"], **_spec(granted)}}


def in_namespace(project: Body, namespace: str) -> Body:
    """The project in Argo CD's namespace, where the Applications are that the root applies."""
    placed = {**project, "metadata": {**project["metadata"], "namespace": namespace}}
    return widened(placed, Rights(namespaces=frozenset({namespace})))


def widened(project: Body, more: Rights) -> Body:
    """The project, which permits ``more``, too."""
    return with_rights(project, rights(project) | more)


def rights(project: Body) -> Rights:
    """What a project in the cluster permits, in this cluster."""
    spec = project.get("spec")
    return Rights(
        repositories=frozenset(repository for repository in _list(spec, "sourceRepos") if isinstance(repository, str)),
        namespaces=frozenset(
            text for one in _list(spec, "destinations") if (text := _text(one, "namespace")) and _is_here(one)
        ),
        elsewhere=frozenset(
            (cluster, text)
            for one in _list(spec, "destinations")
            if (text := _text(one, "namespace")) and (cluster := _text(one, "name"))
        ),
        cluster_kinds=_listed_kinds(spec, "clusterResourceWhitelist"),
        namespaced_kinds=_listed_kinds(spec, "namespaceResourceWhitelist"),
    )


def rights_of(objects: Iterable[ObjectId]) -> Rights:
    """What must be permitted so that Argo CD prunes the objects. One without a namespace may be of either scope."""
    items = tuple(objects)
    return Rights(
        namespaces=frozenset(item.namespace for item in items if item.namespace),
        cluster_kinds=_kinds(item for item in items if not item.namespace),
        namespaced_kinds=_kinds(items),
    )


def _spec(granted: Rights) -> Body:
    return {
        "sourceRepos": sorted(granted.repositories),
        "destinations": [
            *({"namespace": name, "server": applications.CLUSTER} for name in sorted(granted.namespaces)),
            *({"namespace": name, "name": cluster} for cluster, name in sorted(granted.elsewhere)),
        ],
        "clusterResourceWhitelist": _entries(granted.cluster_kinds),
        "namespaceResourceWhitelist": _entries(granted.namespaced_kinds),
    }


def _entries(kinds: frozenset[Kind]) -> list[Body]:
    return [{"group": group, "kind": kind} for group, kind in sorted(kinds)]


def _kinds(items: Iterable[ObjectId]) -> frozenset[Kind]:
    return frozenset((item.group, item.kind) for item in items)


def _may_be_namespaced(item: ObjectId, minor: int) -> bool:
    """A custom resource without a namespace gets that of its Application, if its kind has namespaces."""
    return bool(item.namespace) or is_custom((item.group, item.kind), minor)


def _with_made(kinds: frozenset[Kind]) -> frozenset[Kind]:
    return kinds | {owned for kind in kinds for owned in _MADE.get(kind, ())}


def _list(holder: object, key: str) -> Sequence[Any]:
    value = holder.get(key) if isinstance(holder, Mapping) else None
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def _listed_kinds(spec: object, key: str) -> frozenset[Kind]:
    return frozenset((_text(one, "group"), _text(one, "kind")) for one in _list(spec, key) if _text(one, "kind"))


def _is_here(destination: object) -> bool:
    return _text(destination, "server") == applications.CLUSTER


def _text(holder: object, key: str) -> str:
    value = holder.get(key) if isinstance(holder, Mapping) else None
    return value if isinstance(value, str) else ""
