"""A ``ResourceList``, as KRM functions read and write it (kubernetes-sigs/kustomize, "KRM Functions Specification")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.plugins import PluginFinding, Transformed

API_VERSION: Final = "config.kubernetes.io/v1"
KIND: Final = "ResourceList"
_CODE: Final = "result"
_SEVERITIES: Final = {"error": Severity.ERROR, "warning": Severity.WARNING}
_ORCHESTRATORS: Final = (
    "config.kubernetes.io/path",
    "config.kubernetes.io/index",
    "config.kubernetes.io/id",
    "config.k8s.io/id",
)
_INTERNAL: Final = "internal.config.kubernetes.io/"
"""Annotations by which an orchestrator finds the file of an object: they do not belong to it."""
_LOCAL: Final = "config.kubernetes.io/local-config"
"""The annotation of an object that is for functions, and not for a cluster."""


def written(objects: Sequence[Body], settings: Mapping[str, Any]) -> str:
    """The input of a function, as one YAML document."""
    whole: dict[str, Any] = {"apiVersion": API_VERSION, "kind": KIND, "items": list(objects)}
    if settings:
        whole["functionConfig"] = _config(settings)
    from cluster_forge.manifests import emitter  # noqa: PLC0415 - 13 ms, for who runs a function

    return emitter.document(whole)


def read(value: Any, name: str) -> Transformed:
    """The output of the function ``name``.

    Raises:
        ValueError: if it is not a ResourceList.
    """
    whole = mapping(value)
    if whole.get("kind") != KIND or not str(whole.get("apiVersion")).startswith("config.kubernetes.io/"):
        raise ValueError(f"it wrote no {KIND} of {API_VERSION}")
    items = whole.get("items")
    if items is not None and not isinstance(items, list):
        raise ValueError(f"the `items` of its {KIND} are not a list")
    return Transformed(objects=tuple(_kept(sequence(items))), findings=tuple(_findings(whole, name)))


def _config(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """The function's configuration: the object that the settings are, or a ConfigMap with them, as kpt makes it."""
    if "apiVersion" in settings and "kind" in settings:
        return settings
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "function-input"}, "data": settings}


def _kept(items: Sequence[Any]) -> Iterator[Any]:
    """The objects for the cluster, without what orchestrators write on them."""
    for item in items:
        metadata = mapping(mapping(item).get("metadata"))
        annotations = mapping(metadata.get("annotations"))
        if annotations.get(_LOCAL) == "true":
            continue
        kept = {key: value for key, value in annotations.items() if not _is_orchestrators(key)}
        if len(kept) == len(annotations):
            yield item
            continue
        others = {key: value for key, value in metadata.items() if key != "annotations"}
        yield {**item, "metadata": {**others, "annotations": kept} if kept else others}


def _is_orchestrators(key: str) -> bool:
    return key in _ORCHESTRATORS or key.startswith(_INTERNAL)


def _findings(whole: Mapping[str, Any], name: str) -> Iterator[PluginFinding]:
    for result in map(mapping, sequence(whole.get("results"))):
        referred = mapping(result.get("resourceRef"))
        path = mapping(result.get("field")).get("path")
        message = " ".join(str(result.get("message") or "no message").split())
        yield PluginFinding(
            code=f"{name}/{_CODE}",
            severity=_SEVERITIES.get(str(result.get("severity")), Severity.NOTICE),
            message=f"{path}: {message}" if path else message,
            object={key: str(referred.get(key) or "") for key in ("apiVersion", "kind", "namespace", "name")}
            if referred
            else None,
        )
