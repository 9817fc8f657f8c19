"""What a description changes in rendered objects, as models that check it and give its JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, StrictStr, WithJsonSchema

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ImageError
from cluster_forge.foundation.label_selector import LabelSelector
from cluster_forge.foundation.linear_pattern import LinearPattern
from cluster_forge.foundation.names import is_label_key, is_label_value
from cluster_forge.oci.reference import ImageReference, is_tag
from cluster_forge.stack.schema.key_types import ObjectName, Quantity, Schema, Text, UnfitError

_MOST_ENTRIES: Final = 100
"""Of what is added to every object: each entry is, one after the other."""


def _pattern(text: str) -> str:
    try:
        LinearPattern.parse(text)
    except ValueError as error:
        raise UnfitError(
            f"{text!r} is not a regular expression: {error}", "write the name, or a pattern such as `web-.*`"
        ) from error
    return text


def _selector(text: str) -> str:
    try:
        LabelSelector.parse(text)
    except ValueError as error:
        raise UnfitError(str(error), "write it as kubectl does: `app=web,tier in (a, b),!canary`") from error
    return text


def _label_key(text: str) -> str:
    if not is_label_key(text):
        raise ValueError(
            f"{text!r} is not a key of labels: letters, digits, `-`, `_` and `.`, at most 63, after an optional DNS name and `/`"
        )
    return text


def _label_value(text: str) -> str:
    if not is_label_value(text):
        raise ValueError(
            f"{text!r} is not the value of a label: letters, digits, `-`, `_` and `.`, at most 63, "
            "a letter or digit at both ends"
        )
    return text


def _image_name(text: str) -> str:
    try:
        reference = ImageReference.parse(text)
    except ImageError as error:
        raise UnfitError(error.message, error.fix or "write it without a tag: `quay.io/team/app`") from error
    if reference.tag or reference.digest:
        bare = text.partition("@")[0].removesuffix(f":{reference.tag}")
        raise UnfitError(f"{text!r} has a tag or a digest, and the name of an image has none", f"write `{bare}`")
    return text


def _tag(text: str) -> str:
    if text and not is_tag(text):
        raise ValueError(f"{text!r} is not a tag: letters, digits, `_`, `.` and `-`, at most 128")
    return text


def _digest(text: str) -> str:
    try:
        return text and str(Digest.parse(text))
    except ValueError as error:
        raise ValueError(f"{text!r} is not a sha256 digest: `sha256:` and 64 hexadecimal digits") from error


def _patch(value: Any) -> Any:
    if not isinstance(value, str | dict | list):
        raise ValueError("must be a patch: a part of an object, a list of operations, or either as text")  # noqa: TRY004 - pydantic reports ValueErrors
    return value


Pattern = Annotated[StrictStr, AfterValidator(_pattern)]
Selector = Annotated[StrictStr, AfterValidator(_selector)]
Patch = Annotated[Any, BeforeValidator(_patch), WithJsonSchema({"type": ["string", "object", "array"]})]
LabelKey = Annotated[StrictStr, AfterValidator(_label_key)]
LabelValue = Annotated[StrictStr, AfterValidator(_label_value)]
ImageName = Annotated[StrictStr, AfterValidator(_image_name)]


class PatchTargetSchema(Schema):
    """The objects that a patch changes: all that match every key. Patterns are regular expressions for the whole text."""

    group: Pattern = ""
    """The API group: `apps`; default: any."""
    version: Pattern = ""
    """The version of the API: `v1`."""
    kind: Pattern = ""
    """The kind: `Deployment`, or `.*Set`."""
    name: Pattern = ""
    """The name: `web-.*`."""
    namespace: Pattern = ""
    """The namespace."""
    label_selector: Selector = ""
    """Labels, as `kubectl get -l` takes them: `app=web,tier in (a, b)`."""
    annotation_selector: Selector = ""
    """Annotations, in the same form."""


class PatchSchema(Schema):
    """A change of objects: a strategic merge patch (a part of the object) or a JSON patch (RFC 6902)."""

    patch: Patch = None
    """The patch: a part of an object with the fields that change, a list of operations, or either as YAML text."""
    path: Text | None = None
    """Instead of `patch`: a file with it, relative to `input/`."""
    target: PatchTargetSchema | None = None
    """The objects to change; default, for a part of an object: the one that it names."""


class ImageChangeSchema(Schema):
    """What becomes of an image."""

    name: Annotated[StrictStr, AfterValidator(lambda text: text and _image_name(text))] = ""
    """Its new name, with the registry."""
    tag: Annotated[StrictStr, AfterValidator(_tag)] = ""
    """Its new tag; without `digest`, a digest is taken away."""
    digest: Annotated[StrictStr, AfterValidator(_digest)] = ""
    """Its new digest: `sha256:…`; without `tag`, a tag is taken away."""


class ResourcesSchema(Schema):
    """Requests and limits of a container; what is not named stays as it is."""

    requests: dict[StrictStr, Quantity | None] = {}
    """Requests by resource: `{cpu: 100m, memory: 1Gi}`; null takes away what the container has."""
    limits: dict[StrictStr, Quantity | None] = {}
    """Limits by resource; null takes away what the container has."""


class TolerationSchema(Schema):
    """A toleration of Pods, as in Kubernetes."""

    key: StrictStr = ""
    """The key of the taint; default: any, with `operator: Exists`."""
    operator: Literal["Equal", "Exists", "Lt", "Gt"] = "Equal"
    """How the value is compared."""
    value: StrictStr = ""
    """The value of the taint."""
    effect: Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"] = ""
    """The effect of the taint; default: any."""
    toleration_seconds: StrictInt | None = None
    """With `NoExecute`: how long the Pod stays."""


class ChangesSchema(Schema):
    """What is changed in rendered objects, of the whole stack or of one component."""

    labels: dict[LabelKey, LabelValue] = Field({}, max_length=_MOST_ENTRIES)
    """Labels for every object and every Pod template; selectors, and labels that they use, stay as they are."""
    annotations: dict[LabelKey, StrictStr] = Field({}, max_length=_MOST_ENTRIES)
    """Annotations for every object and every Pod template."""
    images: dict[ImageName, ImageChangeSchema] = {}
    """Images by name, with what becomes of them, wherever an object names one: containers, arguments, variables, custom resources."""
    replicas: dict[ObjectName, Annotated[StrictInt, Field(ge=0)]] = {}
    """The number of replicas, by the name of the Deployment or StatefulSet."""
    resources: dict[StrictStr, ResourcesSchema] = {}
    """Requests and limits, by the name of the container."""
    node_selector: dict[LabelKey, LabelValue] = Field({}, max_length=_MOST_ENTRIES)
    """Labels of the nodes that Pods run on, for every Pod template."""
    tolerations: list[TolerationSchema] = Field([], max_length=_MOST_ENTRIES)
    """Tolerations to add to every Pod template."""
    priority_class_name: StrictStr = ""
    """The PriorityClass of every Pod template."""
    image_pull_secrets: list[ObjectName] = Field([], max_length=_MOST_ENTRIES)
    """Names of Secrets to pull images with, to add to every Pod template."""
    patches: list[PatchSchema] = []
    """Patches, applied after all other changes."""
