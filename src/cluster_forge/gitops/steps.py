"""The steps of a deployment: what is applied, what runs and what must be ready, one after the other.

A step carries its documents, and the name of the file that hands them to kubectl.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Final, TypeAlias

from cluster_forge.foundation.json_codec import OMITTED
from cluster_forge.manifests.hooks import DeletePolicy
from cluster_forge.manifests.identity import ObjectId

FIELD_MANAGER: Final = "cluster-forge"
SETTINGS_MANAGER: Final = "cluster-forge-settings"
"""Owns single keys of ConfigMaps whose other keys belong to `FIELD_MANAGER` (Kubernetes, "Server-Side Apply")."""
_SEPARATOR: Final = b"---\n"
_DOCUMENT_START: Final = re.compile(rb"^---\n", re.M)
Documents: TypeAlias = Annotated[tuple[bytes, ...], OMITTED]
"""The objects of a step, each a YAML document; its file has them, not the plan's."""


class StepFile(StrEnum):
    """The files of one component in the order of its steps; ``*`` stands for the number and kind of a hook's file."""

    NAMESPACES = "namespaces.yaml"
    CRDS = "crds.yaml"
    SETTINGS = "settings.yaml"
    HOOKS_BEFORE = "hooks-pre-*.yaml"
    HOOKS_BEFORE_DELETED = "hooks-pre-delete"
    OBJECTS = "objects.yaml"
    JOBS = "jobs.yaml"
    CUSTOM_RESOURCES = "custom.yaml"
    PROJECT = "project.yaml"
    READINESS = "wait"
    HOOKS_AFTER = "hooks-post-*.yaml"
    HOOKS_AFTER_DELETED = "hooks-post-delete"
    WEBHOOKS = "webhooks"
    """What the API server calls. Often a hook writes the certificate by which it trusts them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Apply:
    """Apply the documents as ``manager`` (server-side)."""

    file: str
    documents: Documents = ()
    manager: str = FIELD_MANAGER


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyCrds:
    """Apply CRDs, and wait until they are established."""

    file: str
    documents: Documents = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyHooks:
    """Apply hooks of one weight: objects, or Jobs and Pods (``is_run``).

    Jobs and Pods of an earlier run are deleted first (Helm's default), and the new ones awaited until they are complete.
    ``delete_policies`` are those that the hook of each document asks for.
    """

    file: str
    documents: Documents = ()
    weight: int
    delete_policies: tuple[frozenset[DeletePolicy], ...]
    is_run: bool


class HookDeletion(StrEnum):
    """When the object of a hook is deleted, as the lists for `deploy.sh` have it."""

    BEFORE = "before"
    """Before the hook runs again. Not for Jobs and Pods, which are always deleted then."""
    SUCCEEDED = "succeeded"
    """After all hooks of the phase have succeeded, and those before a hook that failed (Helm, ``pkg/action/hooks.go``)."""
    FAILED = "failed"
    """After the hook has failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedHook:
    """An object of the hooks in ``file`` that is deleted ``when`` its ``helm.sh/hook-delete-policy`` says."""

    when: HookDeletion
    file: str
    target: ObjectId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteHooks:
    """The end of a phase: delete the hooks that ask for it. ``file`` lists them, also for the other times."""

    file: str
    hooks: tuple[DeletedHook, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitReady:
    """Wait until each of the targets is ready (`manifests.health`); ``file`` lists them, where there is one."""

    targets: tuple[ObjectId, ...]
    file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitWebhooks:
    """Wait until the API server can call the webhooks of each of these configurations; ``file`` lists them."""

    targets: tuple[ObjectId, ...]
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Delete the objects of a kind (as kubectl takes it) that a label selector finds in a namespace."""

    kind: str
    namespace: str
    selector: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncApplication:
    """Apply the root Application, and wait until it and its children are synced to ``revision`` and healthy."""

    file: str
    documents: Documents = ()
    name: str
    revision: str


Step: TypeAlias = Apply | ApplyCrds | ApplyHooks | DeleteHooks | AwaitReady | AwaitWebhooks | Delete | SyncApplication
FileStep: TypeAlias = Apply | ApplyCrds | ApplyHooks | DeleteHooks | AwaitReady | AwaitWebhooks
"""The steps of one component: each has a file."""


def position(step: FileStep) -> tuple[int, str]:
    """Where a component's step belongs, as a key to sort by: the order of `StepFile`, then that of the files' names."""
    patterns = list(StepFile)
    return next(place for place, pattern in enumerate(patterns) if fnmatchcase(step.file, pattern)), step.file


def content(step: Step) -> bytes:
    """The step's file: its documents as one YAML stream, or a line ``NAMESPACE KIND/NAME`` for each target.

    In the list of deleted hooks the line begins with the time and the hook's file.
    """
    match step:
        case AwaitReady(targets=targets) | AwaitWebhooks(targets=targets):
            return "".join(f"{_target(target)}\n" for target in targets).encode()
        case DeleteHooks(hooks=hooks):
            return "".join(f"{hook.when} {hook.file} {_target(hook.target)}\n" for hook in hooks).encode()
        case Delete():
            return b""
        case _:
            return joined(step.documents)


def joined(documents: Iterable[bytes]) -> bytes:
    """Documents as one YAML stream."""
    return _SEPARATOR.join(document if document.endswith(b"\n") else document + b"\n" for document in documents)


def documents(stream: bytes) -> tuple[bytes, ...]:
    """The documents of a stream that `joined` wrote."""
    return tuple(filter(bytes.strip, _DOCUMENT_START.split(stream)))


def with_content(step: Step, file: bytes) -> Step:
    """The step with the documents of its file, as `content` wrote it."""
    if isinstance(step, AwaitReady | AwaitWebhooks | DeleteHooks | Delete):
        return step
    return replace(step, documents=documents(file))


def objects(step: Step) -> int:
    """The number of objects in the step's file, or of lines."""
    match step:
        case AwaitReady(targets=targets) | AwaitWebhooks(targets=targets):
            return len(targets)
        case DeleteHooks(hooks=hooks):
            return len(hooks)
        case Delete():
            return 0
        case _:
            return len(step.documents)


def _target(target: ObjectId) -> str:
    return f"{target.namespace or '-'} {resource(target)}"


def resource(target: ObjectId) -> str:
    """An object as kubectl takes it: ``deployment.apps/grafana``, ``pod/test``."""
    kind = f"{target.kind}.{target.group}" if target.group else target.kind
    return f"{kind.lower()}/{target.name}"
