"""The steps of one component, as kubectl applies it.

Hooks run as Helm runs them: by weight, and the Jobs of each weight are complete before the next weight begins (Helm,
"Chart Hooks"). Of the other objects CRDs come first, what Kubernetes itself serves next, custom resources last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cluster_forge.gitops.parts import is_custom
from cluster_forge.gitops.steps import (
    Apply,
    ApplyCrds,
    ApplyHooks,
    AwaitReady,
    AwaitWebhooks,
    DeletedHook,
    DeleteHooks,
    FileStep,
    HookDeletion,
    StepFile,
    position,
)
from cluster_forge.manifests import emitter, hooks, webhooks
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.health import AWAITED
from cluster_forge.manifests.hooks import DeletePolicy
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.kubernetes_apis import BUILT_IN_NAMESPACES
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part, PartObject

_NAMESPACE, _JOB, _POD = ("", "Namespace"), ("batch", "Job"), ("", "Pod")

_DELETIONS = {
    DeletePolicy.BEFORE_CREATION: HookDeletion.BEFORE,
    DeletePolicy.SUCCEEDED: HookDeletion.SUCCEEDED,
    DeletePolicy.FAILED: HookDeletion.FAILED,
}

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


def of(part: Part, namespaces: Mapping[str, bytes], minor: int) -> tuple[FileStep, ...]:
    """The steps of ``part``. ``namespaces`` are those of the stack; a kind that Kubernetes 1.``minor`` lacks is a custom one."""
    plain = sorted(
        (item for item in part.objects if not item.hook and item.kind not in (CRD, _NAMESPACE)), key=_install_order
    )
    built_in = [item for item in plain if not is_custom(item.kind, minor)]
    crds = [item for item in part.objects if item.kind == CRD and not item.hook]
    steps: tuple[FileStep, ...] = (
        Apply(file=StepFile.NAMESPACES, documents=tuple(_namespaces(part, namespaces))),
        ApplyCrds(file=StepFile.CRDS, documents=_documents(crds)),
        Apply(file=StepFile.OBJECTS, documents=_documents(item for item in built_in if item.kind != _JOB)),
        Apply(file=StepFile.JOBS, documents=_documents(item for item in built_in if item.kind == _JOB)),
        Apply(
            file=StepFile.CUSTOM_RESOURCES, documents=_documents(item for item in plain if is_custom(item.kind, minor))
        ),
        AwaitReady(file=StepFile.READINESS, targets=tuple(item.id for item in plain if item.kind in AWAITED)),
        AwaitWebhooks(file=StepFile.WEBHOOKS, targets=tuple(item.id for item in plain if _has_webhooks(item, part))),
        *_hooks(StepFile.HOOKS_BEFORE, StepFile.HOOKS_BEFORE_DELETED, part, hooks.BEFORE_INSTALL),
        *_hooks(StepFile.HOOKS_AFTER, StepFile.HOOKS_AFTER_DELETED, part, hooks.AFTER_INSTALL),
    )
    return tuple(sorted((step for step in steps if not _is_empty(step)), key=position))


def namespaces(parts: Iterable[Part]) -> dict[str, bytes]:
    """The files of the namespaces that the parts of a stack define, by their names."""
    return {item.id.name: item.content for part in parts for item in part.objects if item.kind == _NAMESPACE}


def rendered(bodies: Iterable[Body]) -> tuple[bytes, ...]:
    """Bodies as the documents of a step."""
    return tuple(emitter.document(body).encode() for body in bodies)


def _is_empty(step: FileStep) -> bool:
    match step:
        case AwaitReady(targets=targets) | AwaitWebhooks(targets=targets):
            return not targets
        case DeleteHooks(hooks=deleted):
            return not deleted
        case _:
            return not step.documents


def _has_webhooks(item: PartObject, part: Part) -> bool:
    """Whether it tells the API server to call Services of this part. Those of other parts may come later."""
    if item.kind not in webhooks.CONFIGURATIONS:
        return False
    services = webhooks.services(item.body)
    own = {(other.id.namespace, other.id.name) for other in part.objects if other.kind == ("", "Service")}
    return bool(services) and services <= own


def _namespaces(part: Part, known: Mapping[str, bytes]) -> Iterator[bytes]:
    """The part's own namespaces and those of its objects, from wherever the stack has them."""
    own = {item.id.name for item in part.objects if item.kind == _NAMESPACE}
    used = {item.id.namespace for item in part.objects} - BUILT_IN_NAMESPACES - {""}
    for name in sorted(own | used):
        yield known.get(name) or emitter.document(_namespace(name)).encode()


def _namespace(name: str) -> Body:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _hooks(file: StepFile, deleted: StepFile, part: Part, events: frozenset[str]) -> Iterator[FileStep]:
    """The part's hooks for ``events`` by weight: of each weight the objects first, then the Jobs and Pods.

    At the end those are deleted that ask for it; their list is ``deleted``.
    """
    chosen = [item for item in part.objects if hooks.events(item.hook) & events]
    deletions: list[DeletedHook] = []
    number = 0
    for weight in sorted({item.hook_weight for item in chosen}):
        same = [item for item in chosen if item.hook_weight == weight]
        for kind, is_run in (("objects", False), ("jobs", True)):
            items = sorted((item for item in same if (item.kind in (_JOB, _POD)) == is_run), key=_install_order)
            if items:
                step = ApplyHooks(
                    file=file.replace("*", f"{number:02}-{kind}"),
                    documents=_documents(items),
                    weight=weight,
                    delete_policies=tuple(hooks.of(item.body).delete_policies for item in items),
                    is_run=is_run,
                )
                yield step
                deletions += (deletion for item in items for deletion in _deletions(item, step))
                number += 1
    yield DeleteHooks(file=deleted, hooks=tuple(deletions))


def _deletions(item: PartObject, step: ApplyHooks) -> Iterator[DeletedHook]:
    """When the object is deleted.

    ``before-hook-creation`` holds for an object only where it is written: as a default it would delete what an earlier
    deployment has left, such as a generated password.
    """
    if item.id.holds_data:
        return
    hook = hooks.of(item.body)
    policies = hook.delete_policies if hook.has_delete_policy else frozenset[DeletePolicy]()
    for policy, when in _DELETIONS.items():
        if policy in policies and not (step.is_run and when is HookDeletion.BEFORE):
            yield DeletedHook(when=when, file=step.file, target=item.id)


def _documents(objects: Iterable[PartObject]) -> tuple[bytes, ...]:
    return tuple(item.placed.content for item in sorted(objects, key=_install_order))


def _install_order(item: PartObject) -> tuple[int, ObjectId]:
    return (_ORDER.get(item.id.kind, len(_ORDER)), item.id)
