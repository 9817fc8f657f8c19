"""What people write who know other tools: keys with another name here, and files that describe something else."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.yaml.positioned import Positioned

OTHER_NAMES: Final = MappingProxyType(
    {
        **dict.fromkeys(("dependsOn", "depends_on", "dependencies", "depends", "requires", "after"), ("needs",)),
        **dict.fromkeys(("set", "overrides", "valuesObject", "valuesInline", "helm-values"), ("values",)),
        **dict.fromkeys(("valueFiles", "valuesFile", "values-file", "helm-values-file"), ("valuesFiles",)),
        **dict.fromkeys(("repo", "repoURL", "repoUrl", "url", "helm-url"), ("repository",)),
        **dict.fromkeys(("targetRevision", "chartVersion", "helm-version"), ("version",)),
        **dict.fromkeys(("releaseName", "helm-name"), ("release",)),
        **dict.fromkeys(("syncWave", "sync-wave", "syncwave", "order", "priority"), ("wave",)),
        **dict.fromkeys(("raw", "manifestpath", "manifest-url", "path"), ("manifests",)),
        **dict.fromkeys(("releases", "apps", "applications", "charts"), ("components",)),
        **dict.fromkeys(("bases", "imports", "include", "includes"), ("extends",)),
        **dict.fromkeys(("targetNamespace", "ns"), ("namespace",)),
        **dict.fromkeys(
            ("patchesStrategicMerge", "patchesJson6902", "jsonPatches", "postRenderers", "overlays"), ("patches",)
        ),
        **dict.fromkeys(("commonLabels", "extraLabels", "podLabels"), ("labels",)),
        **dict.fromkeys(("commonAnnotations", "extraAnnotations", "podAnnotations"), ("annotations",)),
        **dict.fromkeys(("pullSecrets", "imagePullSecret"), ("imagePullSecrets",)),
        **dict.fromkeys(("kubeVersion", "kubernetesVersion"), ("kubernetes",)),
        **dict.fromkeys(("arch", "platforms"), ("architectures",)),
    }
)
"""Keys of other tools and of the legacy format, with the keys that mean the same here."""

_WAITING: Final = "leave it out: each wave waits until the one before is ready"
_LEFT_OUT: Final = "leave it out: `--skip NAME` or an environment leaves a component out of the stack"
_PREFIX: Final = (
    "leave it out: what refers to an object by its name would refer to nothing (Services, Secrets, webhooks, custom resources); "
    "write `helm: {release: NAME}` for another name of a chart's objects, or a kustomization, which follows its references"
)
_GENERATED: Final = "leave it out: Cluster-Forge writes the Applications; `gitops` has their settings"
WITHOUT_EQUIVALENT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "repositories": "write the address in each component: `helm: {repository: ADDRESS, chart: NAME}`",
        "spec": "write what is in it at the top level, beside `name`",
        "metadata": "write its `name` at the top level: `name: NAME`",
        **dict.fromkeys(("createNamespace", "create_namespace"), "leave it out: missing namespaces are created"),
        **dict.fromkeys(("wait", "waitForJobs", "atomic", "timeout", "cleanupOnFail"), _WAITING),
        **dict.fromkeys(("installed", "enabled", "disabled", "condition", "only", "required"), _LEFT_OUT),
        **dict.fromkeys(("namePrefix", "nameSuffix", "prefix", "suffix"), _PREFIX),
        **dict.fromkeys(("syncPolicy", "syncOptions", "destination", "project"), _GENERATED),
    }
)
"""Keys of other tools that have no equivalent here, with what to do instead."""

_OURS: Final = "a description begins with `apiVersion: cluster-forge/v1` and `kind: Stack`"
_KINDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "Kustomization": ("a kustomization", "name its folder in a component: `kustomize: FOLDER`"),
        "Component": ("a kustomization", "name the folder of what uses it in a component: `kustomize: FOLDER`"),
        "Application": (
            "an Application of Argo CD",
            "write a component with `helm`: its `repoURL` is `repository`, its `targetRevision` is `version`",
        ),
        "ApplicationSet": ("an ApplicationSet of Argo CD", "write a component with `helm` for each Application"),
        "HelmRelease": ("a HelmRelease of Flux", "write a component with `helm: {repository: ADDRESS, chart: NAME}`"),
        "HelmChart": ("a HelmChart", "write a component with `helm: {repository: ADDRESS, chart: NAME}`"),
        "ZarfPackageConfig": (
            "a Zarf package",
            "write a component for each of its `charts`: `url` is `helm.repository`, `name` is `helm.chart`",
        ),
    }
)


def other_file(document: Positioned) -> DescriptionError | None:
    """The error for a file that describes something else; None if it may be a stack description."""
    keys = document.mapping
    version, kind = (_text(document, key) for key in ("apiVersion", "kind"))
    if version.startswith("cluster-forge/") or kind == "Stack":
        return None
    if kind in _KINDS:
        what, instead = _KINDS[kind]
    elif version in ("v1", "v2") and not kind and {"name", "version"} <= keys.keys():
        what, instead = "the Chart.yaml of a chart", "name the chart's folder in a component: `helm: {chart: ./FOLDER}`"
    elif not version and {"releases", "helmfiles", "helmDefaults", "repositories"} & keys.keys():
        what, instead = "a helmfile", "write a component for each release: `helm: {repository: ADDRESS, chart: NAME}`"
    elif version and kind and "metadata" in keys:
        what, instead = f"a Kubernetes object ({kind})", "name the file in `manifests` of a component"
    elif not version and "services" in keys:
        what, instead = "a Compose file", "write a component with a chart or with manifests for each service"
    else:
        return None
    return DescriptionError(f"this is {what}, not a stack description", where=document.where, fix=f"{instead}; {_OURS}")


def _text(document: Positioned, key: str) -> str:
    value = document.get(key)
    return value.content if value and isinstance(value.content, str) else ""
