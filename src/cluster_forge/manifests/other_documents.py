"""Documents that are not Kubernetes objects but well known: what they are, and where they belong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_VALUES: Final = frozenset(
    (
        *("affinity", "autoscaling", "fullnameOverride", "global", "image", "imagePullSecrets", "ingress"),
        *("nameOverride", "nodeSelector", "podAnnotations", "podSecurityContext", "replicaCount", "resources"),
        *("securityContext", "service", "serviceAccount", "serviceMonitor", "tolerations"),
    )
)
"""Keys that nearly all charts have in their values."""

_PROGRAMS: Final = (
    *("kind.x-k8s.io/", "kubeadm.k8s.io/", "kubelet.config.k8s.io/", "kubeproxy.config.k8s.io/", "k3d.io/"),
    *("eksctl.io/", "audit.k8s.io/", "apiserver.config.k8s.io/", "skaffold/", "kubescheduler.config.k8s.io/"),
)


@dataclass(frozen=True, slots=True)
class Known:
    """``what`` a document is, with its article, and ``fix``: what to do with it."""

    what: str
    fix: str


_KUSTOMIZATION: Final = Known(
    "a kustomization", "name the output of `kustomize build` in `manifests`: kustomizations are not built here"
)


def known(value: Any) -> Known | None:
    """What the document is; None if it is unknown or may be an object."""
    if isinstance(value, str):
        return Known(
            "text, as in a NOTES.txt or README", "remove the file from the folder, or the entry of `manifests`"
        )
    if isinstance(value, list):
        return _list(value)
    if not isinstance(value, dict):
        return None
    return _typed(value) if value.get("kind") else _untyped(value)


def _list(value: list[Any]) -> Known | None:
    if value and all(isinstance(item, dict) and {"op", "path"} <= item.keys() for item in value):
        return Known("a JSON patch", "change the objects themselves, or the values that they are rendered with")
    if value and all(isinstance(item, dict) and {"apiVersion", "kind"} <= item.keys() for item in value):
        return Known("a list of objects", "separate them by `---`, or write `kind: List` with `items`")
    return None


def _typed(value: Mapping[str, Any]) -> Known | None:
    """With a ``kind``: files of programs that look like objects."""
    api, kind = str(value.get("apiVersion")), value.get("kind")
    if api.startswith("kustomize.config.k8s.io/"):
        return _KUSTOMIZATION
    if api.startswith("cluster-forge/"):
        return Known(
            "a description of Cluster-Forge", "name it in `extends`, and move it out of the folder of manifests"
        )
    if api == "v1" and kind == "Config" and "clusters" in value:
        return Known("a kubeconfig", "remove it: it holds credentials for a cluster")
    if api.startswith(_PROGRAMS):
        return Known(f"a configuration file of a program ({api})", "move it out of the folder of manifests")
    return None


def _untyped(value: Mapping[str, Any]) -> Known | None:
    keys = value.keys()
    if isinstance(value.get("panels"), list) and not keys.isdisjoint({"schemaVersion", "title", "templating", "uid"}):
        return Known(
            "a Grafana dashboard",
            "move it out of `manifests`, and name it in `configMaps` of the component, with the label that Grafana's sidecar "
            'looks for: `configMaps: [{name: dashboards, files: [FILE], labels: {grafana_dashboard: "1"}}]`',
        )
    if {"apiVersion", "name", "version"} <= keys and value.get("apiVersion") in ("v1", "v2"):
        return Known("the Chart.yaml of a Helm chart", "name the chart's folder: `helm: {chart: ./FOLDER}`")
    if isinstance(value.get("resources"), list) and all(isinstance(item, str) for item in value["resources"]):
        return _KUSTOMIZATION
    if isinstance(value.get("services"), dict) and not keys.isdisjoint({"version", "volumes", "networks", "name"}):
        return Known("a Docker Compose file", "convert it, for example with `kompose convert`")
    if isinstance(value.get("releases"), list):
        return Known("a helmfile", "write each release as a component with `helm`")
    return _configuration(value)


def _configuration(value: Mapping[str, Any]) -> Known | None:
    keys = value.keys()
    groups = value.get("groups")
    if isinstance(groups, list) and groups and all(isinstance(group, dict) and "rules" in group for group in groups):
        return Known("a file of Prometheus rules", "write them below `spec` of a PrometheusRule")
    if "scrape_configs" in keys or {"route", "receivers"} <= keys:
        return Known(
            "a configuration of Prometheus or Alertmanager",
            "name it in `configMaps: [{name: NAME, files: [FILE]}]` of the component, or write it into the chart's values",
        )
    if "$schema" in keys and not keys.isdisjoint({"properties", "definitions", "$defs"}):
        return Known("a JSON schema", "move it out of the folder of manifests")
    if not _VALUES.isdisjoint(keys) and "apiVersion" not in keys:
        return Known("a file of Helm values", "name it in `valuesFiles` of a component with `helm`")
    return None
