"""Argo CD itself, where the stack installs it: its image, its settings, and what a headless one leaves out."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

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

Argo CD does not assess it by itself (argo-cd#5585, #8358), and the script in its documentation reports the status of the
Application as it is. That is not enough: an Application that was just changed still has the status of its earlier
revision (argo-cd#29649), and from 3.4 on objects that could not be created do not count (argo-cd#27917). So an
Application that syncs by itself is healthy only after it was compared with the source in its spec and synced to it.
"""

_COMMENT: Final = re.compile(r"--[^\n]*")
_SYNC: Final = re.compile(r"\.sync\b|\[ *[\"']sync[\"'] *\]")
"""Where a script in Lua reads the sync status."""

SETTINGS_MAP = "argocd-cm"
PARAMETERS_MAP = "argocd-cmd-params-cm"
LIMIT_KEY = "reposerver.max.combined.directory.manifests.size"
"""Of `PARAMETERS_MAP`: the bytes of all files of one Application that Argo CD takes (Argo CD, "argocd-cmd-params-cm")."""
LIMIT_VARIABLE = "ARGOCD_REPO_SERVER_MAX_COMBINED_DIRECTORY_MANIFESTS_SIZE"
"""The variable of the repo-server that is set by `LIMIT_KEY`."""
DEFAULT_LIMIT = "10M"
_SETTINGS = (
    (SETTINGS_MAP, HEALTH_KEY, HEALTH),
    (PARAMETERS_MAP, LIMIT_KEY, "100M"),  # the default is too small for the CRDs of some operators
)
_LEFT_OUT = frozenset({"server", "dex-server"})
_COMPONENT = "app.kubernetes.io/component"
_SHARED = frozenset({"ConfigMap", "Secret"})
"""The chart labels settings for all of Argo CD as the server's (``argocd-cm``, ``argocd-secret``): they are kept."""
_BINDINGS = frozenset({"RoleBinding", "ClusterRoleBinding"})


def gates(script: str) -> bool:
    """Whether a script for the health of Applications lets waves wait for each other: that of Argo CD's documentation reports
    the status as it is, also that of the revision before (argo-cd#29649).
    """
    return bool(_SYNC.search(_COMMENT.sub("", script)))


def delivered(stack: Stack, parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts without the objects that the mode leaves out: a headless Argo CD has no user interface, API server and Dex.

    Their objects have the label ``app.kubernetes.io/component: server`` or ``dex-server`` (in Argo CD's own manifests and
    in its chart), or bind one of their service accounts.
    """
    argo = engine.find(parts)
    if argo is None or stack.gitops.mode is not GitOpsMode.HEADLESS:
        return tuple(parts)
    gone = [item for item in argo.objects if item.labels.get(_COMPONENT) in _LEFT_OUT and item.id.kind not in _SHARED]
    accounts = {(item.id.namespace, item.id.name) for item in gone if item.id.kind == "ServiceAccount"}
    kept = tuple(item for item in argo.objects if item not in gone and not _binds(item, accounts))
    return tuple(dataclasses.replace(part, objects=kept) if part is argo else part for part in parts)


def _binds(item: PartObject, accounts: set[tuple[str, str]]) -> bool:
    """Whether an object is a role binding for these service accounts alone."""
    subjects = item.body.get("subjects") if item.id.kind in _BINDINGS else None
    names = {(subject.get("namespace", item.id.namespace), subject.get("name")) for subject in subjects or ()}
    return bool(names) and names <= accounts


def image(part: Part) -> tuple[str, Sequence[Mapping[str, Any]]] | None:
    """The image of Argo CD's controller or repo-server, and its pull secrets."""
    for name in ("application-controller", "repo-server"):
        for item in part.objects:
            if item.labels.get(_COMPONENT) == name and item.id.kind in ("Deployment", "StatefulSet"):
                spec = item.body["spec"]["template"]["spec"]
                return str(spec["containers"][0]["image"]), spec.get("imagePullSecrets") or ()
    return None


def settings(parts: Sequence[Part]) -> Iterator[Body]:
    """Keys of Argo CD's own ConfigMaps that the delivery needs and the stack does not set."""
    namespace = engine.namespace(parts)
    part = engine.find(parts)
    config_maps = [item for item in part.objects if item.id.kind == "ConfigMap"] if part else []
    for name, key, value in _SETTINGS:
        if not any(item.id.name == name and key.encode() in item.content for item in config_maps):
            yield {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {
                    "name": name,
                    "namespace": namespace,
                    "labels": {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "argocd"},
                },
                "data": {key: value},
            }


def settings_of_others() -> Iterator[Body]:
    """The same for an Argo CD that is in the cluster already, whose namespace only its administrator knows."""
    for body in settings(()):
        metadata = {key: value for key, value in body["metadata"].items() if key != "namespace"}
        yield {**body, "metadata": metadata}


def project(parts: Sequence[Part]) -> Iterator[Body]:
    """The AppProject ``default``, unless Argo CD's part has it: only Argo CD's API server creates it by itself."""
    namespace = engine.namespace(parts)
    part = engine.find(parts)
    name = ObjectId(group=engine.GROUP, kind="AppProject", namespace=namespace, name="default")
    if not any(item.id == name for item in (part.objects if part else ())):
        yield {
            "apiVersion": f"{engine.GROUP}/v1alpha1",
            "kind": "AppProject",
            "metadata": {"name": "default", "namespace": namespace},
            "spec": {
                "sourceRepos": ["*"],
                "destinations": [{"namespace": "*", "server": "*"}],
                "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
            },
        }
