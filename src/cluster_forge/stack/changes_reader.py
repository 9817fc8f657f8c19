"""The changes in a description, or in one of its components, with the place of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.oci.reference import ImageReference
from cluster_forge.stack import patch_reader
from cluster_forge.stack.changes import Changes, ContainerResources, ImageChange, PodChanges
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.patch_reader import Expanded
from cluster_forge.stack.schema.changes import ChangesSchema, TolerationSchema
from cluster_forge.yaml.positioned import Positioned

_BY_NAME: Final = ("labels", "annotations", "images", "replicas", "resources", "nodeSelector")
_WHOLE: Final = ("tolerations", "priorityClassName", "imagePullSecrets")


def read(  # noqa: PLR0913 - what reading takes
    schema: ChangesSchema,
    described: Positioned,
    subject: str,
    files: InputFiles,
    errors: list[ForgeError],
    *,
    expanded: Expanded = lambda file: file,
) -> Changes:
    """The changes that ``described`` has, which fits ``schema``. What is wrong goes into ``errors``, after ``subject``.

    ``expanded`` replaces variables in the files of patches.
    """
    _check_images(schema, described, subject, errors)
    listed = described.get("patches")
    patches = (
        patch_reader.declared(entry, subject, files, errors, expanded=expanded)
        for entry in (listed.items if listed else ())
    )
    return Changes(
        labels=schema.labels,
        annotations=schema.annotations,
        images={
            name: ImageChange(name=change.name, tag=change.tag, digest=change.digest)
            for name, change in schema.images.items()
        },
        replicas=schema.replicas,
        resources={
            name: ContainerResources(requests=given.requests, limits=given.limits)
            for name, given in schema.resources.items()
        },
        pods=PodChanges(
            node_selector=schema.node_selector,
            tolerations=tuple(map(_toleration, schema.tolerations)),
            priority_class_name=schema.priority_class_name,
            image_pull_secrets=tuple(schema.image_pull_secrets),
        ),
        patches=tuple(patch for patch in patches if patch),
        places=dict(_places(described)),
    )


def _check_images(schema: ChangesSchema, described: Positioned, subject: str, errors: list[ForgeError]) -> None:
    for name, change in schema.images.items():
        if not (change.name or change.tag or change.digest):
            errors.append(
                DescriptionError(
                    f"{subject}: nothing changes in the image {name}",
                    where=described.at(("images", name)).where,
                    fix="write `name`, `tag` or `digest` below it, or remove it",
                )
            )
    written: dict[str, str] = {}
    for name in schema.images:
        other = written.setdefault(ImageReference.parse(name).name, name)
        if other != name:
            message = f"{subject}: {name} and {other} are one image"
            errors.append(
                DescriptionError(message, where=described.at(("images", name)).where, fix="remove one of the two")
            )


def _toleration(schema: TolerationSchema) -> Mapping[str, object]:
    """As Kubernetes has it, without what is a default; in the order of its keys."""
    members = schema.model_dump(by_alias=True)
    kept = {key: members[key] for key in sorted(members) if members[key] not in ("", None)}
    return {key: value for key, value in kept.items() if (key, value) != ("operator", "Equal") or "value" in kept}


def _places(described: Positioned) -> Iterator[tuple[str, str]]:
    for key in (*_BY_NAME, *_WHOLE):
        member = described.get(key)
        if member is None:
            continue
        yield key, member.where
        if key in _BY_NAME:
            yield from ((f"{key}/{name}", inner.where) for name, inner in member.mapping.items())
