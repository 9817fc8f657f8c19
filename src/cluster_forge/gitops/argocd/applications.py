"""The Applications with which Argo CD delivers a stack: one for each part, some for CRDs (`crds`), and the root that applies
them in order.

The root is an app of apps (Argo CD, "Cluster Bootstrapping"): it applies the Applications of the parts by their waves and
waits until each wave is healthy. Root and children are pinned to one revision of the repository, a tag derived from its
content: so new content changes the root, and an upgrade is as ordered as the installation (argo-cd#8778). A narrowed
stack prunes nothing (ADR 0022).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.foundation.names import bounded
from cluster_forge.gitops import delivery_mode, engine, git_server
from cluster_forge.gitops import revision as revisions
from cluster_forge.gitops.argocd import component, crds
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.parts import STACK_LABEL, defined_groups, in_order, is_custom
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.stack.model import RepositorySource, Stack

FOLDER = "argo-apps"
"""The folder of the Applications in the repository."""
CLUSTER: Final = "https://kubernetes.default.svc"
"""The cluster that Argo CD runs in."""
CRDS_LABEL = "cluster-forge/crds"
"""On an Application of CRDs: its number."""
FINALIZER: Final = "resources-finalizer.argocd.argoproj.io"
"""Argo CD deletes what an Application has applied together with it (Argo CD, "App Deletion"): a component that left the
stack is pruned like an object within one. It leaves CRDs, and what has ``Delete=false`` because it holds data. Not with the
Application of Argo CD itself: it cannot delete itself, and whatever comes after it needs it."""

_WRITTEN_BY_CONTROLLERS = (
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration", ".webhooks[]?.clientConfig.caBundle"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", ".webhooks[]?.clientConfig.caBundle"),
    (*CRD, ".spec.conversion.webhook.clientConfig.caBundle"),
    ("apiregistration.k8s.io", "APIService", ".spec.caBundle"),
)
"""Fields that a controller fills in (cert-manager's cainjector and others), by kind; their value in Git does not matter."""

_JOB, _STATEFUL_SET = ("batch", "Job"), ("apps", "StatefulSet")
_CLAIMS = tuple(
    f".spec.volumeClaimTemplates[]?.{field}"
    for field in ("apiVersion", "kind", "status", "metadata.creationTimestamp", "spec.volumeMode")
)
"""Fields that the API server adds to a StatefulSet's claims; a client-side comparison takes them for differences
(argo-cd#11143)."""


def name(stack: str, folder: str) -> str:
    """The name of the Application that delivers a folder of the repository: ``platform.grafana``.

    The dot is in no name of a stack or component: no two stacks have an Application in common, and no Application has
    the name of one from before names had the stack, whose objects Argo CD would take for its own and prune (ADR 0018).
    At most 63 characters: Argo CD may write it into a label.
    """
    return bounded(f"{stack}.{folder}")


def root_name(stack: Stack) -> str:
    """The root Application's name."""
    return name(stack.name, FOLDER)


def project_name(stack: str) -> str:
    """The AppProject of a stack."""
    return name(stack, "project")


def file_name(application: Body, stack: Stack, parts: Iterable[Part]) -> str:
    """The file of an Application in `FOLDER`: it is called as the component is, and the root's as the stack."""
    if number := application["metadata"]["labels"].get(CRDS_LABEL):
        return f"crds.{number}.yaml"
    folder = application["spec"]["source"]["path"].rpartition("/")[2]
    return _root_file(stack, parts) if folder == FOLDER else f"{folder}.yaml"


def _root_file(stack: Stack, parts: Iterable[Part]) -> str:
    names = {part.name for part in parts}
    stem = stack.name
    while stem in names:
        stem += "-root"
    return f"{stem}.yaml"


def applications(stack: Stack, parts: Sequence[Part], revision: str) -> tuple[Body, ...]:
    """One Application for each part that has something to apply, by wave, those of their CRDs before them, and the root at
    the end.

    ``revision`` is what all of them are pinned to. None for a stack that kubectl delivers directly.
    """
    if delivery_mode.delivery(stack, parts) is Delivery.DIRECT:
        return ()
    delivered = tuple(part for part in in_order(component.delivered(stack, parts)) if part.objects)
    groups = defined_groups(item for part in parts for item in part.objects)
    early = crds.early(delivered)
    moved = {item.path for item in early}
    argo = engine.find(delivered)
    contents = [_early(stack, chunk, delivered, revision, number) for number, chunk in enumerate(crds.chunks(early), 1)]
    everything = {part.name: part.objects for part in parts}
    for part in delivered:
        applied = tuple(item for item in part.objects if item.path not in moved)
        paths = {item.path for item in applied}
        left_out = [_file(item) for item in everything[part.name] if item.path not in paths]
        child = _Content(
            name=name(stack.name, part.name),
            namespace=part.namespace or "default",
            wave=part.wave,
            is_deleted_with_objects=part is not argo,
            source=_source(stack, str(part.name), revision, left_out),
            objects=_Objects(applied, groups, stack.target.kubernetes.minor),
        )
        contents.append(child)
    namespace = _namespace(stack, parts)
    return (*(_application(stack, namespace, content) for content in contents), root(stack, parts, revision))


def _early(stack: Stack, chunk: Sequence[PartObject], parts: Sequence[Part], revision: str, number: int) -> _Content:
    """The Application of CRDs of several parts, before all parts. More dots than one are in no name of a part's."""
    return _Content(
        name=name(stack.name, f"crds.{number}"),
        namespace="default",
        wave=min(part.wave for part in parts) - 1,
        is_deleted_with_objects=False,
        source=_files(stack, revision, [item.path for item in chunk]),
        objects=_Objects(chunk, frozenset(), stack.target.kubernetes.minor),
        number=number,
    )


def pinned(stack: Stack, application: Body, revision: str) -> Body:
    """The Application, pinned to ``revision``."""
    spec = application["spec"]
    source = {**spec["source"], "targetRevision": revisions.tag(stack, revision)}
    return {**application, "spec": {**spec, "source": source}}


def in_namespace(root: Body, namespace: str) -> Body:
    """The root Application in the namespace of an existing Argo CD, where its children are, too."""
    metadata, spec = root["metadata"], root["spec"]
    destination = {**spec["destination"], "namespace": namespace}
    return {**root, "metadata": {**metadata, "namespace": namespace}, "spec": {**spec, "destination": destination}}


def root(stack: Stack, parts: Sequence[Part], revision: str) -> Body:
    """The Application of the others.

    It does not contain itself: an operation that still runs at an older revision would pin it back to that one.
    """
    namespace = _namespace(stack, parts)
    content = _Content(
        name=root_name(stack),
        namespace=namespace or engine.NAMESPACE,
        wave=None,
        is_deleted_with_objects=stack.gitops.finalizers,
        source=_source(stack, FOLDER, revision, [_root_file(stack, parts)]),
        objects=_Objects((), frozenset(), stack.target.kubernetes.minor),
    )
    return _application(stack, namespace, content)


def _namespace(stack: Stack, parts: Sequence[Part]) -> str:
    """The namespace of the Applications; empty for an existing Argo CD, whose namespace only the deployment knows."""
    return "" if delivery_mode.delivery(stack, parts) is Delivery.EXISTING else engine.namespace(parts)


def _application(stack: Stack, namespace: str, content: _Content) -> Body:
    metadata: dict[str, Any] = {"name": content.name}
    if namespace:
        metadata["namespace"] = namespace
    metadata["labels"] = {"app.kubernetes.io/managed-by": "cluster-forge", STACK_LABEL: stack.name}
    if content.number:
        metadata["labels"][CRDS_LABEL] = str(content.number)
    metadata["annotations"] = {
        "argocd.argoproj.io/compare-options": f"ServerSideDiff={str(content.objects.compares_on_server).lower()}"
    }
    if content.wave is not None:
        metadata["annotations"]["argocd.argoproj.io/sync-wave"] = str(content.wave)
    if content.is_deleted_with_objects:
        metadata["finalizers"] = [FINALIZER]
    spec: dict[str, Any] = {
        "project": project_name(stack.name),
        "source": content.source,
        "destination": {"server": CLUSTER, "namespace": content.namespace},
        "syncPolicy": {
            "automated": {"prune": not stack.is_narrowed, "selfHeal": True},
            "syncOptions": ["ServerSideApply=true", "CreateNamespace=false", *content.objects.options],
            # Long enough for a webhook or a CRD of an earlier wave to become ready, but not forever: a failed operation
            # must end before Argo CD compares a newer revision.
            "retry": {"limit": 10, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "3m"}},
        },
    }
    if differences := content.objects.differences:
        spec["ignoreDifferences"] = differences
    return {"apiVersion": f"{engine.GROUP}/v1alpha1", "kind": "Application", "metadata": metadata, "spec": spec}


