"""Rules of real CRDs: planted faults are found, near misses are not, and every rule can be evaluated."""

from __future__ import annotations

import contextlib
import copy
import tarfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster_forge.cel.program import program
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.custom_resources import rules, schema_rules
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Body, Manifest, Provenance
from cluster_forge.stack.model import Stack

pytestmark = pytest.mark.corpus

GATEWAY_API = "manifests/gateway-api-standard-v1.6.1.yaml"
PLACE = Provenance(component=ComponentName("edge"), origin="input/edge.yaml:1")


def route() -> dict[str, Any]:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "shop", "namespace": "shop"},
        "spec": {
            "parentRefs": [{"name": "public"}, {"name": "internal"}],
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": "/shop"}}],
                    "filters": [
                        {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "a", "value": "b"}]}},
                        {"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}},
                    ],
                    "backendRefs": [{"name": "web", "port": 80}],
                }
            ],
        },
    }  # fmt: skip


def gateway() -> dict[str, Any]:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "public", "namespace": "edge"},
        "spec": {
            "gatewayClassName": "envoy",
            "listeners": [
                {"name": "http", "port": 80, "protocol": "HTTP", "hostname": "shop.example.com"},
                {"name": "https", "port": 443, "protocol": "HTTPS", "tls": {"certificateRefs": [{"name": "shop-tls"}]}},
                {"name": "tcp", "port": 5432, "protocol": "TCP"},
            ],
        },
    }


def at(body: Any, *steps: str | int) -> Any:
    for step in steps:
        body = body[step]
    return body


def put(*steps: str | int, value: Any) -> Callable[[Any], None]:
    def change(body: Any) -> None:
        at(body, *steps[:-1])[steps[-1]] = value

    return change


def drop(*steps: str | int) -> Callable[[Any], None]:
    def change(body: Any) -> None:
        del at(body, *steps[:-1])[steps[-1]]

    return change


RULE = ("spec", "rules", 0)
PATH = (*RULE, "matches", 0, "path")
LISTENER = ("spec", "listeners")

FAULTS: dict[str, tuple[Callable[[], dict[str, Any]], Callable[[Any], None], str]] = {
    "a path that is not absolute": (route, put(*PATH, "value", value="shop"), "spec.rules[0].matches[0].path"),
    "a path with //": (route, put(*PATH, "value", value="/a//b"), "spec.rules[0].matches[0].path"),
    "a path with ..": (route, put(*PATH, "value", value="/a/../b"), "spec.rules[0].matches[0].path"),
    "a path with %2f": (route, put(*PATH, "value", value="/a%2fb"), "spec.rules[0].matches[0].path"),
    "a path with characters that none may have": (route, put(*PATH, "value", value="/a b"), "spec.rules[0].matches[0].path"),
    "a prefix replaced in an exact path": (route, put(*PATH, "type", value="Exact"), "spec.rules[0]"),
    "a filter without what it does": (route, drop(*RULE, "filters", 0, "requestHeaderModifier"), "spec.rules[0].filters[0]"),
    "a filter with what another one does": (route, put(*RULE, "filters", 0, "type", value="RequestMirror"), "spec.rules[0].filters[0]"),
    "a rewrite that says nothing of its kind": (route, put(*RULE, "filters", 1, "urlRewrite", "path", "type", value="ReplaceFullPath"), "spec.rules[0].filters[1].urlRewrite.path"),
    "two rewrites": (route, lambda body: at(body, *RULE, "filters").append(at(body, *RULE, "filters", 1)), "spec.rules[0].filters"),
    "a Service without a port": (route, drop(*RULE, "backendRefs", 0, "port"), "spec.rules[0].backendRefs[0]"),
    "the same parent twice": (route, put("spec", "parentRefs", 1, "name", value="public"), "spec.parentRefs"),
    "timeouts of the wrong order": (route, put(*RULE, "timeouts", value={"request": "1s", "backendRequest": "2s"}), "spec.rules[0].timeouts"),
    "a redirect with a backend": (route, put(*RULE, "filters", value=[{"type": "RequestRedirect", "requestRedirect": {"hostname": "a.b"}}]), "spec.rules[0]"),
    "two listeners of one name": (gateway, put(*LISTENER, 1, "name", value="http"), "spec.listeners"),
    "two listeners of one port, protocol and host": (gateway, put(*LISTENER, 2, value={"name": "b", "port": 80, "protocol": "HTTP", "hostname": "shop.example.com"}), "spec.listeners"),
    "TLS without TLS": (gateway, put(*LISTENER, 1, "protocol", value="HTTP"), "spec.listeners"),
    "a host name of TCP": (gateway, put(*LISTENER, 2, "hostname", value="db.example.com"), "spec.listeners"),
    "TLS without a certificate": (gateway, put(*LISTENER, 1, "tls", value={"mode": "Terminate"}), "spec.listeners[1].tls"),
    "two addresses that are the same": (gateway, put("spec", "addresses", value=[{"value": "10.0.0.1"}, {"value": "10.0.0.1"}]), "spec.addresses"),
}  # fmt: skip

