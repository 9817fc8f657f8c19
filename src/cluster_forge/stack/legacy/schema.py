"""The legacy format (the first implementation's) as models that check it: lists of components and ``source.yaml``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, WithJsonSchema
from pydantic.functional_validators import BeforeValidator

from cluster_forge.stack.schema.key_types import Label, Text


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            return value
    return value


def _switch(value: Any) -> Any:
    return {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _kebab(name: str) -> str:
    return name.replace("_", "-")


_TEXTS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
Whole = Annotated[StrictInt, BeforeValidator(_whole), WithJsonSchema({"type": ["integer", "string"]})]
Switch = Annotated[StrictBool, BeforeValidator(_switch), WithJsonSchema({"type": ["boolean", "string"]})]
Texts = Annotated[list[Text], BeforeValidator(_several), WithJsonSchema(_TEXTS)]


class LegacySchema(BaseModel):
    """Keys are written with hyphens or in one word; an unknown key is an error."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=_kebab,
        validate_by_name=False,
    )

    name: Label
    """The component's name."""
    namespace: StrictStr = ""
    """Where its objects go that name no namespace."""
    manifest_url: StrictStr = ""
    """A URL that its manifests are fetched from."""
    helm_chart_name: StrictStr = ""
    """The chart's name, or its whole `oci://` address."""
    helm_url: StrictStr = ""
    """The chart repository."""
    helm_name: StrictStr = ""
    """The release's name."""
    helm_version: StrictStr = ""
    """The chart's version."""


class LegacyEntrySchema(LegacySchema):
    """An entry of the first implementation's `config.yaml`: a component, or a collection."""

    namespaces: Texts = []
    """Its namespaces, the first one for objects that name none."""
    manifestpath: Texts = []
    """Files and folders relative to `input/` (a leading slash means the same); later ones replace objects of earlier ones."""
    helm_values: StrictStr | dict[StrictStr, Any] = Field("", union_mode="left_to_right")
    """Values for the chart: a mapping, YAML text, or a file's name."""
    values_file: StrictStr = ""
    """A values file, relative to `input/` or to the component's folder."""
    sourced_exclude: Texts = []
    """Objects that are left out, by file name: `Kind_name.yaml`."""
    syncwave: Whole | None = None
    """When it goes into the cluster, lower first."""
    skip_namespace: Switch = False
    """`true`: no namespace is filled in."""
    collection: list[Text] | None = None
    """Names of components or collections: the entry is a collection then."""


class LegacySourceSchema(LegacySchema):
    """A component's `source.yaml`: how its `manifests/sourced` is made."""

    values: StrictStr = ""
    """The name of a values file beside this one."""
    source_exclusions: Texts = []
    """Objects that are left out, by file name: `Kind_name.yaml`."""
