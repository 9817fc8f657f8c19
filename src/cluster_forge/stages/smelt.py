"""smelt: `working/` from the description, the lock, the store and `input/`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cluster_forge import __version__
from cluster_forge.bundle import RECORD, ObjectRecord, PartRecord, Record
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ManifestError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import emit
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.manifest import Body, Manifest
from cluster_forge.ports import Reporter
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import Component, Ignore, Stack
from cluster_forge.stages import delivery, working
from cluster_forge.stages.assemble import Part, assemble
from cluster_forge.stages.means import Pins, Tools
from cluster_forge.stages.render import Content, render
from cluster_forge.stages.working import object_record


@dataclass(frozen=True, slots=True, kw_only=True)
class SmeltRequest:
    """The stack, its pinned sources, and what was mined already in this run.

    ``inputs`` is the fingerprint of everything that the result depends on. ``allow`` names the codes of error findings
    that pass. ``discard_edits`` lets hand edits in `working/` be overwritten.
    """

    stack: Stack
    pins: Mapping[ComponentName, Pins]
    lock: Lock
    inputs: Digest
    notices: Sequence[Finding] = ()
    contents: Mapping[ComponentName, Content] | None = None
    allow: frozenset[str] = frozenset()
    discard_edits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Smelted:
    """What was made, and whether it was written: a finding of severity error keeps `working/` as it was."""

    parts: tuple[Part, ...]
    record: Record
    tree: FileTree
    findings: tuple[Finding, ...]
    reused: frozenset[ComponentName] = frozenset()

    @property
    def is_written(self) -> bool:
        return not self.record.errors

    @property
    def objects(self) -> int:
        return sum(len(part.manifests) for part in self.parts)


def smelt(request: SmeltRequest, tools: Tools, reporter: Reporter) -> Smelted:
    """Make `working/` anew.

    Raises:
        LockError: a source that was not mined.
        RenderError, ArchiveError, ManifestError, OrderError: see `render` and `assemble`; several in an ExceptionGroup.
        EditedError: if `working/` holds hand edits and they were not given up.
    """
    stack = request.stack
    if not request.discard_edits:
        working.refuse_edits(tools.files)
    reporter.started("smelt", len(stack.components))
    contents = request.contents
    if contents is None:
        contents = render(
            stack, request.pins, request.lock, tools, lambda each, objects: _tell(reporter, each, objects)
        )
    assembled = assemble(stack, contents)
    findings = judged((*request.notices, *assembled.findings), stack.ignores, request.allow)
    for finding in findings:
        reporter.noticed(finding)
    tree, records, revision = _written(stack, assembled.parts, request.pins)
    record = Record(
        tool=__version__,
        stack=stack.name,
        inputs=request.inputs,
        revision=revision,
        parts=records,
        files={path: Digest.of(content) for path, content in tree.files.items()},
        errors=sum(finding.severity is Severity.ERROR for finding in findings),
        warnings=sum(finding.severity is Severity.WARNING for finding in findings),
    )
    reused = frozenset(name for name, content in contents.items() if content.made and content.made.kept)
    smelted = Smelted(parts=assembled.parts, record=record, tree=tree, findings=findings, reused=reused)
    if smelted.is_written:
        hidden = RECORD.removeprefix(f"{working.FOLDER}/")
        tools.files.replace_trees({working.FOLDER: FileTree({**tree.files, hidden: record.to_json()})})
        reporter.finished("smelt", f"{smelted.objects} objects of {len(records)} components in {working.FOLDER}/")
    return smelted


def judged(findings: Iterable[Finding], ignores: Sequence[Ignore], allow: Collection[str]) -> tuple[Finding, ...]:
    """The findings after the description's ``checks.ignore`` and ``--allow``; an ignore without effect is a finding."""
    used: set[Ignore] = set()
    kept = []
    for finding in findings:
        matching = [each for each in ignores if _matches(each, finding)]
        used.update(matching)
        if not matching:
            allowed = finding.severity is Severity.ERROR and finding.code in allow
            kept.append(replace(finding, severity=Severity.WARNING) if allowed else finding)
    for each in ignores:
        if each not in used:
            message = f"checks.ignore {each.code!r} silences nothing"
            kept.append(
                Finding(
                    code="unused-ignore",
                    severity=Severity.WARNING,
                    where=each.where,
                    message=message,
                    fix="take it out",
                )
            )
    return tuple(kept)


def _matches(ignore: Ignore, finding: Finding) -> bool:
    return (
        ignore.code == finding.code
        and ignore.component in ("", finding.component)
        and ignore.object in ("", str(finding.object), finding.object.name if finding.object else "")
    )


def _tell(reporter: Reporter, component: Component, objects: int) -> None:
    reporter.advanced("smelt", component.name, f"{objects} objects")


def _written(
    stack: Stack, parts: Sequence[Part], pins: Mapping[ComponentName, Pins]
) -> tuple[FileTree, tuple[PartRecord, ...], str]:
    """The files of `working/`, the record of each part, and the revision that the applications are pinned to."""
    files: dict[str, bytes] = {}
    bodies: dict[str, Body] = {}
    records = []
    for part in parts:
        objects = []
        for manifest in part.manifests:
            path = f"{part.name}/{manifest.id.file_name}"
            _add(files, path, manifest)
            bodies[path] = manifest.body
            objects.append(object_record(manifest, path))
        for manifest in part.later:
            _add(files, f"{part.name}/{working.LATER}/{manifest.id.file_name}", manifest)
        records.append(_part_record(part, pins.get(part.name, Pins()), tuple(objects)))
    tree, revision = delivery.with_applications(stack, delivery.parts(records, files, bodies), files)
    return tree, tuple(records), revision


def _add(files: dict[str, bytes], path: str, manifest: Manifest) -> None:
    if path in files:
        raise ManifestError(
            f"{manifest.id} and another object differ only in the case of their kind: both would be {path}",
            where=manifest.provenance.origin,
            fix="leave one out: no API server keeps them apart",
        )
    files[path] = emit.text(manifest)


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
