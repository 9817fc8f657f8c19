"""JSON Schemas (draft 2020-12) of the files that users write, generated from the models that check them."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter

from cluster_forge.stack.legacy.schema import LegacyEntrySchema, LegacySchema, LegacySourceSchema
from cluster_forge.stack.schema.component import HelmSchema, UpstreamSchema
from cluster_forge.stack.schema.description import StackSchema
from cluster_forge.stack.schema.key_types import Schema
from cluster_forge.stack.schema.own_check import OwnCheckSchema

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
FILES: Final[Mapping[str, tuple[str, Any]]] = {
    "stack.schema.json": ("Cluster-Forge stack description", StackSchema),
    "stack-list.schema.json": ("Cluster-Forge stack description, legacy format", list[LegacyEntrySchema]),
    "check.schema.json": ("Cluster-Forge check", OwnCheckSchema),
    "source.schema.json": ("Cluster-Forge source.yaml, legacy format", LegacySourceSchema),
}

_REFERENCE: Final = "Reference"
_DECIDED: Final = ("apiVersion", "kind", "extends", "environments", "vars", "variables", "catalogs", "remove")
"""Keys that are read before variables have values, and variables themselves."""
_PARTIAL: Final = (HelmSchema.__name__, UpstreamSchema.__name__)
"""Mappings within a component: a file or an environment may have a part of them, and lower layers the rest."""


def texts(files: Mapping[str, tuple[str, Any]] = FILES) -> Iterator[tuple[str, str]]:
    """Each schema's file name and text; ``files`` are titles and models by file name."""
    for file, (title, model) in files.items():
        schema = _schema(model)
        schema.pop("title", None)
        whole = {"$schema": _DRAFT, "title": title, **(_referring(schema) if model is StackSchema else schema)}
        yield file, json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _schema(model: Any) -> dict[str, Any]:
    is_model = isinstance(model, type) and issubclass(model, BaseModel)
    schema = model.model_json_schema() if is_model else TypeAdapter(model).json_schema()
    described = {inner.__name__: descriptions(inner) for inner in _models(Schema, LegacySchema)}
    root = model.__name__ if is_model else ""
    for title, inner in {root: schema, **schema.get("$defs", {})}.items():
        for name, text in described.get(title, {}).items():
            if "$ref" not in inner["properties"][name]:  # the referenced model has a description
                inner["properties"][name]["description"] = text
        _allow_null(inner)
        if title in _PARTIAL:
            inner.pop("required", None)
    return dict(schema)


def _models(*roots: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for root in roots:
        yield root
        yield from _models(*root.__subclasses__())


def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """The docstring of each field of a model and of its base classes, by key.

    pydantic can read them too (``use_attribute_docstrings``), but then does so whenever the models are loaded, which
    takes 20 % longer.
    """
    docstrings: dict[str, str] = {}
    for base in reversed([kind for kind in model.__mro__ if issubclass(kind, BaseModel) and kind is not BaseModel]):
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(body, ast.ClassDef)
        for field, below in pairwise(body.body):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
                key = model.model_fields[field.target.id].alias or field.target.id
                if isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
                    docstrings[key] = inspect.cleandoc(below.value.value)
    return docstrings


def _referring(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, in which every value may be a text that refers to a variable."""
    definitions = {name: _with_references(inner) for name, inner in schema["$defs"].items()}
    return {**_with_references(schema), "$defs": {**definitions, _REFERENCE: {"type": "string", "pattern": r"\$\{"}}}


def _with_references(schema: dict[str, Any]) -> dict[str, Any]:
    """A mapping's schema with references for the values of its members."""
    members = schema.get("properties", {})
    changed = {name: inner if name in _DECIDED else _value(inner) for name, inner in members.items()}
    return {**schema, "properties": changed} if members else schema


def _value(schema: dict[str, Any]) -> dict[str, Any]:
    """A value's schema, or a reference; plain text has none of its own."""
    inner = _with_inner_references(schema)
    reference = {"$ref": f"#/$defs/{_REFERENCE}"}
    if "anyOf" in inner:
        return {**inner, "anyOf": [*map(_with_inner_references, inner["anyOf"]), reference]}
    types = inner.get("type", [])
    is_text = "string" in ([types] if isinstance(types, str) else types)
    if "type" not in inner or (is_text and not inner.keys() & {"enum", "pattern"}):
        return inner
    kept: dict[str, Any] = {key: inner.pop(key) for key in ("description", "default") if key in inner}
    return {**kept, "anyOf": [inner, reference]}


def _with_inner_references(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a list or a mapping with references for what is in it."""
    inner = {key: schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)}
    changed = {key: _value(member) for key, member in inner.items()}
    if "patternProperties" in schema:
        members = schema["patternProperties"].items()
        changed["patternProperties"] = {pattern: _value(member) for pattern, member in members}
    return {**schema, **changed}


def _allow_null(schema: dict[str, Any]) -> None:
    """Allow null for every optional key: it removes what a lower layer says."""
    required = schema.get("required", ())
    for name, member in schema.get("properties", {}).items():
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
