"""A cast stack in a registry: which manifests there are beside its image, and the tags of all of them (ADR 0031).

============== ====================================================================================================
tag            what it names
============== ====================================================================================================
TAG            the image that `cast` wrote: an index of all architectures
TAG-manifests  the image's layer alone, for GitOps engines. Argo CD reads no index, and follows a ``subject``: none here
TAG-stack      the other files of the stack's folder, for `pull`; its subject is the image
============== ====================================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from cluster_forge.foundation.digest import Digest
from cluster_forge.oci.compression import Compression
from cluster_forge.oci.image import CONFIG_TYPE, MANIFEST_TYPE, Descriptor, encode
from cluster_forge.oci.reference import ImageReference

MANIFESTS_TYPE: Final = "application/vnd.cluster-forge.manifests.v1"
STACK_TYPE: Final = "application/vnd.cluster-forge.stack.v1"
MANIFESTS_SUFFIX: Final = "-manifests"
STACK_SUFFIX: Final = "-stack"
FOLDER_ANNOTATION: Final = "cluster-forge/folder"
"""On `STACK_TYPE`: the name of the stack's folder below ``stacks/``, which also names environment and selection."""
READ_BY_ENGINES: Final = Compression.GZIP.media_type
"""The one type of a layer that Argo CD and Flux both unpack."""

NO_CONFIG: Final = b"{}"
"""The configuration of an artifact that nothing would unpack (OCI image spec, "Guidance for an Empty Descriptor")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A manifest of one layer, its configuration, and the bytes of both."""

    layer: Descriptor
    config: bytes = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def config_descriptor(self) -> Descriptor:
        return Descriptor.of(self.config, CONFIG_TYPE)


def build(
    kind: str, layer: Descriptor, diff_id: Digest, annotations: Mapping[str, str], *, subject: Descriptor | None = None
) -> Artifact:
    """The manifest of an artifact of this kind (OCI image spec, "Guidelines for Artifact Usage").

    Its configuration is that of an image for no platform: all registries take it, also those that refuse types that they
    do not know, and programs that check images (`crane validate`) find nothing wrong. ``diff_id`` is the digest of the
    layer's tar archive.
    """
    rootfs = {"type": "layers", "diff_ids": [str(diff_id)]}
    config = encode({"architecture": "unknown", "os": "unknown", "config": {}, "rootfs": rootfs})
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "artifactType": kind,
        "config": Descriptor.of(config, CONFIG_TYPE).to_json(),
        "layers": [layer.to_json()],
        "annotations": dict(annotations),
    }
    if subject:
        document["subject"] = replace(subject, annotations={}).to_json()
    return Artifact(layer=layer, config=config, content=encode(document))


def manifests_tag(tag: str) -> str:
    """The tag that a GitOps engine reads."""
    return tag + MANIFESTS_SUFFIX


def stack_of(reference: ImageReference) -> ImageReference:
    """Where the other files of the stack under a tag are."""
    return replace(reference, tag=reference.tag + STACK_SUFFIX)
