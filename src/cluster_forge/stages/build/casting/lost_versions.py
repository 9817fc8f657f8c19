"""Versions of CRDs that the stack that was cast before had, and that the present one has no more: objects may be stored in them.

Source: Kubernetes, "Versions in CustomResourceDefinitions", "Upgrade existing objects to a new stored version".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import ComponentName
from cluster_forge.foundation.untyped import mapping
from cluster_forge.gitops import bootstrap, crd_versions, ownership
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.ports.workspace import Workspace
from cluster_forge.stages.build.working_tree import FOLDER

_VERSIONS: Final = f"{bootstrap.FOLDER}/{ownership.VERSIONS}"
_OBJECTS: Final = f"{bootstrap.FOLDER}/{ownership.OBJECTS}"
_SHOWN: Final = 3


def findings(folder: str, present: FileTree, parts: Iterable[Part], files: Workspace) -> Iterator[Finding]:
    """A warning for each CRD of ``parts`` that has lost a version.

    ``folder`` has the earlier cast, ``present`` are the files that replace it.
    """
    before = crd_versions.read(_text(files.read(f"{folder}/{_VERSIONS}")))
    after = crd_versions.read(_text(present[_VERSIONS]))
    lost = {
        name: gone
        for name, versions in before.items()
        if name in after and (gone := [version for version in versions if version not in after[name]])
    }
    if not lost:
        return
    objects = list(ownership.read(_text(files.read(f"{folder}/{_OBJECTS}"))))
    for component, item in _definitions(parts, lost):
        yield _finding(component, item, lost[item.id.name], objects)


def _text(content: bytes | None) -> str:
    return (content or b"").decode(errors="replace")


def _definitions(parts: Iterable[Part], lost: Mapping[str, object]) -> Iterator[tuple[ComponentName, PartObject]]:
    for part in parts:
        for item in part.objects:
            if item.kind == CRD and item.id.name in lost:
                yield part.name, item


def _finding(component: ComponentName, item: PartObject, lost: list[str], objects: Iterable[ObjectId]) -> Finding:
    spec = mapping(item.body.get("spec"))
    names = mapping(spec.get("names"))
    kind = (spec.get("group"), names.get("kind"))
    stored = [str(one) for one in objects if (one.group, one.kind) == kind]
    more = f" and {len(stored) - _SHOWN} more" if len(stored) > _SHOWN else ""
    own = f": {', '.join(stored[:_SHOWN])}{more} of this stack, and those of others" if stored else ""
    versions = ", ".join(lost)
    return Finding(
        code="lost-version",
        severity=Severity.WARNING,
        component=component,
        object=item.id,
        where=f"{FOLDER}/{item.path}",
        message=f"the stack cast before has {versions}, which is gone: objects may be stored in it{own}",
        fix=f"deploy a CRD that has both versions first (`served: false` is enough), have all {names.get('plural')} written in the "
        "newer one, and take the older one out of status.storedVersions; if none was ever stored in it, nothing is to be done",
    )
