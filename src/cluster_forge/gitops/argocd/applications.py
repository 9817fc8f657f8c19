"""The Applications that Argo CD delivers a stack with: one for each part, and the root that brings them in order.

The root is an app of apps (Argo CD, "Cluster Bootstrapping"): it applies the Applications of the parts by their waves and
waits for each wave to be healthy. Root and children are pinned to one revision of the repository, a tag made from its
content: so every new content changes the root, and an upgrade is as ordered as the installation (argo-cd#8778).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cluster_forge.foundation.digest import Digest
from cluster_forge.gitops import delivery_mode, engine, git_server
from cluster_forge.gitops.argocd import component
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.parts import CRD, defined_groups, in_order, is_custom
from cluster_forge.manifests import emitter
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.oci import image_content
from cluster_forge.stack.model import RepositorySource, Stack

FOLDER = "argo-apps"
"""Where the Applications lie in the repository."""
STACK_LABEL = "cluster-forge/stack"
_CLUSTER = "https://kubernetes.default.svc"
_FINALIZER = "resources-finalizer.argocd.argoproj.io"

_WRITTEN_BY_CONTROLLERS = (
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration", ".webhooks[]?.clientConfig.caBundle"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", ".webhooks[]?.clientConfig.caBundle"),
    ("apiextensions.k8s.io", "CustomResourceDefinition", ".spec.conversion.webhook.clientConfig.caBundle"),
    ("apiregistration.k8s.io", "APIService", ".spec.caBundle"),
)
"""Fields that a controller fills in (cert-manager's cainjector and its like), by kind; empty of meaning in Git."""

_JOB, _STATEFUL_SET = ("batch", "Job"), ("apps", "StatefulSet")
_CLAIMS = tuple(
    f".spec.volumeClaimTemplates[]?.{field}"
    for field in ("apiVersion", "kind", "status", "metadata.creationTimestamp", "spec.volumeMode")
)
"""What the API server adds to a StatefulSet's claims, which a comparison outside of it takes for a difference
(argo-cd#11143)."""


def root_name(stack: Stack, parts: Iterable[Part]) -> str:
    """The root Application's name: the stack's, unless a part is called so."""
    return f"{stack.name}-root" if stack.name in {part.name for part in parts} else stack.name


def file_name(name: str) -> str:
    """The file of the Application called ``name``, in `FOLDER`."""
    return f"{name}.yaml"


def applications(stack: Stack, parts: Sequence[Part], revision: str) -> tuple[Body, ...]:
    """One Application for each part that has something to apply, by wave, and the root at the end.

    ``revision`` is the tag (of the Git repository or of the image) that all of them are pinned to. Nothing for a stack
    that kubectl delivers directly.
    """
    if delivery_mode.delivery(stack, parts) is Delivery.DIRECT:
        return ()
    minor = stack.target.kubernetes.minor
    kept = {part.name: part for part in component.delivered(stack, parts)}
    made = defined_groups(each for part in parts for each in part.applied)
    where = _namespace(stack, parts)
    found = []
    for part in in_order(parts):
        applied = kept[part.name].applied
        paths = {each.path for each in applied}
        left_out = [each for each in part.applied if each.path not in paths]
        if applied:
            found.append(
                _application(
                    stack,
                    where,
                    name=str(part.name),
                    namespace=part.namespace or "default",
                    wave=part.wave,
                    source=_source(stack, str(part.name), revision, [_file(each) for each in left_out]),
                    holds=_Holds(applied, made, minor),
                )
            )
    return (*found, root(stack, parts, revision))


def revision(parts: Sequence[Part], unpinned: Sequence[Body]) -> str:
    """A tag for this content: every file of every part, and the Applications, which are pinned to none as yet."""
    lines = sorted(f"{each.digest} {each.path}\n" for part in parts for each in part.objects)
    texts = map(emitter.document, unpinned)
    return f"v-{Digest.of(''.join((*lines, *texts)).encode()).hex[:12]}"


def pinned(application: Body, revision: str) -> Body:
    """The Application, pinned to ``revision``."""
    spec = application["spec"]
    return {**application, "spec": {**spec, "source": {**spec["source"], "targetRevision": revision}}}


def root(stack: Stack, parts: Sequence[Part], revision: str) -> Body:
    """The Application that holds the others.

    It leaves itself alone: an operation that is still under way at an older revision would pin it back to that.
    """
    name = root_name(stack, parts)
    where = _namespace(stack, parts)
    return _application(
        stack,
        where,
        name=name,
        namespace=where or engine.NAMESPACE,
        wave=None,
        source=_source(stack, FOLDER, revision, [file_name(name)]),
        holds=_Holds((), frozenset(), stack.target.kubernetes.minor),
    )


def _namespace(stack: Stack, parts: Sequence[Part]) -> str:
    """Where the Applications lie; left open where Argo CD is there already, and only the deployment tells where."""
    return "" if delivery_mode.delivery(stack, parts) is Delivery.EXISTING else engine.namespace(parts)


def _application(  # noqa: PLR0913 - what Applications differ in, all by keyword
    stack: Stack,
    where: str,
    *,
    name: str,
    namespace: str,
    wave: int | None,
    source: Body,
    holds: _Holds,
) -> Body:
    metadata: dict[str, Any] = {"name": name}
    if where:
        metadata["namespace"] = where
    metadata["labels"] = {"app.kubernetes.io/managed-by": "cluster-forge", STACK_LABEL: stack.name}
    metadata["annotations"] = {
        "argocd.argoproj.io/compare-options": f"ServerSideDiff={str(holds.compares_on_server).lower()}"
    }
    if wave is not None:
        metadata["annotations"]["argocd.argoproj.io/sync-wave"] = str(wave)
    if stack.gitops.finalizers:
        metadata["finalizers"] = [_FINALIZER]
    spec: dict[str, Any] = {
        "project": "default",
        "source": source,
        "destination": {"server": _CLUSTER, "namespace": namespace},
        "syncPolicy": {
            "automated": {"prune": True, "selfHeal": True},
            "syncOptions": ["ServerSideApply=true", "CreateNamespace=false", *holds.options],
            # Long enough for a webhook or a CRD of an earlier wave to answer, and not for ever: a failed operation has
            # to end before a newer revision is looked at.
            "retry": {"limit": 10, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "3m"}},
        },
    }
    if differences := holds.differences:
        spec["ignoreDifferences"] = differences
    return {"apiVersion": f"{engine.GROUP}/v1alpha1", "kind": "Application", "metadata": metadata, "spec": spec}


