"""Ingresses and NetworkPolicies (``pkg/apis/networking/validation``)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks.kubernetes_objects.problem import Problem, Rule, shown
from cluster_forge.foundation.names import is_dns_subdomain
from cluster_forge.foundation.untyped import mapping, sequence

_CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"
_BAD_PARTS: Final = ("//", "/./", "/../", "%2f", "%2F")
_BAD_ENDS: Final = ("/..", "/.")


def ingress(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    """The class in the annotation of old is the one in the field."""
    former = mapping(mapping(value.get("metadata")).get("annotations")).get(_CLASS_ANNOTATION)
    name = mapping(value.get("spec")).get("ingressClassName")
    if isinstance(former, str) and isinstance(name, str) and former != name:
        yield Problem(
            steps=("metadata", "annotations", _CLASS_ANNOTATION),
            message=f"the annotation names the class {shown(former)}, ingressClassName {shown(name)}",
            fix="remove the annotation",
        )


def ingress_spec(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    if not sequence(value.get("rules")) and value.get("defaultBackend") is None:
        yield Problem(steps=("rules",), message="neither rules nor defaultBackend is set", fix="set rules")


def ingress_rule(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    host = value.get("host")
    if isinstance(host, str) and host:
        yield from _host(host, ("host",))


def ingress_tls(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    for number, host in enumerate(sequence(value.get("hosts"))):
        if isinstance(host, str):
            yield from _host(host, ("hosts", number))


def _host(host: str, steps: tuple[str | int, ...]) -> Iterator[Problem]:
    if not is_dns_subdomain(host.removeprefix("*.")):
        yield Problem(
            steps=steps,
            message=f"{shown(host)} is not a DNS name",
            fix="write a name in lower case, without scheme, port and path",
        )
    elif _is_address(host) and len(steps) == 1:
        yield Problem(
            steps=steps, message=f"{shown(host)} is an address, not a DNS name", fix="write a DNS name, or remove host"
        )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def ingress_path(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    path, kind = value.get("path"), value.get("pathType")
    if not isinstance(path, str | None):
        return
    is_strict = kind in ("Exact", "Prefix")
    if (path or is_strict) and not (path or "").startswith("/"):
        yield Problem(steps=("path",), message=f"the path {shown(path or '')} is not absolute", fix="begin it with /")
    for part in _BAD_PARTS if is_strict else ():
        if part in (path or ""):
            yield Problem(
                steps=("path",), message=f"the path {shown(path)} has {part} in it", fix=f"write it without {part}"
            )
    if is_strict and (path or "").endswith(_BAD_ENDS):
        yield Problem(
            steps=("path",), message=f"the path {shown(path)} ends with a dot", fix="write it without the dot"
        )


def backend(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    given = [name for name in ("resource", "service") if value.get(name) is not None]
    if not given:
        yield Problem(steps=("service",), message="the backend has neither service nor resource", fix="set service")
    elif len(given) > 1:
        yield Problem(
            steps=("resource",), message="the backend has both service and resource", fix="remove one of the two"
        )


def service_backend(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    port = mapping(value.get("port"))
    number, name = port.get("number"), port.get("name")
    if not number and not name:
        yield Problem(steps=("port",), message="port has neither number nor name", fix="set port.number or port.name")
    elif number and name:
        yield Problem(steps=("port", "name"), message="port has both number and name", fix="remove one of the two")


def peer(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    given = [name for name in ("ipBlock", "namespaceSelector", "podSelector") if value.get(name) is not None]
    if not given:
        yield Problem(steps=(), message="the peer is empty", fix="set podSelector, namespaceSelector or ipBlock")
    elif given[0] == "ipBlock" and len(given) > 1:
        message = f"the peer has both ipBlock and {given[1]}"
        yield Problem(steps=("ipBlock",), message=message, fix="make two entries of them")


def policy_port(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    first, last = value.get("port"), value.get("endPort")
    if not isinstance(last, int):
        return
    if not isinstance(first, int):
        yield Problem(steps=("endPort",), message="endPort needs a port that is a number", fix="write port as a number")
    elif last < first:
        yield Problem(steps=("endPort",), message=f"endPort {last} is below port {first}", fix="exchange them")


def ip_block(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    whole = _network(value.get("cidr"))
    for number, text in enumerate(sequence(value.get("except"))):
        part = _network(text)
        if whole is None or part is None:
            continue
        is_inside = part.version == whole.version and part.network_address in whole and part.prefixlen > whole.prefixlen
        if not is_inside:
            message = f"{shown(text)} is not part of {shown(value['cidr'])}"
            yield Problem(steps=("except", number), message=message, fix="remove it, or correct the range")


def _network(text: object) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False) if isinstance(text, str) else None
    except ValueError:
        return None


RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "networking.v1.HTTPIngressPath": (ingress_path,),
    "networking.v1.IPBlock": (ip_block,),
    "networking.v1.Ingress": (ingress,),
    "networking.v1.IngressBackend": (backend,),
    "networking.v1.IngressRule": (ingress_rule,),
    "networking.v1.IngressServiceBackend": (service_backend,),
    "networking.v1.IngressSpec": (ingress_spec,),
    "networking.v1.IngressTLS": (ingress_tls,),
    "networking.v1.NetworkPolicyPeer": (peer,),
    "networking.v1.NetworkPolicyPort": (policy_port,),
}
