"""Variables in the objects of a component's own files, where the component says that they have some (`substitute`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import ForgeError, ManifestError
from cluster_forge.manifests import facts
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Document, Manifest
from cluster_forge.stack.named_values import NamedValues
from cluster_forge.stack.variables import references
from cluster_forge.stack.variables.expansion import Expander
from cluster_forge.stack.variables.places import Read
from cluster_forge.yaml.positioned import Positioned

_MARK: Final = references.MARK.encode()


def substituted(manifests: tuple[Manifest, ...], names: NamedValues, read: Read) -> tuple[Manifest, ...]:
    """The objects with ``${name}`` and ``${{ … }}`` in their texts replaced; ``read`` gives the files that they come from.

    Raises:
        ManifestError, ExceptionGroup: for every reference without a value, and for an object that is none any more.
    """
    errors: list[ForgeError] = []
    expander = Expander(read, errors)
    objects = [
        _substituted(manifest, names, expander) if _MARK in manifest.document.json else manifest
        for manifest in manifests
    ]
    raise_all(ManifestError(error.message, where=error.where, fix=error.fix) for error in errors)
    return tuple(objects)


def _substituted(manifest: Manifest, names: NamedValues, expander: Expander) -> Manifest:
    file, _, line = manifest.provenance.origin.rpartition(":")
    place = Positioned(None, file, int(line)) if line.isdigit() else Positioned(None, manifest.provenance.origin)
    body = expander.expanded(Positioned.of(manifest.body, place), names).plain
    if not _is_object(body):
        expander.errors.append(
            ManifestError(
                f"{manifest.id}: `apiVersion`, `kind`, and the name and namespace of an object must be texts",
                where=manifest.provenance.origin,
                fix="write the number as text: `${{ string(NAME) }}`",
            )
        )
        return manifest
    former = manifest.facts
    read_facts = replace(facts.of(body), dropped_fields=former.dropped_fields, repeated_keys=former.repeated_keys)
    return replace(manifest, id=ObjectId.of(body), document=Document(body=body, facts=read_facts))


def _is_object(body: Any) -> bool:
    metadata = body["metadata"]
    texts = (
        body["apiVersion"],
        body["kind"],
        *(metadata.get(key, "") for key in ("name", "namespace", "generateName")),
    )
    return all(isinstance(text, str) for text in texts)
