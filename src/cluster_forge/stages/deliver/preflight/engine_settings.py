"""The settings of the Argo CD that is to apply the stack, in its ConfigMaps and its repo-server.

Sources: Argo CD, "argocd-cm.yaml", "argocd-cmd-params-cm.yaml", "Resource Health" and "Resource Tracking".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cluster_forge.foundation import quantity
from cluster_forge.foundation.errors import ManifestError
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
from cluster_forge.gitops.planning import SETTINGS
from cluster_forge.gitops.steps import SETTINGS_MANAGER
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.stages.deliver.argocd import known_clusters
from cluster_forge.stages.deliver.argocd import place as argocd_place
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation, labels_of, name_of

CODE: Final = "engine-setting"
_NAMED: Final = 3
_TRACKING: Final = "application.resourceTrackingMethod"


def of_existing(situation: Situation, namespace: str, workloads: Sequence[Body]) -> Iterator[Problem]:
    """Those of the Argo CD of the cluster, which consists of ``workloads``."""
    settings = data(situation, namespace, SETTINGS_MAP)
    yield from _of_waiting(settings, namespace)
    yield from _of_exclusions(situation, settings, namespace)
    yield from _of_limit(situation, namespace, workloads)


def of_stack(situation: Situation, namespace: str) -> Iterator[Problem]:
    """Those of the Argo CD that the stack installs."""
    part = engines.find(situation.parts)
    bodies = (item.body for item in (part.objects if part else ()) if item.id.kind == "ConfigMap")
    settings = next((mapping(body.get("data")) for body in bodies if name_of(body) == SETTINGS_MAP), {})
    yield from _of_exclusions(situation, settings, namespace)


def data(situation: Situation, namespace: str, name: str) -> Mapping[str, Any]:
    """What a ConfigMap of Argo CD holds in the cluster; empty where it is missing."""
    body = situation.cluster.get(ObjectId(group="", kind="ConfigMap", namespace=namespace, name=name)) or {}
    return mapping(body.get("data"))


def problem(name: str, namespace: str, message: str, fix: str, severity: Severity = Severity.ERROR) -> Problem:
    """What is wrong in the ConfigMap ``name``; an error is one that the user may allow."""
    option = f"--allow {CODE}" if severity is Severity.ERROR else ""
    where = f"ConfigMap/{namespace}/{name}"
    return Problem(code=CODE, message=message, where=where, fix=fix, severity=severity, option=option)


def _of_waiting(settings: Mapping[str, Any], namespace: str) -> Iterator[Problem]:
    """Without the health script a wave does not wait; without annotations an object does not say whose it is."""
    script = settings.get(HEALTH_KEY, "")
    if not gates(script):
        how = "has no" if not script else "does not look at the sync status in its"
        yield problem(
            SETTINGS_MAP,
            namespace,
            f"{how} {HEALTH_KEY}: waves do not wait for each other, and a deployment may be called done too early",
            "in the folder of the stack: kubectl apply --server-side "
            f"--field-manager={SETTINGS_MANAGER} -n {namespace} -f {bootstrap.FOLDER}/{SETTINGS}",
            Severity.WARNING,
        )
    if settings.get(_TRACKING, "annotation") == "label":
        yield problem(
            SETTINGS_MAP,
            namespace,
            f"{_TRACKING} is label: objects are known by the stack's claim alone, and moved ones are not handed over",
            _patch(SETTINGS_MAP, namespace, _TRACKING, "annotation"),
            Severity.WARNING,
        )


def _of_exclusions(situation: Situation, settings: Mapping[str, Any], namespace: str) -> Iterator[Problem]:
    """Objects that Argo CD would not apply, and would not miss."""
    try:
        left_out = ResourceFilter.of(settings, situation.tools.reader.read)
    except ManifestError as error:
        message = f"Argo CD cannot read its rules about resources: {error.message}"
        yield problem(SETTINGS_MAP, namespace, message, "mend it: Argo CD syncs nothing until then")
        return
    servers = _servers(situation, namespace)
    objects: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for item in (item for part in situation.parts for item in part.objects):
        objects[item.kind].append(str(item.id))
    reasons = {(kind, left_out.reason(kind, server)) for kind in objects for server in servers}
    for kind, reason in sorted((kind, reason) for kind, reason in reasons if reason is not None):
        ids = objects[kind]
        yield problem(
            SETTINGS_MAP,
            namespace,
            f"Argo CD applies no {kind[1]}, and the stack has {counted(len(ids), 'object')} of this kind: "
            f"{listed(ids, _NAMED)}",
            " or ".join(filter(None, (f"change {reason} there" if reason else "", "take them out of the stack"))),
        )


def _servers(situation: Situation, namespace: str) -> tuple[str, ...]:
    """The addresses of the clusters that Argo CD is to deliver to, by which its rules know them."""
    if not situation.central:
        return (applications.CLUSTER,)
    known = {one.name: one.server for one in known_clusters.listed(namespace, situation.cluster)}
    servers = {known_clusters.OWN: applications.CLUSTER} | known
    return tuple(server for name, server in servers.items() if name in situation.central)


def _of_limit(situation: Situation, namespace: str, workloads: Sequence[Body]) -> Iterator[Problem]:
    """Argo CD refuses an Application whose manifests are larger in sum; its sync status is then Unknown."""
    text = _limit(data(situation, namespace, PARAMETERS_MAP), workloads)
    try:
        limit = quantity.parse(text)
    except ValueError:
        return
    for content, size in crds.sizes(situation.parts):
        if limit and size > limit:  # 0: no limit
            yield problem(
                PARAMETERS_MAP,
                namespace,
                f"the manifests of {content} have {size / 1e6:.1f} MB, and this Argo CD takes {text}",
                f"{_patch(PARAMETERS_MAP, namespace, LIMIT_KEY, '100M')}, then restart its repo-server",
            )


def _limit(settings: Mapping[str, Any], workloads: Sequence[Body]) -> str:
    """The limit of the repo-server: its variable, or the ConfigMap that this reads by default."""
    for body in workloads:
        if labels_of(body).get(argocd_place.COMPONENT) == argocd_place.REPO_SERVER:
            for variable in argocd_place.container(body).get("env") or ():
                if variable.get("name") == LIMIT_VARIABLE and variable.get("value"):
                    return str(variable["value"])
    return str(settings.get(LIMIT_KEY) or DEFAULT_LIMIT)


def _patch(name: str, namespace: str, key: str, value: str) -> str:
    return f'kubectl patch configmap {name} -n {namespace} --type merge -p \'{{"data":{{"{key}":"{value}"}}}}\''
