"""The JSON Schemas (draft 2020-12) of the files that users write, made from the models that check them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter

from cluster_forge.stack.schema import StackShape
from cluster_forge.stack.seed_schema import SeedEntryShape, SeedSourceShape

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_FILES: Final[Mapping[str, tuple[str, Any]]] = {
    "stack.schema.json": ("Cluster-Forge stack description", StackShape),
    "stack-list.schema.json": ("Cluster-Forge stack description, first format", list[SeedEntryShape]),
    "source.schema.json": ("Cluster-Forge source.yaml, first format", SeedSourceShape),
}


def texts() -> Iterator[tuple[str, str]]:
    """Each schema's file name and text."""
    for file, (title, model) in _FILES.items():
        schema = _schema(model)
        schema.pop("title", None)
        whole = {"$schema": _DRAFT, "title": title, **schema}
        yield file, json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _schema(model: Any) -> dict[str, Any]:
    is_model = isinstance(model, type) and issubclass(model, BaseModel)
    schema = model.model_json_schema() if is_model else TypeAdapter(model).json_schema()
    for shape in (schema, *schema.get("$defs", {}).values()):
        _allow_null(shape)
    return dict(schema)


def _allow_null(shape: dict[str, Any]) -> None:
    """A key without a value is as good as none: null takes away what a lower layer says."""
    required = shape.get("required", ())
    for name, member in shape.get("properties", {}).items():
        member.pop("title", None)
        if name in required:
            continue
        if member.get("default", ...) is None:
            del member["default"]
        if "enum" in member:
            member["enum"].append(None)
        if "anyOf" in member:
            member["anyOf"] = [choice for choice in member["anyOf"] if choice != {"type": "null"}] + [{"type": "null"}]
        elif "$ref" in member:
            member["anyOf"] = [{"$ref": member.pop("$ref")}, {"type": "null"}]
        elif "type" in member:
            kinds = member["type"] if isinstance(member["type"], list) else [member["type"]]
            member["type"] = [*kinds, "null"]
