"""Other images in an object, wherever `images` finds one: whole, in a text, or split over several fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.manifests import images
from cluster_forge.manifests.field_path import text as path_text
from cluster_forge.manifests.images import ImageUse
from cluster_forge.manifests.manifest import Body
from cluster_forge.oci.reference import ImageReference

_BEFORE: Final = r"(?<![A-Za-z0-9._/:-])"
_AFTER: Final = r"(?![\w/@:]|[.-]\w)"
"""What cannot be beside an image in a text: it would be part of a longer one."""
_DIGEST: Final = "sha256:"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewImage:
    """A name as it is to be written, a tag and a digest, each of them empty where there is none."""

    name: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        return f"{self.name}{self.tag and f':{self.tag}'}{self.digest and f'@{self.digest}'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """The object with other images; ``refused`` are the paths of those whose fields have no place for a tag or digest."""

    body: Body
    refused: tuple[str, ...] = ()


def rewritten(body: Body, change: Callable[[str, ImageReference], NewImage | None]) -> Rewritten:
    """``body`` with the images that ``change`` gives for those in it: for a name as it is written, and what it means.

    ``change`` gives None for an image that stays. ``body`` itself is not changed.
    """
    refused = []
    for use in images.of(body):
        new = change(_name(use), use.reference)
        if new is None:
            continue
        value = _at(body, use.steps)
        if use.image in value:
            pattern = f"{_BEFORE}{re.escape(use.image)}{_AFTER}"
            body = _with(body, use.steps, re.sub(pattern, str(new), value))  # a reference has no backslash
            continue
        parts = _parts(str(use.steps[-1]), _at(body, use.steps[:-1]), new)
        if parts is None:
            refused.append(path_text(use.steps))
        else:
            body = _with(body, use.steps[:-1], {**_at(body, use.steps[:-1]), **parts})
    return Rewritten(body=body, refused=tuple(refused))


def _name(use: ImageUse) -> str:
    """The name as it is written, without tag and digest."""
    name = use.image.partition("@")[0]
    return name.removesuffix(f":{use.reference.tag}") if use.reference.tag else name


def _parts(key: str, body: Mapping[str, Any], new: NewImage) -> dict[str, str] | None:
    """The fields of an image that is split over several, by ``key`` for its repository; None if it does not fit into them."""
    names = {name: images.beside_repository(key, name) for name in ("registry", "image", "tag", "version", "digest")}
    present = {name: field for name, field in names.items() if isinstance(body.get(field), str)}
    filled = {name: field for name, field in present.items() if body[field]}
    parts = _named(key, body, filled, new)
    mark = filled.get("tag") or filled.get("version")
    if "digest" in present:
        parts[present["digest"]] = new.digest
        if mark is None:
            return None if new.tag else parts
        return {**parts, mark: new.tag or body[mark]}  # where both are, the digest decides
    if mark is None or (new.digest and (new.tag or not body[mark].startswith(_DIGEST))):
        return None
    return {**parts, mark: new.digest or new.tag}


def _named(key: str, body: Mapping[str, Any], filled: Mapping[str, str], new: NewImage) -> dict[str, str]:
    """The name in the fields that have it now: the repository, its registry before it and its last part after it."""
    former = "/".join(
        part.strip("/") for part in (_part(body, filled, "registry"), body[key], _part(body, filled, "image")) if part
    )
    if former == new.name:
        return {}
    parts, rest = {}, new.name
    if "registry" in filled:
        reference = ImageReference.parse(new.name)
        parts[filled["registry"]], rest = reference.registry, reference.repository
    if "image" in filled:
        rest, _, parts[filled["image"]] = rest.rpartition("/")
    return {**parts, key: rest}


def _part(body: Mapping[str, Any], filled: Mapping[str, str], name: str) -> str:
    return str(body[filled[name]]) if name in filled else ""


def _at(value: Any, steps: Sequence[str | int]) -> Any:
    for step in steps:
        value = value[step]
    return value


def _with(value: Any, steps: Sequence[str | int], new: Any) -> Any:
    """A copy of ``value`` with ``new`` at ``steps``."""
    if not steps:
        return new
    first, *rest = steps
    inner = _with(value[first], rest, new)
    if isinstance(first, int):
        return [*value[:first], inner, *value[first + 1 :]]
    return {**value, first: inner}
