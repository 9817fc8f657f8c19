"""A base image as one file: an OCI image layout in a tar archive, with the images of some architectures only.

The same image and architectures give the same bytes, so that a lock can have their digest. ``skopeo`` and ``podman`` read
such a file as ``oci-archive:FILE``.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from cluster_forge.foundation import tar_members
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ArchiveError, ImageError
from cluster_forge.oci import base_image, index, layer, manifest
from cluster_forge.oci.image import BaseImage, Descriptor
from cluster_forge.oci.manifest import Index, Manifest

_DAMAGED: Final = "resolve and fetch it again: cluster-forge mine --update"
Blobs = Callable[[Descriptor], bytes]


def pack(root: Descriptor, blobs: Mapping[Digest, bytes]) -> bytes:
    """The archive of an image: ``root`` is its index or its only manifest, which is among the blobs."""
    return b"".join(layer.archive(index.layout_files(root, blobs), mtime=0))


def images(name: str, root: Descriptor, architectures: Sequence[str], blob: Blobs) -> Mapping[str, BaseImage]:
    """The image for each architecture; ``name`` is its reference, ``blob`` gives what a descriptor names.

    Raises:
        ImageError: if the image is not for these architectures, or nothing to build upon.
    """
    top = manifest.parse(blob(root), root.media_type)
    if isinstance(top, Index):
        chosen = base_image.chosen(top, architectures)
        return {architecture: _image(name, entry, blob) for architecture, entry in chosen.items()}
    only = _image(name, root, blob)
    base_image.check_architectures([only.manifest], architectures)
    return dict.fromkeys(architectures, only)


def unpack(archive: bytes, name: str, architectures: Sequence[str]) -> Mapping[str, BaseImage]:
    """The image for each architecture.

    Raises:
        ImageError: if the archive is damaged.
    """
    try:
        members = {member.name: member for member in tar_members.members(archive) if member.is_file}
        top = manifest.parse(_content(archive, members["index.json"]))
    except (KeyError, tarfile.TarError, ArchiveError) as error:
        raise ImageError("the stored base image is not an OCI image layout", fix=_DAMAGED) from error
    if not isinstance(top, Index) or len(top.manifests) != 1:
        raise ImageError("the stored base image is not one image", fix=_DAMAGED)

    def blob(wanted: Descriptor) -> bytes:
        member = members.get(f"blobs/sha256/{wanted.digest.hex}")
        content = _content(archive, member) if member else b""
        if Digest.of(content) != wanted.digest:
            raise ImageError(f"the stored base image lacks {wanted.digest}", fix=_DAMAGED)
        return content

    return images(name, top.manifests[0], architectures, blob)


def _image(name: str, entry: Descriptor, blob: Blobs) -> BaseImage:
    read = manifest.parse(blob(entry), entry.media_type)
    if not isinstance(read, Manifest):
        raise ImageError("the base image is an index of indexes", fix="name one of these in `image.base`")
    layers = base_image.layers_of(read)
    config = base_image.read_config(blob(read.config), layers)
    if entry.architecture not in ("", config["architecture"]):
        raise ImageError(
            f"the index of the base image has {entry.digest} for {entry.architecture}, "
            f"and its configuration is for {config['architecture']}",
            fix="push it again with the program that made it",
        )
    return BaseImage(
        name=name,
        manifest=replace(entry, architecture=config["architecture"]),
        config=config,
        layers=layers,
        blobs={layer.digest: blob(layer) for layer in layers},
    )


def _content(archive: bytes, member: tar_members.Member) -> bytes:
    return archive[member.data : member.data + member.size]
