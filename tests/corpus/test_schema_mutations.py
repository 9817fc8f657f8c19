"""Real objects have no finding about their schemas; each of them with one field changed has one, at that field.

The mutations are those that the API server of Kubernetes 1.36 refused, all of them, as a dry run (ADR 0059).
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.checks.checked_stacks import checked_stack

from cluster_forge.checks.acceptance import deprecated_api, kubernetes_schema
from cluster_forge.checks.custom_resources import custom_resource, definition
from cluster_forge.checks.custom_resources.stack_schemas import StackSchemas
from cluster_forge.checks.kubernetes_objects import object_reader
from cluster_forge.checks.kubernetes_objects.required_fields import is_enforced
from cluster_forge.manifests import kubernetes_schemas
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.kubernetes_schemas import FIELDS_OF, LIST, MAPPING, Shape

if TYPE_CHECKING:
    from tests.corpus.conftest import Forged

pytestmark = pytest.mark.corpus

MINOR: Final = 36
SCHEMAS: Final = kubernetes_schemas.of_minor(MINOR)
REMOVED: Final = object()
WRONG: Final[Mapping[str, Any]] = {
    "string": 5,
    "int32": "x",
    "int64": "x",
    "boolean": "x",
    "quantity": "x",
    LIST: "x",
    MAPPING: "x",
    FIELDS_OF: "x",
}
"""For each type a value that is of none."""
Way = tuple[str | int, ...]


def places(value: Any, shape: Shape, way: Way = ()) -> Iterator[tuple[str, Way, Mapping[str, Any]]]:
    """The mappings with fixed fields in an object: definition, the way there, the mapping."""
    if shape.type == FIELDS_OF and isinstance(value, dict):
        yield shape.definition, way, value
        known = SCHEMAS.fields(shape.definition).shapes
        for name, inner in value.items():
            if name in known:
                yield from places(inner, known[name], (*way, name))
    elif shape.type in (LIST, MAPPING) and shape.inner and isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, shape.inner, (*way, step))


def changed(body: Any, way: Way, value: object) -> Any:
    body = copy.deepcopy(body)
    inner = body
    for step in way[:-1]:
        inner = inner[step]
    if value is REMOVED:
        del inner[way[-1]]
    else:
        inner[way[-1]] = value
    return body


def mutations(body: Any, shape: Shape, seen: set[tuple[str, str, str]]) -> Iterator[tuple[str, Way, Any]]:
    """One change for each field of each definition that was not changed before: kind of change, way, the object."""
    for name, way, value in places(body, shape):
        fields = SCHEMAS.fields(name)
        kinds: list[tuple[str, str, object]] = [("unknown", "zzz", 1)] if way else []
        kinds += [
            ("removed", field, REMOVED) for field in fields.required if value.get(field) and is_enforced(name, field)
        ]
        kinds += [
            ("type", field, WRONG[known.type])
            for field, known in fields.shapes.items()
            if value.get(field) is not None
            and known.type in WRONG
            and (way or field not in ("apiVersion", "kind", "metadata"))
        ]
        for kind, field, wrong in kinds:
            if (kind, name, field) not in seen:
                seen.add((kind, name, field))
                yield kind, (*way, field), changed(body, (*way, field), wrong)


def test_real_objects_have_no_finding(everything: Forged, prd: Forged) -> None:
    for stack in (everything, prd):
        for minor in (33, MINOR):
            checked = checked_stack(stack.manifests, minor=minor)
            for check in (kubernetes_schema, definition, custom_resource, deprecated_api):
                assert list(check.findings(checked)) == []


def test_every_change_of_a_real_object_is_found(everything: Forged) -> None:
    seen: set[tuple[str, str, str]] = set()
    counts: Counter[str] = Counter()
    for manifest in everything.manifests:
        identity = manifest.id
        shape = SCHEMAS.kind(identity.group, manifest.facts.version, identity.kind)
        if shape is None or (identity.group, identity.kind) == CRD or len(manifest.document.json) > 100_000:
            continue
        for kind, way, body in mutations(manifest.body, shape, seen):
            counts[kind] += 1
            about = object_reader.problems(body, shape, SCHEMAS)
            assert any(way[-1] in problem.steps for problem in about), (str(identity), kind, way)
    assert counts["type"] > 250
    assert counts["unknown"] > 70
    assert counts["removed"] > 40


def test_every_change_of_a_real_custom_resource_is_found(everything: Forged) -> None:
    schemas = StackSchemas(everything.manifests)
    definitions = {
        manifest.id: manifest for manifest in everything.manifests if (manifest.id.group, manifest.id.kind) == CRD
    }
    tried: Counter[str] = Counter()
    for manifest in everything.manifests:
        schema = schemas.of(manifest)
        if schema is None or schema.get("x-kubernetes-preserve-unknown-fields") or tried[manifest.id.kind] >= 4:
            continue
        own = [crd for crd in definitions.values() if crd.facts.defines and crd.facts.defines.kind == manifest.id.kind]
        for body in (
            {**manifest.body, "zzz": 1},
            {**manifest.body, **({"spec": "x"} if "spec" in schema.get("properties", {}) else {"yyy": 1})},
            {**manifest.body, "metadata": {**manifest.body["metadata"], "labels": {"a": 1}}},
        ):
            tried[manifest.id.kind] += 1
            mutated = type(manifest).of(body, manifest.provenance)
            about = list(custom_resource.findings(checked_stack([*own, mutated], minor=MINOR)))
            assert [finding.code for finding in about] == ["custom-resource-invalid"], (str(manifest.id), about)
    assert sum(tried.values()) > 30
