"""The results of stages as JSON: the documents that docs/commands.md shows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cluster_forge.cli.output import changes_text, edits_text

if TYPE_CHECKING:
    from cluster_forge.foundation.names import ComponentName
    from cluster_forge.manifests.finding import Finding
    from cluster_forge.manifests.part import Part
    from cluster_forge.stack.lock import LockedSource
    from cluster_forge.stack.model import Stack
    from cluster_forge.stages.build.cast import CastResult
    from cluster_forge.stages.build.edits import DiscardedEdits
    from cluster_forge.stages.build.mine import MineResult
    from cluster_forge.stages.build.smelt import SmeltResult


def finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "component": finding.component,
        "object": str(finding.object) if finding.object else None,
        "where": finding.where,
        "field": finding.field,
        "message": finding.message,
        "fix": finding.fix,
    }


def findings_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [finding_json(finding) for finding in findings]


def components_json(parts: Iterable[Part], reused: Collection[ComponentName]) -> list[dict[str, Any]]:
    return [
        {
            "name": part.name,
            "version": part.version,
            "namespace": part.namespace,
            "wave": part.wave,
            "objects": len(part.objects),
            "reused": part.name in reused,
        }
        for part in parts
    ]


def mined_json(stack: Stack, mined: MineResult) -> dict[str, Any]:
    """The result of `mine`; ``wave`` is null where the description gives none."""
    return {
        "stack": stack.name,
        "components": [
            {
                "name": name,
                "version": chart.version if (chart := mined.chart(name)) else "",
                "namespace": stack.component(name).namespace,
                "wave": stack.component(name).wave,
                "objects": objects,
                "reused": name in mined.reused,
            }
            for name, objects in mined.objects.items()
        ],
        "objects": sum(mined.objects.values()),
        "findings": findings_json(mined.findings),
        "discarded": discarded_json(mined.discarded),
    }


def moved_json(moves: Iterable[tuple[ComponentName, LockedSource, LockedSource]]) -> list[dict[str, Any]]:
    """The sources that the lock moved, with version and digest before and after."""
    return [
        {
            "component": name,
            "address": after.address,
            "before": {"version": before.version, "digest": str(before.digest)},
            "after": {"version": after.version, "digest": str(after.digest)},
        }
        for name, before, after in moves
    ]


def smelted_json(stack: Stack, smelted: SmeltResult) -> Mapping[str, Any]:
    return {
        "stack": stack.name,
        "components": components_json(smelted.record.parts, smelted.reused),
        "objects": smelted.objects,
        "findings": findings_json(smelted.findings),
        "changes": changes_text.json(smelted.changes),
        "edits": edits_text.json(smelted),
        "discarded": discarded_json(smelted.discarded),
    }


def discarded_json(discarded: Iterable[DiscardedEdits]) -> list[dict[str, Any]]:
    """The hand edits that were overwritten, by the folder of their copy."""
    return [
        {"copy": kept.copy, "edits": [{"file": edit.path, "change": edit.kind} for edit in kept.edits]}
        for kept in discarded
    ]


def cast_json(cast: CastResult) -> dict[str, Any]:
    """The key ``cast`` of the results of `cast` and `forge`."""
    return {
        "folder": cast.folder,
        "components": cast.components,
        "objects": cast.objects,
        "image": {"digest": str(cast.image), "platforms": list(cast.platforms), "size": cast.sizes["image"]},
        "git": {"commit": cast.commit, "revision": cast.revision},
        "images": len(cast.images),
        "changes": changes_text.of_cast_json(cast.changes),
    }
