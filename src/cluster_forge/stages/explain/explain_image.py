"""Where an image of the stack comes from: the components, objects and fields that have it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

from cluster_forge.foundation.errors import UnknownNameError
from cluster_forge.foundation.names import ComponentName, did_you_mean
from cluster_forge.manifests import images
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.part import Part
from cluster_forge.stages.build.assembly.assemble import Assembly


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageValue:
    """A value of a chart that sets an image, ``values.image.tag``; ``where`` is empty for a default of the chart."""

    path: str
    where: str


ValuesOf = Callable[[ComponentName, str], tuple[ImageValue, ...]]
"""The values of a component that set an image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePlace:
    """A field of an object that has the image, the template or file of the object, and the values of its chart that set
    the image: none where no value names its repository.
    """

    image: str
    component: ComponentName
    wave: int
    object: ObjectId
    field: str
    template: str
    values: tuple[ImageValue, ...]


def places(assembly: Assembly, text: str, values_of: ValuesOf) -> Sequence[ImagePlace]:
    """The places of the images that ``text`` names: a reference as the stack has it, or a part of one.

    Raises:
        UnknownNameError: if the stack has no such image, with the nearest.
    """
    known = sorted({image for part in assembly.parts for item in part.objects for image in item.images})
    chosen = {image for image in known if image == text} or {image for image in known if text and text in image}
    if not chosen:
        raise UnknownNameError(
            f"the stack has no image {text!r}{did_you_mean(text, known)}",
            fix="name one of `images.txt` in the cast stack, or a part of its name",
        )
    return list(chain.from_iterable(_places(assembly, image, values_of) for image in sorted(chosen)))


def _places(assembly: Assembly, image: str, values_of: ValuesOf) -> Sequence[ImagePlace]:
    values = {part.name: values_of(part.name, image) for part in assembly.parts if _has(part, image)}
    return [
        ImagePlace(
            image=image,
            values=values[part.name],
            component=part.name,
            wave=part.wave,
            object=item.id,
            field=use.path,
            template=assembly.manifests[item.path].provenance.origin,
        )
        for part in assembly.parts
        for item in part.objects
        if image in item.images
        for use in images.of(item.body)
        if use.image == image
    ]


def _has(part: Part, image: str) -> bool:
    return any(image in item.images for item in part.objects)
