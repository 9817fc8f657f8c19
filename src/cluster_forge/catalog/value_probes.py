"""Paths in a chart's default values that can be set, and probes that show which objects a path affects.

A probe sets a value that no chart has at every candidate path, renders once, and looks for the values in the objects: so
the chart's names for things need not be known.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from cluster_forge.catalog.value_paths import Path, dotted, walk
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.pods import containers_of

Numbered = Mapping[int, tuple[Path, Any]]
"""A probe: its numbers, each with a path and the value that it sets there."""

FIRST: Final = 7001
"""The number of the first path of a probe; those of the others follow."""

_PASSWORD: Final = re.compile(r"passw(?:or)?d$|secret_?(?:access_?)?key$|token$|api_?key$", re.I)
_SECTION: Final = frozenset({"image", "replicas", "replicaCount", "nodeSelector", "tolerations"})
"""Keys that mark the section of a workload: many charts have `resources` there in a comment only."""

_EXISTING: Final = re.compile(r"existing_?secret(?:name)?$|^secret_?name$", re.I)
_NO_CREDENTIALS: Final = re.compile(r"tls|cert|pull|ingress|ca_?bundle", re.I)
_TELEMETRY: Final = re.compile(
    r"telemetry|analytics|usage_?(?:stats|report)|phone_?home|reporting|check_?for_?updates", re.I
)
_MONITORS: Final = re.compile(r"(?:service|pod)_?monitors?$|prometheus_?rules?$|^metrics$|^monitoring$", re.I)
_BUDGET: Final = re.compile(r"pod_?disruption_?budgets?$|^pdb$", re.I)
_SWITCH: Final = frozenset({"enabled", "create", "enable"})
_SIZE: Final = re.compile(r"\d+(?:\.\d+)?[KMGTP]i?")


def resources(values: Any) -> list[Path]:
    """Where requests and limits may be set."""
    present = [path for path, value in walk(values) if path[-1].lower().endswith("resources") and _is_open(value)]
    possible = [
        (*path, "resources")
        for path, value in walk(values)
        if isinstance(value, Mapping) and "resources" not in value and _SECTION.intersection(value)
    ]
    return present + possible


def replicas(values: Any) -> list[Path]:
    """Where a number of replicas is set."""
    return [
        path
        for path, value in walk(values)
        if re.fullmatch(r"replica(?:s|_?count)", path[-1], re.I) and _is_number(value)
    ]


def volumes(values: Any) -> dict[Path, str]:
    """Where the size of a possible volume is set, and the size."""
    named = re.compile(r"size$|^storage$", re.I)
    return {
        path: value
        for path, value in walk(values)
        if isinstance(value, str) and named.search(path[-1]) and _SIZE.fullmatch(value)
    }


def spreads(values: Any) -> list[Path]:
    """Where topology spread constraints are set."""
    return [path for path, value in walk(values) if path[-1] == "topologySpreadConstraints" and value in (None, [])]


def existing_secrets(values: Any) -> list[Path]:
    """Where the name of an existing Secret can be set instead of its content."""
    return [
        path
        for path, value in walk(values)
        if _EXISTING.search(path[-1])
        and not value
        and not isinstance(value, Mapping)
        and not _NO_CREDENTIALS.search(dotted(path))
    ]


def passwords(values: Any) -> list[Path]:
    """Where a value looks like a password or key."""
    return [
        path
        for path, value in walk(values)
        if isinstance(value, str) and value and _PASSWORD.search(path[-1]) and "existing" not in path[-1].lower()
    ]


def exposed(values: Any) -> list[Path]:
    """Where a Service's type is one that is reachable from outside of the cluster."""
    return [
        path
        for path, value in walk(values)
        if path[-1].lower().endswith("type") and value in ("LoadBalancer", "NodePort")
    ]


def telemetry(values: Any) -> list[Path]:
    """Where something is on that may report to the maintainers of the software how it is used."""
    return [
        path
        for path, value in walk(values)
        if value is True and _names(path, _TELEMETRY) and "disable" not in path[-1].lower()
    ]


def monitors(values: Any) -> list[Path]:
    """Where metrics, monitors and rules are switched off."""
    return [path for path, value in walk(values) if value is False and _names(path, _MONITORS)]


def budgets(values: Any) -> list[Path]:
    """Where a PodDisruptionBudget is switched off."""
    return [path for path, value in walk(values) if value is False and _names(path, _BUDGET)]


def limits(bodies: Sequence[Body]) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    """The numbers of a probe of `resources` in objects, each with the kind of the object and the container."""
    for body in bodies:
        for container in containers_of(body):
            limit = str(((container.get("resources") or {}).get("limits") or {}).get("memory"))
            match = re.fullmatch(r"(\d+)Mi", limit)
            if match:
                yield int(match[1]), body["kind"], container


def claims(bodies: Sequence[Body]) -> Iterator[str]:
    """The sizes of all volumes that are claimed."""
    for body in bodies:
        spec = body.get("spec")
        spec = spec if isinstance(spec, Mapping) else {}
        wanted = [spec] if body.get("kind") == "PersistentVolumeClaim" else []
        wanted += [template.get("spec") or {} for template in spec.get("volumeClaimTemplates") or ()]
        for claim in wanted:
            yield str(((claim.get("resources") or {}).get("requests") or {}).get("storage"))


def _decoded(text: Any) -> str:
    try:
        return base64.b64decode(text).decode(errors="replace")
    except (ValueError, TypeError):
        return str(text)


def texts(bodies: Sequence[Body]) -> str:
    """The text of all objects, with the data of Secrets decoded."""
    parts = [str(body) for body in bodies]
    for body in bodies:
        if body.get("kind") == "Secret":
            parts += map(_decoded, (body.get("data") or {}).values())
    return "\n".join(parts)


def numbered(paths: Sequence[Path], value: Callable[[int], Any]) -> Numbered:
    """A number for each path, with the value that the probe sets there."""
    return {number: (path, value(number)) for number, path in enumerate(paths, FIRST)}


def _is_open(value: Any) -> bool:
    return value is None or isinstance(value, Mapping)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _names(path: Path, pattern: re.Pattern[str]) -> bool:
    """Whether the last key matches, or the one above a switch."""
    return bool(pattern.search(path[-1]) or (path[-1] in _SWITCH and len(path) > 1 and pattern.search(path[-2])))
