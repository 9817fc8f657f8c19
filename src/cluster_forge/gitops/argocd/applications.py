"""The Applications with which Argo CD delivers a stack: one for each part, and the root that applies them in order.

The root is an app of apps (Argo CD, "Cluster Bootstrapping"): it applies the Applications of the parts by their waves and
waits until each wave is healthy. Root and children are pinned to one revision of the repository, a tag derived from its
content: so new content changes the root, and an upgrade is as ordered as the installation (argo-cd#8778). A narrowed
stack prunes nothing (ADR 0022).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cluster_forge.foundation.names import bounded
from cluster_forge.gitops import delivery_mode, engine, git_server
from cluster_forge.gitops import revision as revisions
from cluster_forge.gitops.argocd import component
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.parts import STACK_LABEL, defined_groups, in_order, is_custom
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.stack.model import RepositorySource, Stack

FOLDER = "argo-apps"
"""The folder of the Applications in the repository."""
_CLUSTER = "https://kubernetes.default.svc"
_FINALIZER = "resources-finalizer.argocd.argoproj.io"

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


def file_name(application: Body, stack: Stack, parts: Iterable[Part]) -> str:
    """The file of an Application in `FOLDER`: it is called as the component is, and the root's as the stack."""
    folder = application["spec"]["source"]["path"].rpartition("/")[2]
    return _root_file(stack, parts) if folder == FOLDER else f"{folder}.yaml"


def _root_file(stack: Stack, parts: Iterable[Part]) -> str:
    names = {part.name for part in parts}
    stem = stack.name
    while stem in names:
        stem += "-root"
    return f"{stem}.yaml"


def applications(stack: Stack, parts: Sequence[Part], revision: str) -> tuple[Body, ...]:
    """One Application for each part that has something to apply, by wave, and the root at the end.

    ``revision`` is what all of them are pinned to. None for a stack that kubectl delivers directly.
    """
    if delivery_mode.delivery(stack, parts) is Delivery.DIRECT:
        return ()
    minor = stack.target.kubernetes.minor
    namespace = _namespace(stack, parts)
    delivered = {part.name: part for part in component.delivered(stack, parts)}
    groups = defined_groups(item for part in parts for item in part.objects)
    bodies = []
    for part in in_order(parts):
        applied = delivered[part.name].objects
        paths = {item.path for item in applied}
        left_out = [_file(item) for item in part.objects if item.path not in paths]
        if applied:
            child = _Content(
                name=name(stack.name, part.name),
                namespace=part.namespace or "default",
                wave=part.wave,
                source=_source(stack, str(part.name), revision, left_out),
                objects=_Objects(applied, groups, minor),
            )
            bodies.append(_application(stack, namespace, child))
    return (*bodies, root(stack, parts, revision))


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
    metadata["annotations"] = {
        "argocd.argoproj.io/compare-options": f"ServerSideDiff={str(content.objects.compares_on_server).lower()}"
    }
    if content.wave is not None:
        metadata["annotations"]["argocd.argoproj.io/sync-wave"] = str(content.wave)
    if stack.gitops.finalizers:
        metadata["finalizers"] = [_FINALIZER]
    spec: dict[str, Any] = {
        "project": "default",
        "source": content.source,
        "destination": {"server": _CLUSTER, "namespace": content.namespace},
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


def _source(stack: Stack, path: str, revision: str, left_out: list[str]) -> Body:
    """A folder of the repository without the folders below it: those hold hooks of later events.

    Not recursive is the default and must not be written: Argo CD removes an empty ``directory`` and false values in it
    from an Application (``NormalizeApplicationSpec``), and the root would never be in sync.
    """
    inside = "/".join(filter(None, (revisions.folder(stack), path)))
    source = {"repoURL": repository_url(stack), "targetRevision": revisions.tag(stack, revision), "path": inside}
    if not left_out:
        return source
    exclude = "{" + ",".join(sorted(left_out)) + "}" if len(left_out) > 1 else left_out[0]
    return {**source, "directory": {"exclude": exclude}}


def repository_url(stack: Stack) -> str:
    """The address from which Argo CD reads the repository.

    An OCI image needs Argo CD 3.1 or later (Argo CD, "OCI").
    """
    match stack.gitops.source:
        case RepositorySource.INTERNAL:
            return git_server.url(stack)
        case RepositorySource.EXTERNAL:
            return delivery_mode.address(stack)
        case RepositorySource.OCI:
            return "oci://" + delivery_mode.address(stack).removeprefix("oci://")


def _file(item: PartObject) -> str:
    return item.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """What an Application delivers: a folder of the repository, into a namespace unless an object has its own."""

    name: str
    namespace: str
    wave: int | None
    source: Body
    objects: _Objects


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
