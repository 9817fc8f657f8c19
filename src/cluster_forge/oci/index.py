"""One image for several architectures, as a folder (OCI image spec, ``image-index.md``, ``image-layout.md``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.oci.image import Descriptor, Image, ImageMetadata, encode

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
_REF_NAME = "org.opencontainers.image.ref.name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """An OCI image layout: the folder's files, and the digest of the index of all architectures.

    ``platforms`` has the digest of each architecture's own manifest (``linux/amd64``), for readers that do not support
    indexes, like Argo CD.
    """

    files: FileTree = field(repr=False)
    digest: Digest
    platforms: Mapping[str, Digest]

    @property
    def size(self) -> int:
        """Bytes of the image: its blobs, each counted once."""
        return sum(len(content) for path, content in self.files.files.items() if path.startswith("blobs/"))


def build(images: Sequence[Image], metadata: ImageMetadata) -> Layout:
    """The layout of ``images`` (one for each architecture, in that order), which contains a shared layer once."""
    index = encode(
        {
            "schemaVersion": 2,
            "mediaType": INDEX_TYPE,
            "manifests": [image.manifest.to_json() for image in images],
            "annotations": metadata.annotations,
        }
    )
    entry = replace(
        Descriptor.of(index, INDEX_TYPE), annotations={_REF_NAME: metadata.version} if metadata.version else {}
    )
    blobs = {entry.digest: index}
    for image in images:
        blobs.update(image.blobs)
    return Layout(
        files=layout_files(entry, blobs),
        digest=entry.digest,
        platforms={f"linux/{image.manifest.architecture}": image.manifest.digest for image in images},
    )


def layout_files(entry: Descriptor, blobs: Mapping[Digest, bytes]) -> FileTree:
    """The files of a layout with one image."""
    files = {f"blobs/sha256/{digest.hex}": content for digest, content in blobs.items()}
    files["oci-layout"] = encode({"imageLayoutVersion": "1.0.0"})
    files["index.json"] = encode({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [entry.to_json()]})
    return FileTree(files)
