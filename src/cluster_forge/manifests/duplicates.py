"""Objects that come twice: equal ones become one, a wanted replacement is told, everything else is an error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cluster_forge.foundation.names import ComponentName, counted
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest

CODE = "duplicate-object"
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Deduplicated:
    """Manifests with every identity once, and what was found on the way."""

    manifests: tuple[Manifest, ...]
    findings: tuple[Finding, ...]


def within(groups: Iterable[Sequence[Manifest]], *, later_replaces: bool) -> Deduplicated:
    """The objects of one component, whose entries are ``groups``.

    Equal twins are one object without a word: real charts list a CRD's file twice. With ``later_replaces`` an object
    of a later group replaces one of an earlier group, in its place.
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
    """The objects of each component, in the order of the waves: of twins, the earlier component owns the object."""
    owners: dict[ObjectId, Manifest] = {}
    found = {}
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
        findings += [_shared(owner, twins) for owner, twins in shared.items()]
        found[name] = Deduplicated(tuple(kept), tuple(findings))
    return found


def _conflict(first: Manifest, second: Manifest) -> Finding:
    return Finding(
        code=CODE,
        severity=Severity.ERROR,
        component=second.provenance.component,
        object=second.id,
        where=second.provenance.origin,
        message=f"comes twice and differs: from {first.provenance} and from {second.provenance}",
        fix="leave one out: by a value of its chart, by `exclude`, or by `--skip` of the component",
    )


def _shared(owner: ComponentName, twins: Sequence[Manifest]) -> Finding:
    """One finding for all objects that a component brings once more."""
    first = twins[0]
    shown = ", ".join(str(each.id) for each in twins[:_SHOWN]) + (" and more" if len(twins) > _SHOWN else "")
    return Finding(
        code=CODE,
        severity=Severity.WARNING,
        component=first.provenance.component,
        object=first.id,
        where=first.provenance.origin,
        message=f"brings {counted(len(twins), 'object')} that {owner} brings too, equal, and owns: {shown}",
        fix="switch them off in one of the two",
    )


def _replaced(first: Manifest, second: Manifest) -> Finding:
    return Finding(
        code=CODE,
        severity=Severity.NOTICE,
        component=second.provenance.component,
        object=second.id,
        where=second.provenance.origin,
        message=f"replaces the one from {first.provenance.origin}, as a later entry of `manifests` does",
    )
