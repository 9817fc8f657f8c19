"""The findings about single objects and about the waves of a stack, made while it is put together."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from cluster_forge.checks import report
from cluster_forge.foundation.names import counted, did_you_mean
from cluster_forge.gitops import delivery_mode
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.manifests import kubernetes_apis, normalize, volume_claims
from cluster_forge.manifests.finding import Finding, Mending, Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.part import Part
from cluster_forge.manifests.scope import Scopes
from cluster_forge.stack.component import Component
from cluster_forge.stack.model import GitOpsEngine, Stack
from cluster_forge.stages.build.rendering.rendered_component import RenderedComponent

_BETWEEN_WORDS: Final = re.compile(r"[\s/_:]+")


def open_subjects(manifest: Manifest, namespace: str) -> Iterator[Finding]:
    """A warning for a ClusterRoleBinding, as it was rendered, with ServiceAccounts that were given the ``namespace``. If there
    is none, they stay as they are, and the schema of the object says that they are refused.
    """
    for account in normalize.accounts_without_namespace(manifest) if namespace else ():
        yield report.warning(
            manifest,
            "missing-namespace",
            f"the subject ServiceAccount {account!r} has no namespace: {namespace!r} was filled in",
            fix="write the account's namespace into `subjects`: the rights are those of that account",
        )


def deleted_volumes(manifests: Iterable[Manifest]) -> Iterator[Finding]:
    """A warning for each StatefulSet whose volumes Kubernetes deletes with it: taking it out of the stack is enough."""
    for manifest in manifests:
        if manifest.id.kind == "StatefulSet" and volume_claims.are_deleted(manifest.id, manifest.body):
            yield report.warning(
                manifest,
                "deleted-volumes",
                "its volumes are deleted with it, also when it leaves the stack "
                "(persistentVolumeClaimRetentionPolicy.whenDeleted: Delete)",
                fix="set `whenDeleted: Retain`, in a chart by its values, or accept it in `checks.ignore` with the reason",
            )


def remarks(rendered: RenderedComponent) -> Iterator[Finding]:
    """What Helm or kustomize warns of, with each run: a sourced tree that is reused has it from the lock."""
    code = "kustomize-warning" if rendered.component.kustomize else "helm-warning"
    for remark in rendered.remarks:
        yield Finding(
            code=code,
            severity=remark.severity,
            component=rendered.name,
            where=rendered.component.where,
            message=remark.message,
            fix=remark.fix,
        )


def missing_engine(stack: Stack, parts: Sequence[Part]) -> Iterator[Finding]:
    """A finding if kubectl applies the stack and the description does not say so: its engine was left out, or is the default."""
    gitops = stack.gitops
    if gitops.engine is GitOpsEngine.NONE or delivery_mode.delivery(stack, parts) is not Delivery.DIRECT:
        return
    if gitops.engine_where:
        title = delivery_mode.TITLES[gitops.engine]
        place = "among the selected components" if stack.is_narrowed else "in the stack"
        yield Finding(
            code="engine-missing",
            severity=Severity.WARNING,
            where=gitops.engine_where,
            message=f"gitops: `engine: {gitops.engine}`, and {title} is not {place}: kubectl applies it, and nothing keeps it in sync",
            fix=f"select the component with {title}, too; or write `install: false` if the cluster has it, or `engine: none`",
        )
    elif gitops.default_where:
        yield Finding(
            code="engine-missing",
            severity=Severity.NOTICE,
            where=gitops.default_where,
            message="gitops: no `engine` is written, and Argo CD is not in the stack: kubectl applies it",
            fix="write `engine: none` to keep it so, or `engine: argocd`, which adds Argo CD",
        )


def unknown_kinds(manifests: Iterable[Manifest], scopes: Scopes, provided: Collection[str] = ()) -> list[Finding]:
    """A warning for each kind that neither the target version nor a CRD of the stack defines.

    ``provided`` are the API groups that the target has, as ``target.provides`` says: their objects need a namespace only.
    """
    unknown: dict[tuple[str, str], list[ObjectId]] = {}
    first: dict[tuple[str, str], Manifest] = {}
    for manifest in manifests:
        kind = manifest.id.group, manifest.id.kind
        is_provided = manifest.id.group in provided and manifest.id.namespace
        is_built_in = kubernetes_apis.is_built_in(manifest.id.group.lower())
        if scopes.is_namespaced(*kind) is None and not is_built_in and not is_provided:
            unknown.setdefault(kind, []).append(manifest.id)
            first.setdefault(kind, manifest)
    return [
        Finding(
            code="missing-crd",
            severity=Severity.WARNING,
            component=first[kind].provenance.component,
            object=ids[0],
            where=first[kind].provenance.origin,
            message=f"{counted(len(ids), 'object')} of kind {kind[1]} ({kind[0]}): neither the target version nor the stack defines it"
            + _meant(*kind, scopes),
            fix=f"add the component that brings its CRD (`cluster-forge catalog search {kind[0]}`); "
            "its namespace cannot be filled in without",
        )
        for kind, ids in sorted(unknown.items())
    ]


def _meant(group: str, kind: str, scopes: Scopes) -> str:
    """The end of the message about an unknown kind: what the stack defines, and may be meant."""
    other_groups = sorted(other for other, known in scopes.custom if known == kind)
    if other_groups:
        return f", did you mean {kind} of {' or '.join(other_groups)}?"
    kinds = [known for other, known in scopes.custom if other == group]
    other_case = next((known for known in kinds if known.lower() == kind.lower()), "")
    return f", did you mean {other_case!r}?" if other_case else did_you_mean(kind, kinds)


def unused_excludes(component: Component, matched: set[str], objects: Iterable[ObjectId]) -> Iterator[Finding]:
    """A warning for each entry of ``exclude`` that is not among those that ``matched`` an object; ``objects`` are those that
    are left. An entry that names one of them in another form is not to be removed, but to be corrected.
    """
    unmatched = [name for name in component.exclude if name not in matched]
    known = sorted(objects, key=str) if unmatched else []
    for name in unmatched:
        meant = next((f"{one.kind}_{one.name}.yaml" for one in known if _names(name, one)), "")
        yield Finding(
            code="unused-ignore",
            severity=Severity.WARNING,
            component=component.name,
            where=component.where,
            message=f"exclude {name!r} matches no object",
            fix=f"write {meant}" if meant else "write the file name of an object in working/, or remove the entry",
            mending=None if meant else Mending(where=component.where, key="exclude", item=name),
        )


def _names(entry: str, named: ObjectId) -> bool:
    """Whether an entry of ``exclude`` has the name of an object, and else nothing but what says which object it is."""
    words = _BETWEEN_WORDS.split(entry.lower().removesuffix(".yaml").removesuffix(".yml"))
    kinds = (named.kind, f"{named.kind}s")
    of_object = {"", named.group, named.namespace, named.name, *kinds, *(f"{kind}.{named.group}" for kind in kinds)}
    return named.name in words and set(words) <= {word.lower() for word in of_object}
