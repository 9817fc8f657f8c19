"""The findings about the settings of the Argo CD that delivers the stack: gating waves, and the size of what it reads.

Where the stack installs Argo CD and says nothing, the delivery brings the right settings (`gitops.argocd.component`). Those of
an Argo CD in the cluster are looked at before a deployment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cluster_forge.foundation import quantity
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.gitops import delivery_mode, engine
from cluster_forge.gitops.argocd import crds
from cluster_forge.gitops.argocd.component import (
    DEFAULT_LIMIT,
    HEALTH_KEY,
    LIMIT_KEY,
    LIMIT_VARIABLE,
    PARAMETERS_MAP,
    SETTINGS_MAP,
    gates,
)
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.manifests import field_path
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.manifests.pods import containers_of
from cluster_forge.stack.model import GitOpsEngine, Stack

GATE: Final = "unhealthy-gate"
LIMIT: Final = "engine-limit"
_WORKLOADS: Final = frozenset({"Deployment", "StatefulSet"})


def findings(stack: Stack, parts: Sequence[Part], origins: Mapping[str, str]) -> Iterator[Finding]:
    """What Argo CD's settings in the stack, or those of an Argo CD in the cluster, keep from working.

    ``origins`` are the templates or files of the objects, by their path in a part.
    """
    if stack.gitops.engine is not GitOpsEngine.ARGOCD:
        return
    delivery = delivery_mode.delivery(stack, parts)
    argocd = engine.find(parts) if delivery is Delivery.INSTALL else None
    if argocd:
        if len({part.wave for part in parts}) > 1:
            yield from _gate(argocd, origins)
        yield from _too_large(argocd, parts, origins)
    elif delivery is Delivery.EXISTING:
        yield from _large(parts)


def _gate(argocd: Part, origins: Mapping[str, str]) -> Iterator[Finding]:
    for item in _config_maps(argocd, SETTINGS_MAP):
        script = _data(item).get(HEALTH_KEY)
        if isinstance(script, str) and not gates(script):
            yield Finding(
                code=GATE,
                severity=Severity.WARNING,
                component=argocd.name,
                object=item.id,
                where=origins[item.path],
                field=field_path.text(("data", HEALTH_KEY)),
                message="does not look at the sync status: waves do not wait for each other",
                fix="leave the key out: the delivery sets a script that does",
            )


def _too_large(argocd: Part, parts: Sequence[Part], origins: Mapping[str, str]) -> Iterator[Finding]:
    """The Applications beyond a limit that the stack itself sets."""
    for item, field, text in _limits(argocd):
        try:
            limit = quantity.parse(str(text))
        except ValueError:
            continue
        for content, size in crds.sizes(parts):
            if limit and size > limit:  # 0: no limit
                yield Finding(
                    code=LIMIT,
                    severity=Severity.ERROR,
                    component=argocd.name,
                    object=item.id,
                    where=origins[item.path],
                    field=field,
                    message=f"Argo CD takes {text} of one Application, and the manifests of {content} have {size / 1e6:.1f} MB",
                    fix=f"leave the setting out, then the delivery sets 100M, or write a larger one: {LIMIT_KEY}: 100M",
                )


def _large(parts: Sequence[Part]) -> Iterator[Finding]:
    limit = quantity.parse(DEFAULT_LIMIT)
    for content, size in crds.sizes(parts):
        if size > limit:
            yield Finding(
                code=LIMIT,
                severity=Severity.WARNING,
                message=f"the manifests of {content} have {size / 1e6:.1f} MB: an Argo CD with default settings "
                f"takes {DEFAULT_LIMIT} of one Application",
                fix=f"set {LIMIT_KEY}: 100M in {PARAMETERS_MAP} of the cluster's Argo CD, or leave objects out by `exclude`",
            )


def _limits(argocd: Part) -> Iterator[tuple[PartObject, str, Any]]:
    """The limit that the repo-server has: its variable goes over the ConfigMap, which this reads by default."""
    for item in argocd.objects:
        if item.id.kind in _WORKLOADS and LIMIT_VARIABLE.encode() in item.content:
            for container in containers_of(item.body):
                for variable in map(mapping, sequence(container.get("env"))):
                    if variable.get("name") == LIMIT_VARIABLE and variable.get("value"):
                        yield item, "spec.template.spec.containers", variable["value"]
                        return
    for item in _config_maps(argocd, PARAMETERS_MAP):
        if text := _data(item).get(LIMIT_KEY):
            yield item, field_path.text(("data", LIMIT_KEY)), text


def _config_maps(argocd: Part, name: str) -> list[PartObject]:
    return [item for item in argocd.objects if (item.id.group, item.id.kind, item.id.name) == ("", "ConfigMap", name)]


def _data(item: PartObject) -> dict[str, Any]:
    return dict(mapping(item.body.get("data")))
