"""Which manifests, layers and configurations of an image others can build upon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import orjson

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ImageError
from cluster_forge.foundation.names import counted
from cluster_forge.oci.image import Descriptor
from cluster_forge.oci.manifest import Index, Manifest

_OS: Final = "linux"
_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
_DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar"
_LAYER_TYPES: Final = {
    **{f"{_LAYER}{suffix}": f"{_LAYER}{suffix}" for suffix in ("", "+gzip", "+zstd")},
    **{f"{_DOCKER_LAYER}{suffix}": f"{_LAYER}{suffix.replace('.', '+')}" for suffix in ("", ".gzip", ".zstd")},
}
"""OCI's name for every type of layer that can be taken over: a manifest of OCI has no other ones."""
_USUAL_VARIANTS: Final = {"amd64": ("", "v1"), "arm64": ("", "v8")}


def chosen(index: Index, architectures: Sequence[str]) -> dict[str, Descriptor]:
    """The manifest for each architecture, of its most usual variant.

    Raises:
        ImageError: for the architectures that the index does not have.
    """
    images = [entry for entry in index.manifests if entry.os == _OS and entry.architecture not in ("", "unknown")]
    check_architectures(images, architectures)
    return {
        architecture: min((entry for entry in images if entry.architecture == architecture), key=_rank)
        for architecture in architectures
    }


def _rank(entry: Descriptor) -> tuple[bool, str]:
    return entry.variant not in _USUAL_VARIANTS.get(entry.architecture, ("",)), entry.variant


def check_architectures(images: Sequence[Descriptor], architectures: Sequence[str]) -> None:
    """Compare the architectures of a base image with those of the target.

    Raises:
        ImageError: if some are missing.
    """
    there = {entry.architecture for entry in images}
    missing = [architecture for architecture in architectures if architecture not in there]
    if not missing:
        return
    platforms = sorted({f"{entry.os}/{entry.architecture}" for entry in images}) or ["none"]
    raise ImageError(
        f"the base image has no image for {' and '.join(f'{_OS}/{name}' for name in missing)} (it has {', '.join(platforms)})",
        fix=f"use a base image for {', '.join(architectures)}, or take {', '.join(missing)} out of `target.architectures`",
    )


def layers_of(artifact: Manifest) -> tuple[Descriptor, ...]:
    """The layers with OCI's media types.

    Raises:
        ImageError: if it is not a container image, or one with a layer that must not or cannot be copied.
    """
    if not artifact.is_image:
        raise ImageError(
            f"the base image is not a container image, but {artifact.kind or 'an artifact of no type'}",
            fix="name a container image in `image.base`, or remove `base`",
        )
    for layer in artifact.layers:
        if layer.media_type in _LAYER_TYPES:
            continue
        is_foreign = "nondistributable" in layer.media_type or "foreign" in layer.media_type
        raise ImageError(
            f"the layer {layer.digest} of the base image "
            + ("must not be distributed, and is not in the image itself" if is_foreign else "is of an unknown type")
            + f" ({layer.media_type or 'none'})",
            fix="use a base image whose layers are tar archives, plain or compressed with gzip or zstd",
        )
    return tuple(replace(layer, media_type=_LAYER_TYPES[layer.media_type]) for layer in artifact.layers)


def read_config(content: bytes, layers: Sequence[Descriptor]) -> Mapping[str, Any]:
    """The configuration of an image with these layers.

    Raises:
        ImageError: if it is not one.
    """
    try:
        config = orjson.loads(content)
        count = len([Digest.from_plain(digest) for digest in config["rootfs"]["diff_ids"] or ()])
        if config["os"] != _OS or not isinstance(config["architecture"], str):
            raise ImageError(
                f"the base image is for {config['os']}/{config['architecture']}", fix="use a base image for linux"
            )
    except (ValueError, TypeError, KeyError) as error:
        raise ImageError(
            "the configuration of the base image is not one", fix="push it again with the program that made it"
        ) from error
    if count != len(layers):
        raise ImageError(
            f"the base image has {counted(len(layers), 'layer')}, and its configuration lists {count}",
            fix="push it again with the program that made it",
        )
    return dict(config)
