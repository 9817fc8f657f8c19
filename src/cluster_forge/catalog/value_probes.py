"""What a chart's default values offer to be set, and values that show where in the objects a setting arrives.

A probe puts a value of its own, which no chart has, at every path that may mean something, renders once, and finds the
values again: so a chart's names for things need not be known.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.pods import containers_of

Path = tuple[str, ...]
"""The keys that lead to a value."""

Numbered = Mapping[int, tuple[Path, Any]]
"""A probe: its numbers, each with a path and the value that it puts there."""

FIRST: Final = 7001
"""The number that stands for the first path of a probe; the others count on."""

_PASSWORD: Final = re.compile(r"passw(?:or)?d$|secret_?(?:access_?)?key$|token$|api_?key$", re.I)
_SECTION: Final = frozenset({"image", "replicas", "replicaCount", "nodeSelector", "tolerations"})
"""Keys of what describes a workload: many charts have `resources` there in a comment only."""

_EXISTING: Final = re.compile(r"existing_?secret(?:name)?$|^secret_?name$", re.I)
_NO_CREDENTIALS: Final = re.compile(r"tls|cert|pull|ingress|ca_?bundle", re.I)
_TELEMETRY: Final = re.compile(
    r"telemetry|analytics|usage_?(?:stats|report)|phone_?home|reporting|check_?for_?updates", re.I
)
_MONITORS: Final = re.compile(r"(?:service|pod)_?monitors?$|prometheus_?rules?$|^metrics$|^monitoring$", re.I)
_BUDGET: Final = re.compile(r"pod_?disruption_?budgets?$|^pdb$", re.I)
_SWITCH: Final = frozenset({"enabled", "create", "enable"})
_SIZE: Final = re.compile(r"\d+(?:\.\d+)?[KMGTP]i?")


def walk(values: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value in nested mappings with its path, the mappings too."""
    if isinstance(values, Mapping):
        for key, member in values.items():
            yield (*path, key), member
            yield from walk(member, (*path, key))


def nested(path: Sequence[str], value: Any) -> Any:
    """The mapping that has ``value`` at a path, and nothing else."""
    for key in reversed(path):
        value = {key: value}
    return value


def dotted(path: Path) -> str:
    """A path as people write it."""
    return ".".join(path)


def resources(values: Any) -> list[Path]:
    """Where requests and limits may be set."""
    there = [path for path, value in walk(values) if path[-1].lower().endswith("resources") and _is_open(value)]
    maybe = [
        (*path, "resources")
        for path, value in walk(values)
        if isinstance(value, Mapping) and "resources" not in value and _SECTION.intersection(value)
    ]
    return there + maybe


def replicas(values: Any) -> list[Path]:
    """Where a number of replicas is set."""
    return [
        path
        for path, value in walk(values)
        if re.fullmatch(r"replica(?:s|_?count)", path[-1], re.I) and _is_number(value)
    ]


def volumes(values: Any) -> dict[Path, str]:
    """Where the size of something is set that may be a volume, and the size."""
    named = re.compile(r"size$|^storage$", re.I)
    return {
        path: value
        for path, value in walk(values)
        if isinstance(value, str) and named.search(path[-1]) and _SIZE.fullmatch(value)
    }


def spreads(values: Any) -> list[Path]:
    """Where constraints of the spread over nodes are set."""
    return [path for path, value in walk(values) if path[-1] == "topologySpreadConstraints" and value in (None, [])]


def existing_secrets(values: Any) -> list[Path]:
    """Where the name of a Secret can be given in place of its content."""
    return [
        path
        for path, value in walk(values)
        if _EXISTING.search(path[-1])
        and not value
        and not isinstance(value, Mapping)
        and not _NO_CREDENTIALS.search(dotted(path))
    ]


def passwords(values: Any) -> list[Path]:
    """Where something is written out that looks like a password or key."""
    return [
        path
        for path, value in walk(values)
        if isinstance(value, str) and value and _PASSWORD.search(path[-1]) and "existing" not in path[-1].lower()
    ]


def exposed(values: Any) -> list[Path]:
    """Where a Service is of a type that is reachable from outside."""
    return [
        path
        for path, value in walk(values)
        if path[-1].lower().endswith("type") and value in ("LoadBalancer", "NodePort")
    ]


def telemetry(values: Any) -> list[Path]:
    """Where something is on that may tell the makers of the software about its use."""
    return [
        path
        for path, value in walk(values)
        if value is True and _names(path, _TELEMETRY) and "disable" not in path[-1].lower()
    ]


def monitors(values: Any) -> list[Path]:
    """Where metrics, and what has Prometheus scrape them, are switched off."""
    return [path for path, value in walk(values) if value is False and _names(path, _MONITORS)]


def budgets(values: Any) -> list[Path]:
    """Where a budget for disruptions is switched off."""
    return [path for path, value in walk(values) if value is False and _names(path, _BUDGET)]


def limits(bodies: Sequence[Body]) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    """The numbers of a probe of `resources` that came out, each with an object and container that has it."""
    for body in bodies:
        for container in containers_of(body):
            found = re.fullmatch(
                r"(\d+)Mi", str(((container.get("resources") or {}).get("limits") or {}).get("memory"))
            )
            if found:
                yield int(found[1]), body["kind"], container


def claims(bodies: Sequence[Body]) -> Iterator[str]:
    """The sizes of all volumes that are claimed."""
    for body in bodies:
        spec = body.get("spec")
        spec = spec if isinstance(spec, Mapping) else {}
        wanted = [spec] if body.get("kind") == "PersistentVolumeClaim" else []
        wanted += [each.get("spec") or {} for each in spec.get("volumeClaimTemplates") or ()]
        for claim in wanted:
            yield str(((claim.get("resources") or {}).get("requests") or {}).get("storage"))


def _decoded(text: Any) -> str:
    try:
        return base64.b64decode(text).decode(errors="replace")
    except (ValueError, TypeError):
        return str(text)


def texts(bodies: Sequence[Body]) -> str:
    """Everything that objects say, what is in Secrets decoded."""
    parts = [str(body) for body in bodies]
    for body in bodies:
        if body.get("kind") == "Secret":
            parts += map(_decoded, (body.get("data") or {}).values())
    return "\n".join(parts)


def numbered(paths: Sequence[Path], value: Callable[[int], Any]) -> Numbered:
    """A number for each path, with what the probe puts there."""
    return {number: (path, value(number)) for number, path in enumerate(paths, FIRST)}


def _is_open(value: Any) -> bool:
    return value is None or isinstance(value, Mapping)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _names(path: Path, pattern: re.Pattern[str]) -> bool:
    """Whether the last key is called so, or the one above of a switch."""
    return bool(pattern.search(path[-1]) or (path[-1] in _SWITCH and len(path) > 1 and pattern.search(path[-2])))
