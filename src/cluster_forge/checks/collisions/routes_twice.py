"""One host and path leads to one place.

An Ingress controller takes one of two Ingresses for the same host and path and says so in its log at best (ingress-nginx
refuses the second). Of two routes of a Gateway with equal matches the older one wins (Gateway API, "HTTPRouteRule",
"Conflicts").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import orjson

from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import field_path
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest

CODE: Final = "route-conflict"
GATEWAY: Final = "gateway.networking.k8s.io"
_ROUTES: Final = ("HTTPRoute", "GRPCRoute")
_CANARY: Final = "nginx.ingress.kubernetes.io/canary"
_CLASS: Final = "kubernetes.io/ingress.class"


class _Place(NamedTuple):
    """Where a request must arrive: at which controller or listener, for which host, with which path and other conditions."""

    through: str
    host: str
    match: str


def findings(checked: CheckedStack) -> Iterator[Finding]:
    taken: dict[_Place, Manifest] = {}
    seen: set[tuple[ObjectId, ObjectId]] = set()
    for manifest, place, field in _places(checked):
        first = taken.setdefault(place, manifest)
        if first is manifest or (first.id, manifest.id) in seen:
            continue
        seen.add((first.id, manifest.id))
        yield report.warning(
            manifest,
            CODE,
            f"serves {place.host or 'every host'} {place.match}, and so does {first.id} of {first.provenance.component}: "
            "requests reach only one of them",
            fix="give one of them another host or path, or leave it out",
            field=field,
        )


def _places(checked: CheckedStack) -> Iterator[tuple[Manifest, _Place, str]]:
    for ingress in checked.of_kind["networking.k8s.io", "Ingress"]:
        yield from ((ingress, *place) for place in _of_ingress(ingress))
    for kind in _ROUTES:
        for route in checked.of_kind[GATEWAY, kind]:
            yield from ((route, *place) for place in _of_route(route))


def _of_ingress(ingress: Manifest) -> Iterator[tuple[_Place, str]]:
    spec, annotations = mapping(ingress.body.get("spec")), mapping(mapping(ingress.body["metadata"]).get("annotations"))
    if annotations.get(_CANARY) == "true":
        return
    through = f"Ingress {spec.get('ingressClassName') or annotations.get(_CLASS) or ''}"
    for number, rule in enumerate(map(mapping, sequence(spec.get("rules")))):
        for order, path in enumerate(map(mapping, sequence(mapping(rule.get("http")).get("paths")))):
            field = field_path.text(("spec", "rules", number, "http", "paths", order))
            yield _Place(through, str(rule.get("host") or ""), str(path.get("path") or "/")), field


def _of_route(route: Manifest) -> Iterator[tuple[_Place, str]]:
    """One place for each listener, host and match; without matches a rule takes every request (its default: all paths)."""
    spec = mapping(route.body.get("spec"))
    hosts = [str(host) for host in sequence(spec.get("hostnames"))] or [""]
    matches = [
        (match, field_path.text(("spec", "rules", number)))
        for number, rule in enumerate(map(mapping, sequence(spec.get("rules"))))
        for match in sequence(rule.get("matches")) or [{}]
    ]
    for parent in map(mapping, sequence(spec.get("parentRefs"))):
        namespace = parent.get("namespace") or route.id.namespace
        through = f"{route.id.kind} {namespace}/{parent.get('name')} {parent.get('sectionName')} {parent.get('port')}"
        for match, field in matches:
            yield from ((_Place(through, host, _match(mapping(match))), field) for host in hosts)


def _match(match: Mapping[str, Any]) -> str:
    """A match as text: its path, and whatever else it asks for."""
    path = mapping(match.get("path"))
    rest = {name: value for name, value in match.items() if name != "path" and value}
    kind = str(path.get("type") or "PathPrefix")
    text = str(path.get("value") or "/") + ("" if kind == "PathPrefix" else f" ({kind})")
    return text if not rest else f"{text} with {orjson.dumps(rest, option=orjson.OPT_SORT_KEYS).decode()}"
