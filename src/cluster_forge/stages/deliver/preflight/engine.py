"""The engine that is to apply the stack is there, is new enough, and has the settings that the stack needs.

Sources: Argo CD, "Declarative Setup" and "OCI".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from cluster_forge.foundation.errors import PreflightError
from cluster_forge.gitops import engine as engines
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.plan import ArgoCdPlan, FluxPlan
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.stages.deliver import engine_controllers
from cluster_forge.stages.deliver.argocd import place as argocd_place
from cluster_forge.stages.deliver.preflight import engine_settings
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation, labels_of, name_of

LOOKS_AT: Final = "the GitOps engine in the cluster"
IS_NEEDED: Final = True
CODES: Final[Mapping[str, str]] = {
    "engine-missing": "The Argo CD or Flux that is to apply the stack is not there.",
    "engine-version": "The Argo CD in the cluster is older than 3.0 (with `gitops.source: oci`, than 3.1), or does not say its version.",
    engine_settings.CODE: "A setting of Argo CD ends a deployment too early, is too small for a component, or leaves objects out.",
    "engine-namespace": "`--namespace` names an Argo CD that does not deliver the stack.",
    "engine-present": "An Argo CD or Flux runs already, in another namespace than the one that the stack installs.",
}
MISSING: Final = "engine-missing"
VERSION: Final = "engine-version"
NAMESPACE: Final = "engine-namespace"
PRESENT: Final = "engine-present"
_PART_OF: Final = "app.kubernetes.io/part-of=argocd"
_OLDEST: Final = (3, 0)
_READS_OCI: Final = (3, 1)
_TAG: Final = re.compile(r":v?(\d{1,3})\.(\d{1,3})[^/]*\Z")


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
        yield from engine_settings.of_stack(situation, plan.argocd.namespace)
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
    yield from engine_settings.of_existing(situation, namespace, workloads)


def _of_version(workloads: Sequence[Body], argocd: ArgoCdPlan) -> Iterator[Problem]:
    for body in workloads:
        if labels_of(body).get(argocd_place.COMPONENT) not in ("application-controller", argocd_place.REPO_SERVER):
            continue
        where = f"{body['kind']}/{body['metadata']['namespace']}/{name_of(body)}"
        image = str(argocd_place.container(body).get("image", ""))
        match = _TAG.search(image.partition("@")[0])
        if not match:
            yield Problem(
                code=VERSION,
                message=f"the version of Argo CD is not known from its image {image!r}: 3.0 or newer is needed",
                where=where,
                severity=Severity.WARNING,
            )
        elif lack := _lack((int(match[1]), int(match[2])), argocd.url):
            message, fix = lack
            yield Problem(
                code=VERSION,
                message=f"the Argo CD in the cluster is {match[1]}.{match[2]}{message}",
                where=where,
                fix=fix,
                option=f"--allow {VERSION}",
            )


def _lack(version: tuple[int, int], url: str) -> tuple[str, str] | None:
    """What this version does not do, and how to mend it; None if it is new enough."""
    if version < _OLDEST:
        return " (supported: 3.0 or newer)", "upgrade it"
    if version < _READS_OCI and url.startswith("oci://"):
        other = "set `gitops: {source: external}` with the address of a Git repository and forge again"
        return ", and reads stacks in registries from 3.1 on", f"upgrade it, or {other}"
    return None
