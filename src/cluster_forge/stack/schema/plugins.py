"""Plug-ins and functions in the description, as models that check them and give their JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, StrictStr

from cluster_forge.foundation.digest import Digest
from cluster_forge.stack.schema.key_types import Schema, Text


def _digest(text: str) -> str:
    try:
        return text and str(Digest.parse(text))
    except ValueError as error:
        raise ValueError(f"{text!r} is not a sha256 digest: `sha256:` and 64 hexadecimal digits") from error


class PluginSchema(Schema):
    """A plug-in that is installed beside Cluster-Forge: `cluster-forge plugins list`."""

    plugin: Text
    """The name of the plug-in."""
    with_: Annotated[dict[StrictStr, Any], Field(alias="with")] = {}
    """Settings for the plug-in."""
    files: list[Text] = []
    """Files for the plug-in, relative to `input/`: it gets their content, and reads no others."""


class TransformerSchema(Schema):
    """What changes rendered objects: an installed plug-in, or a KRM function in the workspace."""

    plugin: StrictStr = ""
    """The name of a plug-in that is installed beside Cluster-Forge: `cluster-forge plugins list`."""
    function: Annotated[StrictStr, Field(alias="exec")] = ""
    """A KRM function, relative to `input/`: a program that reads a `ResourceList` and writes it. It runs only where its user agreed: `cluster-forge plugins allow`."""
    digest: Annotated[StrictStr, AfterValidator(_digest)] = ""
    """With `exec`: the digest of the program, `sha256:…`."""
    with_: Annotated[dict[StrictStr, Any], Field(alias="with")] = {}
    """Settings for the plug-in; for a function its `functionConfig`: an object, or the `data` of a ConfigMap."""
    files: list[Text] = []
    """Files for the plug-in, relative to `input/`: it gets their content, and reads no others."""