def _files(stack: Stack, revision: str, paths: Sequence[str]) -> Body:
    """Files of several folders of the repository (Argo CD, "Directory": ``include`` is a glob of paths)."""
    inside = revisions.folder(stack) or "."
    directory = {"recurse": True, "include": _glob(paths)}
    where = {"repoURL": repository_url(stack), "targetRevision": revisions.tag(stack, revision), "path": inside}
    return {**where, "directory": directory}


def _glob(names: Iterable[str]) -> str:
    first, *more = sorted(names)
    return "{" + ",".join((first, *more)) + "}" if more else first


def _source(stack: Stack, path: str, revision: str, left_out: list[str]) -> Body:
    """A folder of the repository without the folders below it: those hold hooks of later events.

    Not recursive is the default and must not be written: Argo CD removes an empty ``directory`` and false values in it
    from an Application (``NormalizeApplicationSpec``), and the root would never be in sync.
    """
    inside = "/".join(filter(None, (revisions.folder(stack), path)))
    source = {"repoURL": repository_url(stack), "targetRevision": revisions.tag(stack, revision), "path": inside}
    if not left_out:
        return source
    return {**source, "directory": {"exclude": _glob(left_out)}}


def repository_url(stack: Stack) -> str:
    """The address from which Argo CD reads the repository.

    An OCI image needs Argo CD 3.1 or later (Argo CD, "OCI").
    """
    match stack.gitops.source:
        case RepositorySource.INTERNAL | RepositorySource.IMAGE:
            return git_server.url(stack)
        case RepositorySource.EXTERNAL:
            return delivery_mode.address(stack)
        case RepositorySource.OCI:
            return "oci://" + delivery_mode.address(stack).removeprefix("oci://")


