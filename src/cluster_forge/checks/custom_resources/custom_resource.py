"""Custom resources fit the schema of their CRD in the stack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.custom_resources import defaults, schema_reader
from cluster_forge.checks.custom_resources.stack_schemas import StackSchemas
from cluster_forge.checks.kubernetes_objects import object_reader
from cluster_forge.checks.kubernetes_objects.problem import Problem
from cluster_forge.manifests import kubernetes_schemas
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.kubernetes_schemas import FIELDS_OF, Schemas, Shape
from cluster_forge.manifests.manifest import Body

_METADATA: Final = Shape(type=FIELDS_OF, definition="apimachinery.pkg.apis.meta.v1.ObjectMeta")


def findings(checked: CheckedStack, /) -> Iterator[Finding]:
    schemas, kubernetes = StackSchemas(checked.manifests), kubernetes_schemas.of_minor(checked.minor)
    for manifest in checked.manifests:
        schema = schemas.of(manifest)
        if schema is not None:
            body = manifest.body
            for problem in _metadata(body, kubernetes):
                yield problem.finding(manifest)
            complete: Any = defaults.completed(body, schema)
            problems = schema_reader.problems(complete, schema)
            # What is wrong with a default is reported once, about the CRD (`structural`).
            own = (problem for problem in problems if not defaults.is_from_default(body, schema, problem.steps))
            for problem in islice(own, object_reader.MOST):
                yield problem.finding(manifest)


def _metadata(body: Body, schemas: Schemas) -> Iterator[Problem]:
    """The metadata are those of all objects; a CRD does not describe them."""
    for problem in object_reader.problems(body["metadata"], _METADATA, schemas):
        yield replace(problem.below("metadata"), code=schema_reader.CODE)
