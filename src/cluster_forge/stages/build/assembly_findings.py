"""The findings about single objects and about the waves of a stack, made while it is put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from cluster_forge.foundation.names import ComponentName, counted
from cluster_forge.gitops import delivery_mode
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.manifests import hooks, kubernetes_apis, normalize
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.hooks import Phase
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.order import Unit
from cluster_forge.manifests.part import Part
from cluster_forge.manifests.scope import Scopes
from cluster_forge.stack.model import Component, GitOpsEngine, Stack
from cluster_forge.stages.build.rendered_component import RenderedComponent


def open_subjects(manifest: Manifest, namespace: str) -> Iterator[Finding]:
    """A warning for a ClusterRoleBinding, as it was rendered, with ServiceAccounts that have no namespace."""
    for account in normalize.accounts_without_namespace(manifest):
        filled = f"{namespace!r} was filled in" if namespace else "the API server refuses it"
        yield Finding(
            code="missing-namespace",
            severity=Severity.WARNING,
            component=manifest.provenance.component,
            object=manifest.id,
            where=manifest.provenance.origin,
            message=f"the subject ServiceAccount {account!r} has no namespace: {filled}",
            fix="write the account's namespace into `subjects`: the rights are those of that account",
        )


def data_hooks(manifests: Iterable[Manifest]) -> Iterator[Finding]:
    """A warning for each object that holds data and is a hook: a GitOps engine deletes it before it runs again."""
    for manifest in manifests:
        if not manifest.id.holds_data or (manifest.id.group, manifest.id.kind) == ("", "Namespace"):
            continue
        hook = hooks.of(manifest.body)
        if hook.phases - {Phase.SKIP} and hook.events != {"crd-install"}:
            yield Finding(
                code="data-hook",
                severity=Severity.WARNING,
                component=manifest.provenance.component,
                object=manifest.id,
                where=manifest.provenance.origin,
                message="holds data and is a hook: Argo CD deletes hooks, by default before each sync, and the data with it",
                fix="bring it in a component of its own without the hook's annotations, and `exclude` it here",
            )


def remarks(rendered: RenderedComponent) -> Iterator[Finding]:
    """What Helm warns of, with each run: a sourced tree that is reused has it from the lock."""
    for remark in rendered.remarks:
        yield Finding(
            code="helm-warning",
            severity=remark.severity,
            component=rendered.name,
            where=rendered.component.where,
            message=remark.message,
            fix=remark.fix,
        )


def wave_conflicts(units: Sequence[Unit], waves: Mapping[ComponentName, int]) -> Iterator[Finding]:
    """A warning for each wave that the user set and that is not after those of the parts that the component needs."""
    for unit in units:
        for other in sorted((unit.after | unit.definitions.keys()) & waves.keys()):
            if waves[unit.name] > waves[other]:
                continue
            kind = unit.definitions.get(other)
            reason = f"which brings the CRD of its {kind}" if kind else "which it needs"
            yield Finding(
                code="wave-conflict",
                severity=Severity.WARNING,
                component=unit.name,
                message=f"wave {waves[unit.name]} is not after wave {waves[other]} of {other}, {reason}",
                fix=f"remove `wave: {waves[unit.name]}`, or write one above {waves[other]}",
            )


def missing_engine(stack: Stack, parts: Sequence[Part]) -> Iterator[Finding]:
    """A warning if the description says ``engine: argocd``, and kubectl applies the stack because Argo CD is not in it."""
    gitops = stack.gitops
    if gitops.engine is not GitOpsEngine.ARGOCD or not gitops.engine_where:
        return
    if delivery_mode.delivery(stack, parts) is Delivery.DIRECT:
        yield Finding(
            code="engine-missing",
            severity=Severity.WARNING,
            where=gitops.engine_where,
            message="gitops: `engine: argocd`, and Argo CD is not in the stack: kubectl applies it, and nothing keeps it in sync",
            fix="add a component with Argo CD (`argo-cd` of the catalog), or write `install: false` if the cluster has it, "
            "or `engine: none`",
        )


def unknown_kinds(manifests: Iterable[Manifest], scopes: Scopes) -> list[Finding]:
    """A warning for each kind that neither the target version nor a CRD of the stack defines."""
    unknown: dict[tuple[str, str], list[ObjectId]] = {}
    first: dict[tuple[str, str], Manifest] = {}
    for manifest in manifests:
        kind = manifest.id.group, manifest.id.kind
        if scopes.is_namespaced(*kind) is None and not kubernetes_apis.is_built_in(manifest.id.group):
            unknown.setdefault(kind, []).append(manifest.id)
            first.setdefault(kind, manifest)
    return [
        Finding(
            code="missing-crd",
            severity=Severity.WARNING,
            component=first[kind].provenance.component,
            object=ids[0],
            where=first[kind].provenance.origin,
            message=f"{counted(len(ids), 'object')} of kind {kind[1]} ({kind[0]}): neither the target version nor the stack defines it",
            fix="add the component that brings its CRD; its namespace cannot be filled in without",
        )
        for kind, ids in sorted(unknown.items())
    ]


def unused_excludes(component: Component, matched: set[str]) -> list[Finding]:
    """A warning for each entry of ``exclude`` that is not among those that ``matched`` an object."""
    return [
        Finding(
            code="unused-ignore",
            severity=Severity.WARNING,
            component=component.name,
            where=component.where,
            message=f"exclude {name!r} matches no object",
            fix="write the file name of an object in working/, or remove the entry",
        )
        for name in component.exclude
        if name not in matched
    ]
