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
    """The name of the component."""
    namespace: StrictStr = ""
    """The namespace for objects that set none."""
    manifest_url: StrictStr = ""
    """A URL of manifests."""
    helm_chart_name: StrictStr = ""
    """The name of the chart, or its full `oci://` URL."""
    helm_url: StrictStr = ""
    """The URL of the chart repository."""
    helm_name: StrictStr = ""
    """The name of the release."""
    helm_version: StrictStr = ""
    """The version of the chart."""


class LegacyEntrySchema(LegacySchema):
    """An entry of a list in the legacy format: a component, or a collection."""

    namespaces: Texts = []
    """Namespaces; the first is for objects that set none."""
    manifestpath: Texts = []
    """Files and folders relative to `input/` (a leading slash is ignored); later ones replace objects of earlier ones."""
    helm_values: StrictStr | dict[StrictStr, Any] = Field("", union_mode="left_to_right")
    """Values for the chart: a mapping, YAML text, or a file's name."""
    values_file: StrictStr = ""
    """A values file, relative to `input/` or to the component's folder."""
    sourced_exclude: Texts = []
    """Objects to leave out, by file name: `Kind_name.yaml`."""
    syncwave: Whole | None = None
    """The sync wave, lower first."""
    skip_namespace: Switch = False
    """`true`: do not set a namespace on objects that have none."""
    collection: list[Text] | None = None
    """Names of components or collections: makes the entry a collection."""


class LegacySourceSchema(LegacySchema):
    """A component's `source.yaml`: the source of its `manifests/sourced`."""

    values: StrictStr = ""
    """The name of a values file beside this one."""
    source_exclusions: Texts = []
    """Objects to leave out, by file name: `Kind_name.yaml`."""
