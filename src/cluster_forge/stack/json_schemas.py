"""The JSON Schemas (draft 2020-12) of the files that users write, made from the models that check them."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter

from cluster_forge.stack.legacy_schema import LegacyEntrySchema, LegacySchema, LegacySourceSchema
from cluster_forge.stack.schema import Schema, StackSchema

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
FILES: Final[Mapping[str, tuple[str, Any]]] = {
    "stack.schema.json": ("Cluster-Forge stack description", StackSchema),
    "stack-list.schema.json": ("Cluster-Forge stack description, first format", list[LegacyEntrySchema]),
    "source.schema.json": ("Cluster-Forge source.yaml, first format", LegacySourceSchema),
}


def texts(files: Mapping[str, tuple[str, Any]] = FILES) -> Iterator[tuple[str, str]]:
    """Each schema's file name and text; ``files`` are titles and models by the schemas' names."""
    for file, (title, model) in files.items():
        schema = _schema(model)
        schema.pop("title", None)
        whole = {"$schema": _DRAFT, "title": title, **schema}
        yield file, json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _schema(model: Any) -> dict[str, Any]:
    is_model = isinstance(model, type) and issubclass(model, BaseModel)
    schema = model.model_json_schema() if is_model else TypeAdapter(model).json_schema()
    described = {each.__name__: descriptions(each) for each in _models(Schema, LegacySchema)}
    root = model.__name__ if is_model else ""
    for title, shape in {root: schema, **schema.get("$defs", {})}.items():
        for name, text in described.get(title, {}).items():
            if "$ref" not in shape["properties"][name]:  # what it refers to describes itself
                shape["properties"][name]["description"] = text
        _allow_null(shape)
    return dict(schema)


def _models(*roots: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for root in roots:
        yield root
        yield from _models(*root.__subclasses__())


def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """The text below each field of a model and of those that it inherits from, by its key.

    pydantic can read them too (``use_attribute_docstrings``), but does so whenever the models are loaded, which takes a
    fifth of the time of loading them.
    """
    found: dict[str, str] = {}
    for base in reversed([each for each in model.__mro__ if issubclass(each, BaseModel) and each is not BaseModel]):
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(body, ast.ClassDef)
        for field, below in pairwise(body.body):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
                key = model.model_fields[field.target.id].alias or field.target.id
                if isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
                    found[key] = inspect.cleandoc(below.value.value)
    return found


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