def _source(stack: Stack, path: str, revision: str, left_out: list[str]) -> Body:
    """A folder of the repository; what lies in folders below it (hooks of later events) is never applied.

    Not recursive is the default, and has to be left unsaid: Argo CD drops an empty ``directory`` and what is false in it
    from an Application (``NormalizeApplicationSpec``), and the root would never be in sync.
    """
    inside = f"{image_content.MANIFESTS}/{path}" if stack.gitops.source is RepositorySource.OCI else path
    source = {"repoURL": repository_url(stack), "targetRevision": revision, "path": inside}
    if not left_out:
        return source
    exclude = "{" + ",".join(sorted(left_out)) + "}" if len(left_out) > 1 else left_out[0]
    return {**source, "directory": {"exclude": exclude}}


def repository_url(stack: Stack) -> str:
    """Where Argo CD reads the repository from.

    An OCI image needs Argo CD 3.1 or later (Argo CD, "OCI").
    """
    match stack.gitops.source:
        case RepositorySource.INTERNAL:
            return git_server.url(stack)
        case RepositorySource.EXTERNAL:
            return delivery_mode.address(stack)
        case RepositorySource.OCI:
            return "oci://" + delivery_mode.address(stack).removeprefix("oci://")


def _file(each: PartObject) -> str:
    return each.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class _Holds:
    """What follows for an Application from the kinds that it holds; ``made`` are the groups of the stack's CRDs."""

    applied: Sequence[PartObject]
    made: frozenset[str]
    minor: int

    @property
    def compares_on_server(self) -> bool:
        """Whether the API server is asked what would change, as it has to be for StatefulSets (argo-cd#11143).

        Not with a plain Job: a changed one cannot be applied, the question fails, and Argo CD then takes the answer to
        an older question for this one and calls the Application synced (argo-cd#28722, #29348; seen with 3.5.7).
        """
        return not any(each.kind == _JOB and not each.hook for each in self.applied)

    @property
    def options(self) -> list[str]:
        """The sync options (Argo CD, "Sync Options")."""
        custom = any(each.id.group in self.made or is_custom(each.kind, self.minor) for each in self.applied)
        options = ["SkipDryRunOnMissingResource=true"] if custom else []
        return options + (["RespectIgnoreDifferences=true"] if self.differences else [])

    @property
    def differences(self) -> list[Body]:
        """What is not compared (Argo CD, "Diff Customization"), for the kinds that are there."""
        return list(self._differences())

    def _differences(self) -> Iterator[Body]:
        kinds = {each.kind for each in self.applied} - {CRD}
        if any(each.kind == CRD and b"conversion:" in each.content for each in self.applied):
            kinds.add(CRD)
        for group, kind, expression in _WRITTEN_BY_CONTROLLERS:
            if (group, kind) in kinds:
                yield {"group": group, "kind": kind, "jqPathExpressions": [expression]}
        if _STATEFUL_SET in kinds and not self.compares_on_server:
            group, kind = _STATEFUL_SET
            yield {"group": group, "kind": kind, "jqPathExpressions": list(_CLAIMS)}
