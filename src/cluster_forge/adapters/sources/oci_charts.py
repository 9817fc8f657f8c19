"""The archive of a chart in an OCI registry: which of an artifact's layers it is (Helm: ``pkg/registry``)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from cluster_forge.adapters.sources.chart_repositories import few
from cluster_forge.foundation.errors import FetchError
from cluster_forge.foundation.names import counted
from cluster_forge.oci import manifest
from cluster_forge.oci.image import Descriptor
from cluster_forge.oci.manifest import Index, Manifest
from cluster_forge.oci.reference import ImageReference
from cluster_forge.ports.registry import Registry, content

CONFIG_TYPE: Final = "application/vnd.cncf.helm.config.v1+json"
CHART_TYPE: Final = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
LEGACY_CHART_TYPE: Final = "application/tar+gzip"
PROVENANCE_TYPE: Final = "application/vnd.cncf.helm.chart.provenance.v1.prov"
"""A signature of the chart, beside it. It is left where it is: signatures are not verified."""
_LARGEST: Final = 128 << 20
"""Bytes of an archive."""
_MOST_MANIFESTS: Final = 20
"""Manifests of an index that are looked into."""
_CHECK: Final = (
    "name the repository of a chart, as `helm pull` and `helm push` do, or use a mirror that has it: --mirror DIR"
)


def archive(registry: Registry, reference: ImageReference) -> bytes:
    """The archive of the chart that a tag or a digest names.

    Raises:
        FetchError: if that is not a chart, or cannot be fetched.
        ImageError: if it is not a manifest at all.
        OfflineError: under ``--offline``.
    """
    artifact = _manifest(registry, reference)
    if isinstance(artifact, Index):
        artifact = _of_index(registry, artifact, reference)
    return content(registry, reference, _layer(artifact, reference), _LARGEST)


def _manifest(registry: Registry, reference: ImageReference) -> Manifest | Index:
    stored = registry.manifest(reference)
    return manifest.parse(stored.content, stored.media_type)


def _of_index(registry: Registry, index: Index, reference: ImageReference) -> Manifest:
    """The only chart of an index; the images and signatures in it do not count."""
    artifacts = [entry for entry in index.manifests if not entry.architecture][:_MOST_MANIFESTS]
    read = (_manifest(registry, replace(reference, tag="", digest=entry.digest)) for entry in artifacts)
    manifests = [entry for entry in read if isinstance(entry, Manifest)]
    charts = [entry for entry in manifests if entry.config.media_type == CONFIG_TYPE]
    if len(charts) == 1:
        return charts[0]
    if not charts and len(index.manifests) == len(manifests) == 1:
        return manifests[0]
    platforms = [f"{entry.os}/{entry.architecture}" for entry in index.manifests if entry.architecture]
    if platforms:
        raise _no_chart(reference, f"it is a container image for {few(platforms)}")
    raise _no_chart(
        reference,
        f"it is an index of {counted(len(index.manifests), 'manifest')}, {counted(len(charts), 'chart')} among them",
    )


def _layer(artifact: Manifest, reference: ImageReference) -> Descriptor:
    """The layer that is the archive: Helm's, or the only one of an artifact that another program pushed (Flux, ORAS)."""
    layers = [layer for layer in artifact.layers if layer.media_type != PROVENANCE_TYPE]
    charts = [layer for layer in layers if layer.media_type in (CHART_TYPE, LEGACY_CHART_TYPE)]
    if len(charts) == 1:
        return charts[0]
    if artifact.is_image:
        raise _no_chart(reference, f"it is a container image ({artifact.config.media_type})")
    if len(charts or layers) != 1 or artifact.config.media_type == CONFIG_TYPE:
        kinds = few([layer.media_type or "?" for layer in artifact.layers]) or "none"
        raise _no_chart(reference, f"its {artifact.kind or 'artifact'} has no layer to choose (its layers: {kinds})")
    return layers[0]


def _no_chart(reference: ImageReference, reason: str) -> FetchError:
    return FetchError(f"{reference.address} is not a chart: {reason}", fix=_CHECK)