NEAR_MISSES: dict[str, tuple[Callable[[], dict[str, Any]], Callable[[Any], None]]] = {
    "the route": (route, lambda body: None),
    "the gateway": (gateway, lambda body: None),
    "a path without a type, which is a prefix": (route, drop(*PATH, "type")),
    "a regular expression": (route, lambda body: at(body, *RULE).update(matches=[{"path": {"type": "RegularExpression", "value": "a|b"}}], filters=[])),
    "dots in a name": (route, put(*PATH, "value", value="/a..b/.c")),
    "a backend that is not a Service": (route, put(*RULE, "backendRefs", 0, value={"name": "web", "group": "example.com", "kind": "Bucket"})),
    "the same parent twice, with sections": (route, put("spec", "parentRefs", value=[{"name": "a", "sectionName": "x"}, {"name": "a", "sectionName": "y"}])),
    "timeouts of the right order": (route, put(*RULE, "timeouts", value={"request": "10s", "backendRequest": "2s"})),
    "one port for two host names": (gateway, put(*LISTENER, 2, value={"name": "b", "port": 80, "protocol": "HTTP", "hostname": "b.example.com"})),
    "a listener that passes TLS on": (gateway, put(*LISTENER, 2, value={"name": "p", "port": 8443, "protocol": "TLS", "tls": {"mode": "Passthrough"}})),
}  # fmt: skip


@cache
def definitions(corpus: Path) -> tuple[Manifest, ...]:
    documents = yaml.load_all((corpus / "mirror" / GATEWAY_API).read_text(), yaml.CSafeLoader)
    return tuple(Manifest.of(body, PLACE) for body in documents if body and body["kind"] == "CustomResourceDefinition")


def found(corpus: Path, body: Body) -> list[Finding]:
    checked = CheckedStack(Stack(name="edge"), [*definitions(corpus), Manifest.of(body, PLACE)], waves={})
    return list(rules.findings(checked))


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_mistake_is_found(corpus: Path, name: str) -> None:
    made, change, field = FAULTS[name]
    body = copy.deepcopy(made())
    change(body)
    findings = found(corpus, body)
    assert {finding.code for finding in findings} == {"custom-resource-invalid"}
    assert field in {finding.field for finding in findings}


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_a_near_miss_is_not_reported(corpus: Path, name: str) -> None:
    made, change = NEAR_MISSES[name]
    body = copy.deepcopy(made())
    change(body)
    assert found(corpus, body) == []


def test_every_rule_of_the_charts_can_be_evaluated(corpus: Path) -> None:
    expressions = set(_expressions(corpus))
    assert len(expressions) > 150
    assert {name for expression in expressions for name in program(expression).names} == {"self", "oldSelf"}


def _expressions(corpus: Path) -> Iterator[str]:
    """The rules of the CRDs that are plain YAML: not templates."""
    for archive in sorted((corpus / "mirror" / "charts").glob("*.tgz")):
        with tarfile.open(archive) as members:
            for member in members:
                file = members.extractfile(member) if "crds/" in member.name and member.name.endswith(".yaml") else None
                text = file.read().decode() if file else ""
                if schema_rules.KEY in text and "{{" not in text:
                    with contextlib.suppress(yaml.YAMLError):  # a few are YAML for Go's reader only
                        for body in yaml.load_all(text, yaml.CSafeLoader):
                            yield from (expression for expression, _ in schema_rules.rule_places(body))
