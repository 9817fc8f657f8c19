"""What checks of single objects found, kept in the cache by component: where no object changed, none is looked at again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cluster_forge.checks.single_objects import ObjectCheck
from cluster_forge.foundation import build
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.part import Part
from cluster_forge.ports.storage import Cache
from cluster_forge.stages import cached_values

_KIND: Final = "findings"

_OfObjects = Mapping[str, tuple[Finding, ...]]
"""The findings about objects by the digest of their text, without component, object and place; only those that have any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What each check found in the objects of a component; the key is the name of its module."""

    of_checks: Mapping[str, _OfObjects]


class KeptFindings:
    """`checks.single_objects.Find` for the objects of ``parts``, whose ``manifests`` are given by their file.

    An entry is about the objects of one component, and its key has the digests of all of them, the minor version and the
    build. A check that raised, or did not look at all objects of the component, is not part of it.
    """

    def __init__(self, parts: Sequence[Part], manifests: Mapping[str, Manifest], minor: int, cache: Cache) -> None:
        self._cache = cache
        self._minor = minor
        digests = {known.path: known.digest.hex for part in parts for known in part.objects}
        self._digests: defaultdict[ComponentName, dict[ObjectId, str]] = defaultdict(dict)
        for path, manifest in manifests.items():
            self._digests[manifest.provenance.component][manifest.id] = digests[path]
        self._kept: dict[ComponentName, _Kept] = {}
        self._new: defaultdict[ComponentName, defaultdict[str, dict[str, tuple[Finding, ...]]]] = defaultdict(
            lambda: defaultdict(dict)
        )

    def find(self, check: ObjectCheck, manifest: Manifest, minor: int) -> Sequence[Finding]:
        """What a check finds in an object, or found in a former run."""
        component, name = manifest.provenance.component, check.__module__
        digest = self._digests[component][manifest.id]
        known = self._of(component).of_checks.get(name)
        if known is not None:
            return [_about(manifest, finding) for finding in known.get(digest, ())]
        findings = tuple(check(manifest, minor))
        if all(finding == _about(manifest, finding) for finding in findings):
            self._new[component][name][digest] = tuple(map(_anywhere, findings))
        return findings

    def keep(self) -> None:
        """Keep what was found."""
        for component, of_checks in self._new.items():
            whole = {
                name: {digest: findings for digest, findings in of_objects.items() if findings}
                for name, of_objects in of_checks.items()
                if len(of_objects) == len({*self._digests[component].values()})
            }
            if whole:
                kept = _Kept(of_checks={**self._of(component).of_checks, **whole})
                cached_values.put(self._cache, _KIND, self._key(component), kept)

    def _of(self, component: ComponentName) -> _Kept:
        if component not in self._kept:
            kept = cached_values.get(self._cache, _KIND, self._key(component), _Kept)
            self._kept[component] = kept or _Kept(of_checks={})
        return self._kept[component]

    def _key(self, component: ComponentName) -> Digest:
        digests = sorted(self._digests[component].values())
        return build.key(_KIND, str(self._minor).encode(), "".join(digests).encode())


def _anywhere(finding: Finding) -> Finding:
    return replace(finding, component=None, object=None, where="")


def _about(manifest: Manifest, finding: Finding) -> Finding:
    """The finding about an object, where it is now."""
    provenance = manifest.provenance
    return replace(finding, component=provenance.component, object=manifest.id, where=provenance.origin)
