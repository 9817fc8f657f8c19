"""What a description says about the stack as a whole: target, delivery, image, silenced findings."""

from __future__ import annotations

from typing import TypeVar

from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.oci.compression import Compression
from cluster_forge.stack.model import (
    Architecture,
    GitOps,
    GitOpsEngine,
    GitOpsMode,
    Ignore,
    ImageSettings,
    KubernetesVersion,
    Node,
    RepositorySource,
    Size,
    Target,
)
from cluster_forge.stack.schema import ChecksSchema, GitOpsSchema, ImageSchema, NodeSchema, Schema, TargetSchema
from cluster_forge.stack.validation import validated
from cluster_forge.yaml.positioned import Positioned

Section = TypeVar("Section", bound=Schema)


def target(description: Positioned) -> Target:
    """The target; its defaults where the description has not the right shape."""
    shape = _section(description, "target", TargetSchema)
    return Target(
        kubernetes=KubernetesVersion.parse(shape.kubernetes),
        size=Size(shape.size),
        architectures=tuple(map(Architecture, dict.fromkeys(shape.architectures))),
        nodes=tuple(map(_node, shape.nodes)),
        domain=shape.domain,
        provides=tuple(shape.provides),
    )


def gitops(description: Positioned, errors: list[ForgeError]) -> GitOps:
    """How the stack is delivered; what cannot be done goes into ``errors``."""
    shape = _section(description, "gitops", GitOpsSchema)
    known = shape.url or (shape.source == "oci" and _section(description, "image", ImageSchema).repository)
    if shape.source != "internal" and not known and shape.engine != "none":
        errors.append(
            DescriptionError(
                f"gitops: `source: {shape.source}` needs the repository's address",
                where=description.at(("gitops", "source")).where,
                fix="give `gitops.url`",
            )
        )
    if shape.engine == "flux":
        errors.append(
            DescriptionError(
                "gitops: nothing delivers with Flux yet",
                where=description.at(("gitops", "engine")).where,
                fix="use `engine: argocd` or `engine: none`",
            )
        )
    return GitOps(
        engine=GitOpsEngine(shape.engine),
        mode=GitOpsMode(shape.mode),
        install=shape.install,
        source=RepositorySource(shape.source),
        persistent=shape.persistent,
        url=shape.url,
        finalizers=shape.finalizers,
    )


def image(description: Positioned, errors: list[ForgeError]) -> ImageSettings:
    """The image's settings; what cannot be done goes into ``errors``."""
    shape = _section(description, "image", ImageSchema)
    if shape.base:
        errors.append(
            DescriptionError(
                "image: `base` names a base image, and nothing fetches images yet",
                where=description.at(("image", "base")).where,
                fix="leave it empty: the image then holds the data only",
            )
        )
    return ImageSettings(repository=shape.repository, compression=Compression(shape.compression), base=shape.base)


def ignores(description: Positioned) -> tuple[Ignore, ...]:
    """The findings that are silenced, each with its place."""
    shape = _section(description, "checks", ChecksSchema)
    return tuple(
        Ignore(
            code=ignore.code,
            reason=ignore.reason,
            component=ignore.component,
            object=ignore.object,
            where=description.at(("checks", "ignore", index)).where,
        )
        for index, ignore in enumerate(shape.ignore)
    )


def _node(shape: NodeSchema) -> Node:
    return Node(
        count=shape.count,
        cpu=shape.cpu,
        memory=shape.memory,
        storage=shape.storage,
        resources=shape.resources,
        labels=shape.labels,
        taints=tuple(shape.taints),
    )


def _section(description: Positioned, name: str, kind: type[Section]) -> Section:
    member = description.get(name)
    found = validated(kind, member) if member else None
    return found if isinstance(found, kind) else kind()
