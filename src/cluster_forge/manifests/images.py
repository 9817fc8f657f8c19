"""Which container images an object names, wherever it does: fields, split fields, arguments, environment, texts.

Four ways to name one, from the surest to the most guarded:

- a container's ``image``, and an image volume's ``image.reference`` (KEP-4639);
- any other field called ``image``, as custom resources have it, if it says more than a bare word;
- ``repository`` beside ``tag``, ``version`` or ``digest`` (and ``registry``, ``image``), also with a common beginning or
  in capitals: ``trivy.repository``, ``imageTag``, ``AGENT_REPOSITORY``;
- inside any other string (arguments, environment, ConfigMaps, custom resources) what has a slash, a tag or digest, and
  a tag that reads like a version: ``--acme-http01-solver-image=quay.io/jetstack/cert-manager-acmesolver:v1.21.1``.

Addresses, file paths, ``namespace/service:port`` and ``example.com/label:NoSchedule`` are not images. Definitions of
custom resources name none, comments in texts and a ConfigMap's ``_example`` (Knative's convention) do not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cluster_forge.foundation.errors import ImageError
from cluster_forge.oci.reference import ImageReference

_CONTAINERS = frozenset(("containers", "initContainers", "ephemeralContainers"))
_SILENT = frozenset(("_example", "description"))
_SKIPPED = frozenset(("apiVersion", "kind", "metadata", "status"))

_NAMED = re.compile(r"/[a-z0-9._-]+(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?(?![\w/:@])", re.ASCII)
_HINT = re.compile(r"/[a-z0-9._-]+(?::\w|@sha256:)", re.ASCII)
_BEFORE = re.compile(r"[A-Za-z0-9._/:-]*\Z")
_SHORT = re.compile(r"[a-z0-9][a-z0-9._-]*(?::\w[\w.-]{0,127}(?:@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})", re.ASCII)
_LOOK_BACK = 255
"""A name is at most that long, so nothing before it can belong to it."""
_VERSION = re.compile(r"latest|(?=.*\d)(?=.*[A-Za-z.]).*")
"""Not digits alone: ``namespace/service:8080`` names a port."""
_SURE_VERSION = re.compile(r"latest|v\d.*|.*\d\.\d.*")
"""A version beyond doubt: ``example.com/label:8`` is none."""
_TAINTS = frozenset(("NoSchedule", "PreferNoSchedule", "NoExecute"))

Step = tuple["Step", str | int] | None
"""Where a value is: what it is in, and its key or place there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageUse:
    """An image that an object names: as written (or put together from its parts), as read, and where.

    ``path`` is as kubectl shows it: ``spec.template.spec.containers[0].image``, ``data["config.yaml"]``.
    """

    image: str
    reference: ImageReference
    path: str


def of(body: Mapping[str, Any]) -> tuple[ImageUse, ...]:
    """The images that ``body`` names, in its order, each once for each place."""
    if body.get("kind") == "CustomResourceDefinition":
        return ()
    found: list[tuple[str, Step]] = []
    for key, value in body.items():
        if key not in _SKIPPED:
            _value(key, value, (None, key), found)
    uses = []
    for image, step in dict.fromkeys(found):
        reference = _read(image)
        if reference:
            uses.append(ImageUse(image=image, reference=reference, path=_path(step)))
    return tuple(uses)


def _value(name: str, value: Any, step: Step, found: list[tuple[str, Step]]) -> None:
    """``name`` is what the value is called: its key, or an environment variable's or option's name."""
    kind = type(value)
    if kind is str:
        if "/" in value or ":" in value:
            found.extend((image, step) for image in _in_text(name, value))
    elif kind is dict:
        _mapping(name, value, step, found)
    elif kind is list:
        before = name
        for place, item in enumerate(value):
            _value(before if type(item) is str else name, item, (step, place), found)
            before = item if type(item) is str and item.startswith("-") and "=" not in item else name


def _mapping(name: str, body: dict[str, Any], step: Step, found: list[tuple[str, Step]]) -> None:
    image = body.get("image")
    if type(image) is str and _is_image(name, body, image):
        found.append((image, (step, "image")))
    elif type(image) is dict and type(image.get("reference")) is str:
        found.append((image["reference"], ((step, "image"), "reference")))
    known = body.get("name")
    for key, value in body.items():
        kind = type(value)
        if kind is str:
            if key[-10:].lower() == "repository":
                found.extend((composed, (step, key)) for composed in _composed(key, body))
            if key != "image" and key not in _SILENT and ("/" in value or ":" in value):
                label = known if key == "value" and type(known) is str else key
                found.extend((each, (step, key)) for each in _in_text(label, value))
        elif kind is dict or kind is list:
            _value(key, value, (step, key), found)


def _is_image(name: str, body: Mapping[str, Any], image: str) -> bool:
    """Whether a field called ``image`` is one: in a container always, elsewhere unless it is a bare word or a part."""
    if name in _CONTAINERS:
        return True
    return any(mark in image for mark in "/:@") and not (body.get("repository") and "/" not in image)


def _composed(key: str, body: Mapping[str, Any]) -> Iterator[str]:
    """The image that is split over ``…repository`` and the fields beside it, if there is one."""
    stem, word = key[:-10], key[-10:]
    part = {"R": str.capitalize, "r": str.lower}.get(word[0], str.lower) if not word.isupper() else str.upper

    def beside(name: str) -> str:
        value = body.get(stem + part(name))
        return value if type(value) is str else ""

    image, tag, version, digest = beside("image"), beside("tag"), beside("version"), beside("digest")
    if any(mark in image for mark in "/:@"):
        return
    repository = "/".join(each.strip("/") for each in (beside("registry"), body[key], image) if each)
    if not tag and not image and "." not in repository.partition("/")[0]:
        version = ""
    suffix = "".join(
        f"@{each}" if each.startswith("sha256:") else f":{each}" for each in (tag or version, digest) if each
    )
    if suffix and "/" in repository and _read(repository + suffix):
        yield repository + suffix


def _in_text(name: str, text: str) -> Iterator[str]:
    """The images in a string; where its name speaks of an image, a tag need not look like a version."""
    told = "image" in name.lower()
    if told and _SHORT.fullmatch(text):
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
            candidate, reference, told=told or "image" in text[max(0, start - 40) : start].lower()
        ):
            yield candidate


def _is_sure(text: str, reference: ImageReference, *, told: bool) -> bool:
    """Whether ``text``, which can be read as a reference, is meant as one."""
    tag, repository = reference.tag, reference.repository
    if reference.digest:
        return True
    if not tag or tag in _TAINTS or not any(map(str.isalpha, repository)):
        return False
    if told:
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


def _path(step: Step) -> str:
    steps: list[str | int] = []
    while step:
        steps.append(step[1])
        step = step[0]
    text = ""
    for each in reversed(steps):
        if isinstance(each, int):
            text += f"[{each}]"
        else:
            text += f".{each}" if re.fullmatch(r"[\w-]+", each) else f'["{each}"]'
    return text.removeprefix(".")
