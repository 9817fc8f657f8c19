"""The schemas of the custom resources in a stack, from its CRDs; a CRD is read when an object of its kind is there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import custom_schema
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.manifest import Manifest

_LONGEST: Final = 200
"""Characters of a CRD's warning that a message repeats."""


class StackSchemas:
    """Of two CRDs for one kind the first is read, as `definitions` keeps it."""

    def __init__(self, manifests: Iterable[Manifest]) -> None:
        self._definitions: defaultdict[tuple[str, str], list[Manifest]] = defaultdict(list)
        self._schemas: dict[tuple[str, str], Mapping[str, Mapping[str, Any]]] = {}
        for manifest in manifests:
            if (manifest.id.group, manifest.id.kind) == CRD and (kind := manifest.facts.defines):
                self._definitions[kind.group, kind.kind].append(manifest)

    def of(self, manifest: Manifest) -> Mapping[str, Any] | None:
        """The schema of an object, in its version; None if no CRD of the stack has it."""
        kind = (manifest.id.group, manifest.id.kind)
        if kind not in self._definitions:
            return None
        if kind not in self._schemas:
            body = self._definitions[kind][0].document.passing_body()
            self._schemas[kind] = {version: schema for (_, version, _), schema in custom_schema.schemas(body)}
        return self._schemas[kind].get(manifest.facts.version)


def deprecations(manifests: Iterable[Manifest]) -> dict[tuple[str, str, str], str]:
    """Group, version and kind that a CRD of the stack calls deprecated, with its warning. CRDs without the word are not read."""
    deprecated: dict[tuple[str, str, str], str] = {}
    for manifest in manifests:
        if (manifest.id.group, manifest.id.kind) != CRD or b'"deprecated":true' not in manifest.document.json:
            continue
        spec = mapping(manifest.document.passing_body().get("spec"))
        group, kind = spec.get("group"), mapping(spec.get("names")).get("kind")
        for version in map(mapping, sequence(spec.get("versions"))):
            name, warning = version.get("name"), version.get("deprecationWarning")
            names = (group, name, kind)
            if version.get("deprecated") is True and all(isinstance(text, str) for text in names):
                deprecated[str(group), str(name), str(kind)] = warning[:_LONGEST] if isinstance(warning, str) else ""
    return deprecated
