"""The container images that an object names: in fields, split fields, arguments, environment variables and texts.

Four ways to name one, from the most certain to the least:

- a container's ``image``, and an image volume's ``image.reference`` (KEP-4639);
- any other field called ``image``, as custom resources have it, unless its value is a bare word;
- ``repository`` beside ``tag``, ``version`` or ``digest`` (and ``registry``, ``image``), also with a common prefix or
  in capitals: ``trivy.repository``, ``imageTag``, ``AGENT_REPOSITORY``;
- in any other string (arguments, environment, ConfigMaps, custom resources) a word with a slash and a digest, or a tag
  that looks like a version: ``--acme-http01-solver-image=quay.io/jetstack/cert-manager-acmesolver:v1.21.1``.

Addresses, file paths, ``namespace/service:port`` and ``example.com/label:NoSchedule`` are not images. CRDs
name none; comments in texts and a ConfigMap's ``_example`` (Knative's convention) do not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cluster_forge.foundation.errors import ImageError
from cluster_forge.manifests import field_path
from cluster_forge.oci.reference import ImageReference

_CONTAINERS = frozenset(("containers", "initContainers", "ephemeralContainers"))
_SILENT = frozenset(("_example", "description"))
_SKIPPED = frozenset(("apiVersion", "kind", "metadata", "status"))

_NAMED = re.compile(r"/[a-z0-9._-]+(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?(?![\w/:@])", re.ASCII)
_HINT = re.compile(r"/[a-z0-9._-]+(?::\w|@sha256:)", re.ASCII)
_BEFORE = re.compile(r"[A-Za-z0-9._/:-]*\Z")
_SHORT = re.compile(r"[a-z0-9][a-z0-9._-]*(?::\w[\w.-]{0,127}(?:@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})", re.ASCII)
_LOOK_BACK = 255
"""The longest name: text before that cannot belong to it."""
_VERSION = re.compile(r"latest|(?=.*\d)(?=.*[A-Za-z.]).*")
"""Not digits alone: ``namespace/service:8080`` names a port."""
_SURE_VERSION = re.compile(r"latest|v\d.*|.*\d\.\d.*")
"""Certainly a version: ``example.com/label:8`` does not have one."""
_TAINTS = frozenset(("NoSchedule", "PreferNoSchedule", "NoExecute"))

Step = tuple["Step", str | int] | None
"""The position of a value: that of its container, and its key or index there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageUse:
    """An image that an object names: as written (or joined from its parts), as parsed, and its position.

    ``steps`` lead to the text that names it, or to the ``…repository`` among its parts.
    """

    image: str
    reference: ImageReference
    steps: tuple[str | int, ...]

    @property
    def path(self) -> str:
        """The position as kubectl shows it: ``spec.template.spec.containers[0].image``, ``data["config.yaml"]``."""
        return field_path.text(self.steps)


def of(body: Mapping[str, Any]) -> tuple[ImageUse, ...]:
    """The images that ``body`` names, in its order, once for each position."""
    if body.get("kind") == "CustomResourceDefinition":
        return ()
    mentions: list[tuple[str, Step]] = []
    for key, value in body.items():
        if key not in _SKIPPED:
            _value(key, value, (None, key), mentions)
    uses = []
    for image, step in dict.fromkeys(mentions):
        reference = _read(image)
        if reference:
            uses.append(ImageUse(image=image, reference=reference, steps=_steps(step)))
    return tuple(uses)


def _value(name: str, value: Any, step: Step, mentions: list[tuple[str, Step]]) -> None:
    """``name`` is the name of the value: its key, or that of an environment variable or an option."""
    kind = type(value)
    if kind is str:
        if "/" in value or ":" in value:
            mentions.extend((image, step) for image in _in_text(name, value))
    elif kind is dict:
        _mapping(name, value, step, mentions)
    elif kind is list:
        before = name
        for place, item in enumerate(value):
            _value(before if type(item) is str else name, item, (step, place), mentions)
            before = item if type(item) is str and item.startswith("-") and "=" not in item else name


