"""CRDs of real charts with one mistake each: what an API server refuses of a definition.

Each mistake is planted in ten CRDs or more of `stacks/everything`, and so is each near miss, of which nothing may be said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.checks.checked_stacks import checked_stack
from tests.corpus import plants
from tests.corpus.plants import Change, drop, put

from cluster_forge.checks.custom_resources import definition, rules
from cluster_forge.manifests.facts import CRD_KIND
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

if TYPE_CHECKING:
    from tests.corpus.conftest import Forged

pytestmark = pytest.mark.corpus

VERSION: Final = ("spec", "versions", 0)
SCHEMA: Final = (*VERSION, "schema", "openAPIV3Schema")
PLANTED: Final = (*SCHEMA, "properties", "planted")
LARGEST: Final = 200_000
"""Bytes of a CRD that is changed: larger ones would take minutes."""


def check(manifest: Manifest) -> Iterable[Finding]:
    stack = checked_stack([manifest], minor=36)
    return [*definition.findings(stack), *rules.findings(stack)]


def versions(change: Callable[[list[dict[str, Any]]], object]) -> Change:
    return lambda body: change(body["spec"]["versions"])


def a_list(**fields: Any) -> Change:
    return put(
        *PLANTED,
        value={"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}, **fields},
    )


def rule(text: str, **schema: Any) -> Change:
    return put(*PLANTED, value={"type": "string", "x-kubernetes-validations": [{"rule": text}], **schema})


def ruled_list(text: str, entry: dict[str, Any] | None = None, **fields: Any) -> Change:
    """A list with a rule about it, of texts or of ``entry``."""
    schema = {"type": "array", "items": entry or {"type": "string"}, "x-kubernetes-validations": [{"rule": text}]}
    return put(*PLANTED, value={**schema, **fields})


def long_rules(number: int) -> Change:
    """Rules of 9.4 million units each: a pattern of 120 characters, and a text as long as a request."""
    texts = [f"self.matches('{chr(97 + one) * 120}')" for one in range(number)]
    return put(*PLANTED, value={"type": "string", "x-kubernetes-validations": [{"rule": text} for text in texts]})


DIFFERENT: Final = "self.all(one, self.exists_one(other, one == other))"
SPELLED: Final = {"type": "string", "x-kubernetes-validations": [{"rule": "self.matches('^[a-z]+$')"}]}


def twice_stored(every: list[dict[str, Any]]) -> None:
    every[0]["storage"] = True
    every.append({**every[0], "name": "v99"})


BY_KEYS: Final = {"x-kubernetes-list-type": "map"}
MISTAKES: Final[dict[str, Change]] = {
    "a field without a type": put(*PLANTED, value={"description": "any"}),
    "a type that is none": put(*PLANTED, value={"type": "text"}),
    "a root that is not an object": put(*SCHEMA, "type", value="array"),
    "a list without a schema of its entries": put(*PLANTED, value={"type": "array"}),
    "a list by keys that it has not": a_list(**BY_KEYS, **{"x-kubernetes-list-map-keys": ["b"]}),
    "a list by keys without keys": a_list(**BY_KEYS),
    "a kind of list that is none": a_list(**{"x-kubernetes-list-type": "bag"}),
    "a kind of list of what is no list": put(*PLANTED, value={"type": "string", "x-kubernetes-list-type": "set"}),
    "a type within a choice": put(*PLANTED, value={"type": "string", "anyOf": [{"type": "string"}]}),
    "a default within a choice": put(*PLANTED, value={"type": "string", "anyOf": [{"default": "a"}]}),
    "a reference": put(*PLANTED, value={"$ref": "#/definitions/a", "type": "object"}),
    "a keyword of JSON Schema": put(*PLANTED, value={"type": "object", "patternProperties": {"a": {"type": "string"}}}),
    "a keyword that is misspelled": put(*PLANTED, value={"type": "string", "maxLenght": 3}),
    "a pattern with a lookahead": put(*PLANTED, value={"type": "string", "pattern": "^(?!a)"}),
    "a pattern without an end": put(*PLANTED, value={"type": "string", "pattern": "[a"}),
    "unique entries": a_list(uniqueItems=True),
    "other properties beside properties": put(*PLANTED, value={"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}}),
    "fields that are not kept": put(*PLANTED, value={"type": "object", "x-kubernetes-preserve-unknown-fields": False}),
    "a rule that is no CEL": rule("self =="),
    "a rule with a function that is none": rule("self.isLong()"),
    "a rule with a variable that is none": rule("sefl.size() > 1"),
    "a rule about each two of a list without a limit": ruled_list(DIFFERENT),
    "a rule about each text of a list without a limit": ruled_list("size(self) < 9", SPELLED),
    "a rule about texts without a limit": ruled_list("self.all(one, one.contains(self[0]))", maxItems=50),
    "rules that cost too much together": long_rules(11),
    "two stored versions": versions(twice_stored),
    "no stored version": versions(lambda every: [version.update(storage=False) for version in every]),
    "a version twice": versions(lambda every: every.append({**every[0], "storage": False})),
    "a version without a schema": versions(lambda every: every.append({"name": "v99", "served": True, "storage": False})),
    "a version with a capital": versions(lambda every: every.append({**every[0], "name": "V99", "storage": False})),
    "a name that is not plural and group": put("metadata", "name", value="planted.example.com"),
    "a group that is no domain": lambda body: (body["spec"].update(group="planted"), body["metadata"].update(name=f"{body['spec']['names']['plural']}.planted")),
    "a kind that is no name": put("spec", "names", "kind", value="Plan_ted"),
    "a scope that is none": put("spec", "scope", value="Global"),
    "fields that are kept everywhere": put("spec", "preserveUnknownFields", value=True),
    "a conversion without its webhook": put("spec", "conversion", value={"strategy": "Webhook"}),
    "a field that CRDs have not": put("spec", "storage", value="v1"),
    "a CRD without versions": drop("spec", "versions"),
}  # fmt: skip
NEAR_MISSES: Final[dict[str, Change]] = {
    "a number or a text": put(*PLANTED, value={"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}),
    "a field of any type": put(*PLANTED, value={"x-kubernetes-preserve-unknown-fields": True}),
    "a list by keys": a_list(**BY_KEYS, **{"x-kubernetes-list-map-keys": ["a"]}),
    "a bound within a choice": put(*PLANTED, value={"type": "string", "anyOf": [{"maxLength": 3}, {"pattern": "^a"}]}),
    "entries that need not differ": a_list(uniqueItems=False),
    "a pattern of Go": put(*PLANTED, value={"type": "string", "pattern": r"^\p{L}+(?i)a\z"}),
    "a rule about the change": rule("self == oldSelf"),
    "a rule with functions of Kubernetes": rule("self.matches('^a') || isURL(self) || quantity(self).isInteger()"),
    "a rule about each two of a short list": ruled_list(DIFFERENT, {"type": "string", "maxLength": 63}, maxItems=100),
    "a rule about each short text of a short list": ruled_list("size(self) < 9", {**SPELLED, "maxLength": 63}, maxItems=1000),
    "a rule about short texts": ruled_list("self.all(one, one.contains(self[0]))", {"type": "string", "maxLength": 63}, maxItems=50),
    "a rule about each entry of a list without a limit": ruled_list("self.all(one, one != 'a')"),
    "an expensive rule": long_rules(1),
    "an older version that is not served": versions(lambda every: every.append({**every[0], "name": "v1alpha9", "served": False, "storage": False})),
    "a kind with a number": put("spec", "names", "kind", value="Planted2"),
    "fields that are not kept everywhere": put("spec", "preserveUnknownFields", value=False),
    "a conversion without a webhook": put("spec", "conversion", value={"strategy": "None"}),
    "a column": put(*VERSION, "additionalPrinterColumns", value=[{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}]),
}  # fmt: skip


@pytest.fixture(scope="module")
def definitions(everything: Forged) -> list[Manifest]:
    """Small ones of many components, whose root has properties."""
    every = plants.of_kinds(everything.manifests, CRD_KIND)
    return [
        one
        for one in every
        if len(one.document.json) < LARGEST
        and one.body["spec"]["versions"][0]["schema"]["openAPIV3Schema"].get("properties")
        and not one.id.name.endswith(".k8s.io")
    ]


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_found(name: str, definitions: list[Manifest]) -> None:
    assert plants.missed(definitions, MISTAKES[name], "schema-invalid", check) == []


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_a_near_miss_is_not_found(name: str, definitions: list[Manifest]) -> None:
    assert plants.missed(definitions, NEAR_MISSES[name], "", check) == []


def test_a_group_of_kubernetes_needs_an_approval(everything: Forged) -> None:
    approved = [
        one
        for one in plants.of_kinds(everything.manifests, CRD_KIND)
        if one.id.name.endswith((".k8s.io", ".kubernetes.io")) and len(one.document.json) < LARGEST
    ]
    change = drop("metadata", "annotations", "api-approved.kubernetes.io")
    assert plants.missed(approved, change, "schema-invalid", check) == []
