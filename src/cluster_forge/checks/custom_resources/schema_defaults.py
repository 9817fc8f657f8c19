"""Defaults in the schemas of CRDs fit these schemas: otherwise the API server does not take the CRD.

Source: apiextensions-apiserver, ``pkg/apiserver/schema/defaulting`` (``ValidateDefaults``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from cluster_forge.checks.custom_resources import defaults, schema_reader
from cluster_forge.manifests import field_path

_FIX: Final = "write a default that the schema takes"


def complaints(schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The first thing that is wrong with the default of a schema, and how to mend it."""
    complete = defaults.completed(schema["default"], schema)
    for problem in islice(schema_reader.problems(complete, schema, ("default",), is_object=False), 1):
        inside = field_path.text(problem.steps[1:])
        place = f"at {inside}: " if inside else ""
        yield f"it does not fit its own schema: {place}{problem.message}", _FIX
