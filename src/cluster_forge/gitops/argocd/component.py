"""Argo CD itself, where the stack brings it: the part that holds it, its image, and what a headless one leaves out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cluster_forge.gitops import engine
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.stack.model import GitOpsMode, Stack

HEALTH_KEY = "resource.customizations.health.argoproj.io_Application"

HEALTH = """\
hs = {status = "Progressing", message = "Waiting for the first comparison"}
if obj.status == nil or obj.status.health == nil or obj.status.sync == nil then
  return hs
end
local sync = obj.status.sync
local operation = obj.status.operationState
local source = obj.spec.source
if source ~= nil and obj.spec.syncPolicy ~= nil and obj.spec.syncPolicy.automated ~= nil then
  local compared = (sync.comparedTo ~= nil and sync.comparedTo.source) or {}
  if compared.repoURL ~= source.repoURL or compared.targetRevision ~= source.targetRevision
      or compared.path ~= source.path then
    hs.message = "Waiting for the comparison with " .. tostring(source.targetRevision)
    return hs
  end
  local done = sync.status == "Synced"
  if operation ~= nil and operation.phase == "Succeeded" and operation.syncResult ~= nil then
    done = done or operation.syncResult.revision == sync.revision
  end
  if operation ~= nil and not done and (operation.phase == "Failed" or operation.phase == "Error") then
    hs.status = "Degraded"
    hs.message = operation.message
    return hs
  end
  if not done or (operation ~= nil and operation.phase == "Running") then
    hs.message = (operation ~= nil and operation.message) or "Waiting for the sync"
    return hs
  end
end
hs.status = obj.status.health.status or "Progressing"
hs.message = obj.status.health.message
return hs
"""
"""The health of an Application, so that waves between Applications gate (Argo CD, "Resource Health", "Argocd App").

Argo CD assesses none by itself (argo-cd#5585, #8358), and its documentation's script passes on whatever an Application
says of itself. That is not enough: an Application that has just been changed still shows the verdict on its former
revision (argo-cd#29649), and from 3.4 on objects that could not be made do not count (argo-cd#27917). So an Application
that syncs by itself is healthy only once it was compared with what its spec names, and was brought there.
"""

_SETTINGS = (
    ("argocd-cm", HEALTH_KEY, HEALTH),
    # The default of 10M is less than the CRDs of some operators (Argo CD, "argocd-cmd-params-cm").
    ("argocd-cmd-params-cm", "reposerver.max.combined.directory.manifests.size", "100M"),
)
_LEFT_OUT = frozenset({"server", "dex-server"})
_COMPONENT = "app.kubernetes.io/component"
_SHARED = frozenset({"ConfigMap", "Secret"})
"""The chart labels the settings of the whole of Argo CD as the server's (``argocd-cm``, ``argocd-secret``): they stay."""
_ACCOUNTS = frozenset({"RoleBinding", "ClusterRoleBinding"})


def delivered(stack: Stack, parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts without what the mode leaves out: a headless Argo CD has no user interface, API server and Dex.

    What belongs to them carries ``app.kubernetes.io/component: server`` or ``dex-server`` (the label of Argo CD's own
    manifests and of its chart), or binds one of their service accounts. Only bodies tell; an unparsed object stays.
    """
    argo = engine.find(parts)
    if argo is None or stack.gitops.mode is not GitOpsMode.HEADLESS:
        return tuple(parts)
    gone = [each for each in argo.objects if each.labels.get(_COMPONENT) in _LEFT_OUT and each.id.kind not in _SHARED]
    accounts = {(each.id.namespace, each.id.name) for each in gone if each.id.kind == "ServiceAccount"}
    kept = tuple(each for each in argo.objects if each not in gone and not _binds(each, accounts))
    return tuple(dataclasses.replace(part, objects=kept) if part is argo else part for part in parts)


def _binds(each: PartObject, accounts: set[tuple[str, str]]) -> bool:
    subjects = (each.body or {}).get("subjects") if each.id.kind in _ACCOUNTS else None
    found = {(subject.get("namespace", each.id.namespace), subject.get("name")) for subject in subjects or ()}
    return bool(found) and found <= accounts


def image(part: Part) -> tuple[str, Sequence[Mapping[str, Any]]] | None:
    """The image that Argo CD's controller or repository server runs from, and the secrets that it is pulled with."""
    for name in ("application-controller", "repo-server"):
        for each in part.applied:
            if each.labels.get(_COMPONENT) == name and each.id.kind in ("Deployment", "StatefulSet") and each.body:
                spec = each.body["spec"]["template"]["spec"]
                return str(spec["containers"][0]["image"]), spec.get("imagePullSecrets") or ()
    return None


def settings(parts: Sequence[Part]) -> Iterator[Body]:
    """What the delivery needs of Argo CD's own settings, as parts of its ConfigMaps; what the stack sets is left out."""
    where = engine.namespace(parts)
    part = engine.find(parts)
    configs = [each for each in part.applied if each.id.kind == "ConfigMap"] if part else []
    for name, key, value in _SETTINGS:
        if not any(each.id.name == name and key.encode() in each.content for each in configs):
            yield {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {
                    "name": name,
                    "namespace": where,
                    "labels": {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "argocd"},
                },
                "data": {key: value},
            }


def project(parts: Sequence[Part]) -> Iterator[Body]:
    """The AppProject ``default``, which only Argo CD's API server makes by itself, unless its part does."""
    where = engine.namespace(parts)
    part = engine.find(parts)
    name = ObjectId(group=engine.GROUP, kind="AppProject", namespace=where, name="default")
    if not any(each.id == name for each in (part.applied if part else ())):
        yield {
            "apiVersion": f"{engine.GROUP}/v1alpha1",
            "kind": "AppProject",
            "metadata": {"name": "default", "namespace": where},
            "spec": {
                "sourceRepos": ["*"],
                "destinations": [{"namespace": "*", "server": "*"}],
                "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
            },
        }
