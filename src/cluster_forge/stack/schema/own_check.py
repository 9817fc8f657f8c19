"""A check of one's own, in `input/checks/`, as a model that checks it and gives its JSON Schema."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictStr

from cluster_forge.stack.schema.key_types import Label, Schema, Text


class CheckedObjectsSchema(Schema):
    """Which objects a check is about: those that all of its keys select."""

    kinds: list[Text] = []
    """Kinds, with a group where two have the same name: `[Deployment, Certificate.cert-manager.io]`. `Pod` means the Pods of workloads, too. Default: the objects of all kinds."""
    namespaces: list[Text] = []
    """Only in these namespaces."""
    components: list[Text] = []
    """Only of these components."""
    labels: dict[StrictStr, StrictStr] = {}
    """Only with these labels."""


class OwnCheckSchema(Schema):
    """A check of one's own: an expression in CEL that is true for every object."""

    api_version: Annotated[Literal["cluster-forge/v1"], Field(alias="apiVersion")]
    kind: Literal["Check"]
    name: Label
    """The finding's code is `checks/` and this name."""
    match: CheckedObjectsSchema = CheckedObjectsSchema()
    """Which objects it is about."""
    expression: Text
    """CEL, true for an object that is as it should be. It knows `object`, `component` and `kubernetes` (`1.33`)."""
    message: StrictStr = ""
    """What is wrong with an object for which it is false."""
    fix: StrictStr = ""
    """How to mend it."""
    severity: Literal["error", "warning", "notice"] = "warning"
    """An error keeps smelt from writing."""
