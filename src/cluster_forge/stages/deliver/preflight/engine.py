"""The engine that is to apply the stack is there, is new enough, and has the settings that the stack needs.

Sources: Argo CD, "argocd-cm.yaml", "argocd-cmd-params-cm.yaml", "Resource Health", "Resource Tracking" and "OCI".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.foundation import quantity
from cluster_forge.foundation.errors import ManifestError, PreflightError
from cluster_forge.foundation.names import counted, listed
from cluster_forge.foundation.untyped import mapping
from cluster_forge.gitops import bootstrap
from cluster_forge.gitops import engine as engines
from cluster_forge.gitops.argocd import applications, crds
from cluster_forge.gitops.argocd.component import (
    DEFAULT_LIMIT,
    HEALTH_KEY,
    LIMIT_KEY,
    LIMIT_VARIABLE,
    PARAMETERS_MAP,
    SETTINGS_MAP,
    gates,
)
from cluster_forge.gitops.argocd.resource_filter import ResourceFilter
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.plan import ArgoCdPlan, FluxPlan
from cluster_forge.gitops.planning import SETTINGS
from cluster_forge.gitops.steps import SETTINGS_MANAGER
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.pods import pod_of
from cluster_forge.stages.deliver import engine_controllers
from cluster_forge.stages.deliver.argocd import known_clusters
from cluster_forge.stages.deliver.argocd import place as argocd_place
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation, labels_of, name_of

LOOKS_AT: Final = "the GitOps engine in the cluster"
IS_NEEDED: Final = True
CODES: Final[Mapping[str, str]] = {
    "engine-missing": "The Argo CD or Flux that is to apply the stack is not there.",
    "engine-version": "The Argo CD in the cluster is older than 3.0 (with `gitops.source: oci`, than 3.1), or does not say its version.",
    "engine-setting": "A setting of Argo CD ends a deployment too early, is too small for a component, or leaves objects out.",
    "engine-namespace": "`--namespace` names an Argo CD that does not deliver the stack.",
    "engine-present": "An Argo CD or Flux runs already, in another namespace than the one that the stack installs.",
}
MISSING: Final = "engine-missing"
VERSION: Final = "engine-version"
SETTING: Final = "engine-setting"
NAMESPACE: Final = "engine-namespace"
PRESENT: Final = "engine-present"
_PART_OF: Final = "app.kubernetes.io/part-of=argocd"
_COMPONENT: Final = "app.kubernetes.io/component"
_OLDEST: Final = (3, 0)
_READS_OCI: Final = (3, 1)
_TAG: Final = re.compile(r":v?(\d{1,3})\.(\d{1,3})[^/]*\Z")
_NAMED: Final = 3
_TRACKING: Final = "application.resourceTrackingMethod"


def problems(situation: Situation) -> Iterator[Problem]:
    plan = situation.plan
    yield from _of_namespace(situation)
    if plan.delivery is Delivery.EXISTING:
        if plan.argocd:
            yield from _of_existing(situation, plan.argocd)
        if plan.flux:
            yield from _of_flux(situation, plan.flux)
    elif plan.argocd:
        yield from _of_others(situation, engine_controllers.ARGOCD, plan.argocd.namespace)
        yield from _of_exclusions(situation, _settings_of_stack(situation), plan.argocd.namespace)
    elif plan.flux:
        yield from _of_others(situation, engine_controllers.FLUX)


def _of_flux(situation: Situation, flux: FluxPlan) -> Iterator[Problem]:
    """The cluster serves the kinds by which Flux gets the stack."""
    kinds = ((flux.source.group, flux.source.kind), (engines.FLUX_GROUP, "Kustomization"))
    lacking = [kind for group, kind in kinds if not situation.served.find(group, kind)]
    if lacking:
        yield Problem(
            code=MISSING,
            message=f"the stack is applied by a Flux in the cluster, which does not serve {' and '.join(lacking)}",
            where=str(situation.cluster.about()),
            fix="install Flux, or set `gitops: {install: true}` and cast again: the stack then brings it",
        )


def _of_others(situation: Situation, name: str, own: str = "") -> Iterator[Problem]:
    """Another one, beside the one that the stack installs (in the namespace ``own``): both would have the CRDs, and each the
    other's Applications or Kustomizations.
    """
    there = (ObjectId.of(body) for body in engine_controllers.listed(name, situation.cluster))
    for namespace in sorted({one.namespace for one in there if one not in situation.claimed} - {own}):
        yield Problem(
            code=PRESENT,
            message=f"{'an Argo CD' if name == engine_controllers.ARGOCD else 'a Flux'} runs in namespace {namespace} already, "
            f"and the stack installs one{f' in {own}' if own else ''}",
            where=f"Namespace/{namespace}",
            fix="set `gitops: {install: false}`, forge again",
            option=f"--allow {PRESENT}",
        )


def _of_namespace(situation: Situation) -> Iterator[Problem]:
    """``--namespace`` is for an Argo CD that is in the cluster already."""
    plan, wanted = situation.plan, situation.options.namespace
    if not wanted or (plan.argocd and (plan.delivery is Delivery.EXISTING or plan.argocd.namespace == wanted)):
        return
    yield Problem(
        code=NAMESPACE,
        message=f"--namespace {wanted}: the stack installs Argo CD in namespace {plan.argocd.namespace}"
        if plan.argocd
        else f"--namespace {wanted}: no Argo CD delivers the stack",
        where="",
        fix="leave --namespace out",
    )


def _of_existing(situation: Situation, argocd: ArgoCdPlan) -> Iterator[Problem]:
    try:
        namespace = argocd_place.place(argocd, situation.cluster, situation.options.namespace).namespace
    except PreflightError as error:
        yield Problem(code=MISSING, message=error.message, where=str(situation.cluster.about()), fix=error.fix or "")
        return
    workloads = [
        *situation.listed("apps", "StatefulSet", namespace=namespace, labels=_PART_OF),
        *situation.listed("apps", "Deployment", namespace=namespace, labels=_PART_OF),
    ]
    yield from _of_version(workloads, argocd)
    settings = _data(situation, namespace, SETTINGS_MAP)
    yield from _of_settings(settings, namespace)
    yield from _of_exclusions(situation, settings, namespace)
    yield from _of_limit(situation, namespace, workloads)


def _of_version(workloads: list[Body], argocd: ArgoCdPlan) -> Iterator[Problem]:
    for body in workloads:
        if labels_of(body).get(_COMPONENT) not in ("application-controller", "repo-server"):
            continue
        image = str(_container(body).get("image", ""))
        match = _TAG.search(image.partition("@")[0])
        where = f"{body['kind']}/{body['metadata']['namespace']}/{name_of(body)}"
        if not match:
            yield Problem(
                code=VERSION,
                message=f"the version of Argo CD is not known from its image {image!r}: 3.0 or newer is needed",
                where=where,
                severity=Severity.WARNING,
            )
            continue
        version = int(match[1]), int(match[2])
        if version < _OLDEST:
            yield Problem(
                code=VERSION,
                message=f"the Argo CD in the cluster is {match[1]}.{match[2]} (supported: 3.0 or newer)",
                where=where,
                fix="upgrade it",
                option=f"--allow {VERSION}",
            )
        elif version < _READS_OCI and argocd.url.startswith("oci://"):
            yield Problem(
                code=VERSION,
                message=f"the Argo CD in the cluster is {match[1]}.{match[2]}, and reads stacks in registries from 3.1 on",
                where=where,
                fix="upgrade it, or set `gitops: {source: external}` with the address of a Git repository and forge again",
                option=f"--allow {VERSION}",
            )


def _of_exclusions(situation: Situation, settings: Mapping[str, Any], namespace: str) -> Iterator[Problem]:
    """Objects that Argo CD would not apply, and would not miss."""
    where = f"ConfigMap/{namespace}/{SETTINGS_MAP}"
    try:
        left_out = ResourceFilter.of(settings, situation.tools.reader.read)
    except ManifestError as error:
        yield Problem(
            code=SETTING,
            message=f"Argo CD cannot read its rules about resources: {error.message}",
            where=where,
            fix="mend it: Argo CD syncs nothing until then",
            option=f"--allow {SETTING}",
        )
        return
    kinds = {item.kind for part in situation.parts for item in part.objects}
    servers = _servers(situation, namespace)
    reasons = {(kind, left_out.reason(kind, server)) for kind in kinds for server in servers}
    for kind, reason in sorted((kind, reason) for kind, reason in reasons if reason is not None):
        objects = [str(item.id) for part in situation.parts for item in part.objects if item.kind == kind]
        yield Problem(
            code=SETTING,
            message=f"Argo CD applies no {kind[1]}, and the stack has {counted(len(objects), 'object')} of this kind: "
            f"{listed(objects, _NAMED)}",
            where=where,
            fix=" or ".join(filter(None, (f"change {reason} there" if reason else "", "take them out of the stack"))),
            option=f"--allow {SETTING}",
        )


def _servers(situation: Situation, namespace: str) -> tuple[str, ...]:
    """The addresses of the clusters that Argo CD is to deliver to, by which its rules know them."""
    if not situation.central:
        return (applications.CLUSTER,)
    known = {one.name: one.server for one in known_clusters.listed(namespace, situation.cluster)}
    servers = {known_clusters.OWN: applications.CLUSTER} | known
    return tuple(server for name, server in servers.items() if name in situation.central)


def _settings_of_stack(situation: Situation) -> Mapping[str, Any]:
    """``argocd-cm`` of the Argo CD that the stack installs."""
    part = engines.find(situation.parts)
    bodies = (item.body for item in (part.objects if part else ()) if item.id.kind == "ConfigMap")
    return next((mapping(body.get("data")) for body in bodies if name_of(body) == SETTINGS_MAP), {})


def _of_settings(data: Mapping[str, Any], namespace: str) -> Iterator[Problem]:
    where = f"ConfigMap/{namespace}/{SETTINGS_MAP}"
    script = data.get(HEALTH_KEY, "")
    if not gates(script):
        how = "has no" if not script else "does not look at the sync status in its"
        yield Problem(
            code=SETTING,
            message=f"{how} {HEALTH_KEY}: waves do not wait for each other, and a deployment may be called done too early",
            where=where,
            fix="in the folder of the stack: kubectl apply --server-side "
            f"--field-manager={SETTINGS_MANAGER} -n {namespace} -f {bootstrap.FOLDER}/{SETTINGS}",
            severity=Severity.WARNING,
        )
    if data.get(_TRACKING, "annotation") == "label":
        yield Problem(
            code=SETTING,
            message=f"{_TRACKING} is label: objects are known by the stack's claim alone, and moved ones are not handed over",
            where=where,
            fix=_patch(SETTINGS_MAP, namespace, _TRACKING, "annotation"),
            severity=Severity.WARNING,
        )


def _of_limit(situation: Situation, namespace: str, workloads: list[Body]) -> Iterator[Problem]:
    """Argo CD refuses an Application whose manifests are larger in sum; its sync status is then Unknown."""
    text = _limit(_data(situation, namespace, PARAMETERS_MAP), workloads)
    try:
        limit = quantity.parse(text)
    except ValueError:
        return
    for content, size in crds.sizes(situation.parts):
        if limit and size > limit:  # 0: no limit
            yield Problem(
                code=SETTING,
                message=f"the manifests of {content} have {size / 1e6:.1f} MB, and this Argo CD takes {text}",
                where=f"ConfigMap/{namespace}/{PARAMETERS_MAP}",
                fix=f"{_patch(PARAMETERS_MAP, namespace, LIMIT_KEY, '100M')}, then restart its repo-server",
                option=f"--allow {SETTING}",
            )


def _limit(data: Mapping[str, Any], workloads: list[Body]) -> str:
    """The limit of the repo-server: its variable, or the ConfigMap that this reads by default."""
    for body in workloads:
        if labels_of(body).get(_COMPONENT) == "repo-server":
            for variable in _container(body).get("env") or ():
                if variable.get("name") == LIMIT_VARIABLE and variable.get("value"):
                    return str(variable["value"])
    return str(data.get(LIMIT_KEY) or DEFAULT_LIMIT)


def _patch(name: str, namespace: str, key: str, value: str) -> str:
    return f'kubectl patch configmap {name} -n {namespace} --type merge -p \'{{"data":{{"{key}":"{value}"}}}}\''


def _container(workload: Body) -> Mapping[str, Any]:
    first: Mapping[str, Any] = next(iter((pod_of(workload) or {}).get("containers") or ()), {})
    return first


def _data(situation: Situation, namespace: str, name: str) -> Mapping[str, Any]:
    body = situation.cluster.get(ObjectId(group="", kind="ConfigMap", namespace=namespace, name=name)) or {}
    return body.get("data") or {}