def _file(item: PartObject) -> str:
    return item.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """What an Application delivers: a folder of the repository, into a namespace unless an object has its own.

    ``is_deleted_with_objects``: what it has applied goes when it goes. ``number`` counts the Applications of CRDs.
    """

    name: str
    namespace: str
    wave: int | None
    is_deleted_with_objects: bool
    source: Body
    objects: _Objects
    number: int = 0


@dataclass(frozen=True, slots=True)
class _Objects:
    """The settings that the objects of an Application need; ``groups`` are the API groups of the stack's CRDs."""

    applied: Sequence[PartObject]
    groups: frozenset[str]
    minor: int

    @property
    def compares_on_server(self) -> bool:
        """Whether the API server computes the differences, as StatefulSets need it (argo-cd#11143).

        Not with a plain Job: a changed one cannot be applied, the dry run fails, and Argo CD then takes an older result
        for this one and reports the Application as synced (argo-cd#28722, #29348; observed with 3.5.7).
        """
        return not any(item.kind == _JOB and not item.hook for item in self.applied)

    @property
    def options(self) -> list[str]:
        """The sync options (Argo CD, "Sync Options")."""
        has_custom = any(item.id.group in self.groups or is_custom(item.kind, self.minor) for item in self.applied)
        options = ["SkipDryRunOnMissingResource=true"] if has_custom else []
        return options + (["RespectIgnoreDifferences=true"] if self.differences else [])

    @property
    def differences(self) -> list[Body]:
        """The fields that are not compared (Argo CD, "Diff Customization"), of the kinds that exist."""
        return list(self._differences())

    def _differences(self) -> Iterator[Body]:
        kinds = {item.kind for item in self.applied} - {CRD}
        if any(item.kind == CRD and b"conversion:" in item.content for item in self.applied):
            kinds.add(CRD)
        for group, kind, expression in _WRITTEN_BY_CONTROLLERS:
            if (group, kind) in kinds:
                yield {"group": group, "kind": kind, "jqPathExpressions": [expression]}
        if _STATEFUL_SET in kinds and not self.compares_on_server:
            group, kind = _STATEFUL_SET
            yield {"group": group, "kind": kind, "jqPathExpressions": list(_CLAIMS)}
