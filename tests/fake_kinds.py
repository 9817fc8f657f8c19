"""The kinds that the fake cluster serves: those of a Kubernetes version, and those of CRDs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster_forge.manifests.kubernetes_api_table import KINDS
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import ServedKind

_VERBS: Final = frozenset({"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"})
_NO_STATUS: Final = frozenset({"ConfigMap", "Secret", "ServiceAccount", "Event", "StorageClass", "ControllerRevision"})


def built_in(minor: int) -> Iterator[ServedKind]:
    preferred: set[tuple[str, str]] = set()
    rows = [row for row in KINDS if _is_in(minor, row[4])]
    for group, version, kind, is_namespaced, *_ in sorted(rows, key=lambda row: ("alpha" in row[1], "beta" in row[1])):
        yield ServedKind(
            group=group,
            version=version,
            kind=kind,
            plural=plural(kind),
            is_namespaced=is_namespaced,
            is_preferred=(group, kind) not in preferred,
            verbs=_VERBS,
            subresources=frozenset() if kind in _NO_STATUS else frozenset({"status"}),
        )
        preferred.add((group, kind))


def _is_in(minor: int, ranges: str) -> bool:
    spans = [span.partition("-") for span in ranges.split(",") if span]
    return any(int(first) <= minor <= int(last or first) for first, _, last in spans)


def plural(kind: str) -> str:
    name = kind.lower()
    if name.endswith("endpoints"):
        return name
    if name.endswith(("s", "x", "ch")):
        return f"{name}es"
    return f"{name[:-1]}ies" if name.endswith("y") and not name.endswith("ay") else f"{name}s"


def defined(crd: Body) -> Iterator[ServedKind]:
    spec = crd["spec"]
    served = [version for version in spec["versions"] if version.get("served", True)]
    for position, version in enumerate(served):
        yield ServedKind(
            group=spec["group"],
            version=version["name"],
            kind=spec["names"]["kind"],
            plural=spec["names"]["plural"],
            is_namespaced=spec["scope"] == "Namespaced",
            is_preferred=position == 0,
            verbs=_VERBS,
            subresources=frozenset(version.get("subresources", {})),
        )
