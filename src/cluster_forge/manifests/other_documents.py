"""Documents that are not Kubernetes objects but well known: what they are, and where they belong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
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
    "a kustomization", "name its folder in `kustomize` of the component, and leave it out of `manifests`"
)
_COMPOSE: Final = Known("a Docker Compose file", "convert it, for example with `kompose convert`")
_HELMFILE: Final = Known("a helmfile", "write each release as a component with `helm`")
_HELM_VALUES: Final = Known("a file of Helm values", "name it in `valuesFiles` of a component with `helm`")
_KUSTOMIZE: Final = frozenset(
    (
        *("configMapGenerator", "secretGenerator", "generatorOptions", "namePrefix", "nameSuffix", "commonLabels"),
        *("commonAnnotations", "patchesStrategicMerge", "patchesJson6902", "bases", "helmCharts", "transformers"),
    )
)
"""Keys that only a kustomization has."""
_NAMES: Final = (
    ("kustomization.y*ml", _KUSTOMIZATION),
    ("values*.y*ml", _HELM_VALUES),
    ("*-values.y*ml", _HELM_VALUES),
    ("*compose*.y*ml", _COMPOSE),
    ("helmfile*.y*ml", _HELMFILE),
)


def known(value: Any, origin: str = "") -> Known | None:
    """What the document of a file is; None if it is unknown or may be an object. ``origin``: ``a/values.yaml:1``."""
    if isinstance(value, str):
        return Known(
            "text, as in a NOTES.txt or README", "remove the file from the folder, or the entry of `manifests`"
        )
    if isinstance(value, list):
        return _list(value)
    if not isinstance(value, dict):
        return None
    return _typed(value) if value.get("kind") else _untyped(value) or _by_name(origin)


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
    if _is_dashboard(value):
        return Known(
            "a Grafana dashboard",
            "move it out of `manifests`, and name it in `configMaps` of the component, with the label that Grafana's sidecar "
            'looks for: `configMaps: [{name: dashboards, files: [FILE], labels: {grafana_dashboard: "1"}}]`',
        )
    if {"apiVersion", "name", "version"} <= keys and value.get("apiVersion") in ("v1", "v2"):
        return Known("the Chart.yaml of a Helm chart", "name the chart's folder: `helm: {chart: ./FOLDER}`")
    resources = value.get("resources")
    if not keys.isdisjoint(_KUSTOMIZE) or (
        isinstance(resources, list) and all(isinstance(item, str) for item in resources)
    ):
        return _KUSTOMIZATION
    if _is_compose(value):
        return _COMPOSE
    if isinstance(value.get("releases"), list) or isinstance(value.get("helmfiles"), list):
        return _HELMFILE
    return _configuration(value)


def _is_dashboard(value: Mapping[str, Any]) -> bool:
    """A dashboard of any age, also as Grafana's API takes it: below ``dashboard``."""
    inner = value.get("dashboard")
    if isinstance(inner, dict):
        return _is_dashboard(inner)
    has_panels = isinstance(value.get("panels"), list) or isinstance(value.get("rows"), list)
    return has_panels and not value.keys().isdisjoint({"schemaVersion", "title", "templating", "uid", "__inputs"})


def _is_compose(value: Mapping[str, Any]) -> bool:
    services = value.get("services")
    if not isinstance(services, dict) or not services:
        return False
    has_containers = any(
        isinstance(service, dict) and not service.keys().isdisjoint({"image", "build"}) for service in services.values()
    )
    return has_containers or not value.keys().isdisjoint({"version", "volumes", "networks", "name"})


def _by_name(origin: str) -> Known | None:
    """By the name of its file, where the content alone does not show it."""
    name = re.sub(r":\d+\Z", "", origin).rpartition("/")[2].lower()
    return next((what for pattern, what in _NAMES if fnmatchcase(name, pattern)), None)


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
        return _HELM_VALUES
    return None