def _mapping(name: str, body: dict[str, Any], step: Step, mentions: list[tuple[str, Step]]) -> None:
    image = body.get("image")
    if type(image) is str and _is_image(name, body, image):
        mentions.append((image, (step, "image")))
    elif type(image) is dict and type(image.get("reference")) is str:
        mentions.append((image["reference"], ((step, "image"), "reference")))
    known = body.get("name")
    for key, value in body.items():
        kind = type(value)
        if kind is str:
            if key[-10:].lower() == "repository":
                mentions.extend((composed, (step, key)) for composed in _composed(key, body))
            if key != "image" and key not in _SILENT and ("/" in value or ":" in value):
                label = known if key == "value" and type(known) is str else key
                mentions.extend((image_in_text, (step, key)) for image_in_text in _in_text(label, value))
        elif kind is dict or kind is list:
            _value(key, value, (step, key), mentions)


def _is_image(name: str, body: Mapping[str, Any], image: str) -> bool:
    """Whether a field called ``image`` is one: in a container always, elsewhere unless it is a bare word or a part of one."""
    if name in _CONTAINERS:
        return True
    return any(mark in image for mark in "/:@") and not (body.get("repository") and "/" not in image)


def _composed(key: str, body: Mapping[str, Any]) -> Iterator[str]:
    """The image that is split over ``…repository`` and the fields beside it, if there is one."""

    def beside(name: str) -> str:
        value = body.get(beside_repository(key, name))
        return value if type(value) is str else ""

    image, tag, version, digest = beside("image"), beside("tag"), beside("version"), beside("digest")
    if any(mark in image for mark in "/:@"):
        return
    repository = "/".join(part.strip("/") for part in (beside("registry"), body[key], image) if part)
    if not tag and not image and "." not in repository.partition("/")[0]:
        version = ""
    suffix = "".join(
        f"@{mark}" if mark.startswith("sha256:") else f":{mark}" for mark in (tag or version, digest) if mark
    )
    if suffix and "/" in repository and _read(repository + suffix):
        yield repository + suffix


def beside_repository(key: str, name: str) -> str:
    """The key of another part of an image, beside ``key`` for its repository: ``imageTag`` beside ``imageRepository``."""
    stem, word = key[:-10], key[-10:]
    if word.isupper():
        return stem + name.upper()
    return stem + (name.capitalize() if word[0] == "R" else name)


def _in_text(name: str, text: str) -> Iterator[str]:
    """The images in a string; if the string's name contains "image", a tag need not look like a version."""
    is_named = "image" in name.lower()
    if is_named and _SHORT.fullmatch(text):
        yield text
        return
    for hint in _HINT.finditer(text):
        match = _NAMED.match(text, hint.start())
        before = _BEFORE.search(text, max(0, hint.start() - _LOOK_BACK), hint.start())
        if not match or not before:
            continue
        start = before.start()
        candidate = text[start : match.end()].rstrip(".-")
        if (start and text[start - 1] in "@$}%*\\") or _in_comment(text, start):
            continue
        reference = _read(candidate)
        if reference and _is_sure(
            candidate, reference, is_named=is_named or "image" in text[max(0, start - 40) : start].lower()
        ):
            yield candidate


def _is_sure(text: str, reference: ImageReference, *, is_named: bool) -> bool:
    """Whether ``text``, which parses as a reference, is meant as one; ``is_named`` if a name beside it says "image"."""
    tag, repository = reference.tag, reference.repository
    if reference.digest:
        return True
    if not tag or tag in _TAINTS or not any(map(str.isalpha, repository)):
        return False
    if is_named:
        return True
    if not text.startswith(f"{reference.registry}/"):
        return bool(_VERSION.fullmatch(tag))
    return "/" in repository or bool(_SURE_VERSION.fullmatch(tag))


def _in_comment(text: str, start: int) -> bool:
    line = text.rfind("\n", 0, start) + 1
    return text[line:start].lstrip().startswith(("#", "//"))


def _read(text: str) -> ImageReference | None:
    try:
        return ImageReference.parse(text)
    except ImageError:
        return None


def _steps(step: Step) -> tuple[str | int, ...]:
    steps: list[str | int] = []
    while step:
        steps.append(step[1])
        step = step[0]
    return tuple(reversed(steps))
