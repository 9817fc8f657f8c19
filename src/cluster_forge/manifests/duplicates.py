"""Duplicate objects: identical ones become one, an intended replacement is reported, anything else is an error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cluster_forge.foundation.names import ComponentName, counted, listed
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest

CODE = "duplicate-object"
CRD_CODE = "crd-owner-conflict"
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Deduplicated:
    """Manifests with every identity once, and the findings about the others."""

    manifests: tuple[Manifest, ...]
    findings: tuple[Finding, ...]


def within(groups: Iterable[Sequence[Manifest]], *, later_replaces: bool) -> Deduplicated:
    """The objects of one component, whose entries are ``groups``.

    Identical duplicates become one without a finding: real charts list a CRD's file twice. With ``later_replaces`` an
    object of a later group replaces one of an earlier group, in its place.
    """
    kept: dict[ObjectId, tuple[int, Manifest]] = {}
    findings = []
    for number, group in enumerate(groups):
        for manifest in group:
            before, first = kept.get(manifest.id, (number, None))
            if first is None:
                kept[manifest.id] = number, manifest
            elif first.document != manifest.document:
                replaces = later_replaces and before < number
                findings.append(_replaced(first, manifest) if replaces else _conflict(first, manifest))
                kept[manifest.id] = (number, manifest) if replaces else (before, first)
    return Deduplicated(tuple(manifest for _, manifest in kept.values()), tuple(findings))


def between(components: Iterable[tuple[ComponentName, Sequence[Manifest]]]) -> dict[ComponentName, Deduplicated]:
    """The objects of each component, in the order of the waves: of duplicates, the earlier component keeps the object."""
    owners: dict[ObjectId, Manifest] = {}
    deduplicated = {}
    for name, manifests in components:
        kept, findings = [], []
        shared: dict[ComponentName, list[Manifest]] = {}
        for manifest in manifests:
            owner = owners.setdefault(manifest.id, manifest)
            if owner is manifest:
                kept.append(manifest)
            elif owner.document == manifest.document:
                shared.setdefault(owner.provenance.component, []).append(manifest)
            else:
                findings.append(_conflict(owner, manifest))
        findings += [_shared(owner, duplicates) for owner, duplicates in shared.items()]
        deduplicated[name] = Deduplicated(tuple(kept), tuple(findings))
    return deduplicated


def _conflict(first: Manifest, second: Manifest) -> Finding:
    is_crd = (second.id.group, second.id.kind) == CRD and first.provenance.component != second.provenance.component
    return Finding(
        code=CRD_CODE if is_crd else CODE,
        severity=Severity.ERROR,
        component=second.provenance.component,
        object=second.id,
        where=second.provenance.origin,
        message=f"defined twice, with differences: in {first.provenance} and in {second.provenance}"
        + (f": {_versions(first, second)}" if is_crd else ""),
        fix="remove one of the two: by a value of its chart, by `exclude`, or with "
        f"--skip {second.provenance.component}",
    )


def _versions(first: Manifest, second: Manifest) -> str:
    """Which versions the two definitions of a kind serve."""
    one, other = (set(defined.facts.defines.versions if defined.facts.defines else ()) for defined in (first, second))
    if one == other:
        return f"both serve {', '.join(sorted(one))}, with other fields"
    return "; ".join(
        f"{manifest.provenance.component} serves {', '.join(sorted(versions)) or 'nothing'}"
        for manifest, versions in ((first, one), (second, other))
    )


def _shared(owner: ComponentName, duplicates: Sequence[Manifest]) -> Finding:
    """One finding for all objects that a component shares with ``owner``."""
    first = duplicates[0]
    shown = listed([str(duplicate.id) for duplicate in duplicates], _SHOWN)
    owned = "that" if len(duplicates) == 1 else "those"
    return Finding(
        code=CODE,
        severity=Severity.WARNING,
        component=first.provenance.component,
        object=first.id,
        where=first.provenance.origin,
        message=f"{counted(len(duplicates), 'object')} identical to {owned} of {owner}, which keeps {'it' if owned == 'that' else 'them'}: {shown}",
        fix="leave them out of one of the two components: by a value of its chart, or by `exclude`",
    )


def _replaced(first: Manifest, second: Manifest) -> Finding:
    return Finding(
        code=CODE,
        severity=Severity.NOTICE,
        component=second.provenance.component,
        object=second.id,
        where=second.provenance.origin,
        message=f"replaces the object from {first.provenance.origin}: a later entry of `manifests` wins",
    )
