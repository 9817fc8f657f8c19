"""The parts of a stack as the files of `working/`, and the record of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cluster_forge.record import ObjectRecord, PartRecord
from cluster_forge.foundation.errors import ManifestError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.manifest import Document, Manifest
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build import applications, working_tree
from cluster_forge.stages.build.assemble import Part
from cluster_forge.stages.toolbox import Pins
from cluster_forge.stages.build.working_tree import object_record


def lay_out(
    stack: Stack, parts: Sequence[Part], pins: Mapping[ComponentName, Pins]
) -> tuple[FileTree, tuple[PartRecord, ...], str]:
    """The files of `working/`, the record of each part, and the revision that the applications are pinned to."""
    files: dict[str, bytes] = {}
    documents: dict[str, Document] = {}
    records = []
    for part in parts:
        objects = []
        for manifest in part.manifests:
            path = f"{part.name}/{manifest.id.file_name}"
            _add(files, path, manifest)
            documents[path] = manifest.document
            objects.append(object_record(manifest, path))
        for manifest in part.later:
            _add(files, f"{part.name}/{working_tree.LATER}/{manifest.id.file_name}", manifest)
        records.append(_part_record(part, pins.get(part.name, Pins()), tuple(objects)))
    tree, revision = applications.with_applications(
        stack, applications.parts(records, files, lambda each: documents[each.path].body), files
    )
    return tree, tuple(records), revision


def _add(files: dict[str, bytes], path: str, manifest: Manifest) -> None:
    if path in files:
        raise ManifestError(
            f"{manifest.id} and another object differ only in the case of their kind: both would be {path}",
            where=manifest.provenance.origin,
            fix="leave one out: no API server keeps them apart",
        )
    files[path] = manifest.text


def _part_record(part: Part, pins: Pins, objects: tuple[ObjectRecord, ...]) -> PartRecord:
    chart = pins.chart
    return PartRecord(
        name=part.name,
        namespace=part.namespace,
        wave=part.wave,
        needs=part.needs,
        version=chart.version if chart else "",
        source=chart.address if chart else " ".join(sorted(pin.address for pin in pins.manifests.values())),
        digest=str(chart.digest) if chart else "",
        objects=objects,
    )
