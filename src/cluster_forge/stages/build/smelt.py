"""smelt: `working/` from the description, the lock, the store and `input/`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cluster_forge.record import RECORD, Record
from cluster_forge.foundation import build
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import StaleError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.ports.progress import Reporter
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import Ignore, Stack
from cluster_forge.stages.build import smelt_diff, working_tree
from cluster_forge.stages.build.smelt_diff import Changes
from cluster_forge.stages.build.input_fingerprint import fingerprint
from cluster_forge.stages.toolbox import Pins, Toolbox
from cluster_forge.stages.build.working_tree import Working

if TYPE_CHECKING:
    from cluster_forge.stages.build.assemble import Part
    from cluster_forge.stages.build.render import ComponentObjects

STAGE = "smelt"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmeltRequest:
    """The stack, its pinned sources, and what was mined already in this run.

    ``allow`` names the codes of error findings that pass. ``discard_edits`` lets hand edits in `working/` be
    overwritten. ``is_anew`` makes everything although nothing changed.
    """

    stack: Stack
    pins: Mapping[ComponentName, Pins]
    lock: Lock
    notices: Sequence[Finding] = ()
    contents: Mapping[ComponentName, ComponentObjects] | None = None
    own: Mapping[str, str] | None = None
    """`inputs.own_files` as they were before ``contents`` were made."""
    allow: frozenset[str] = frozenset()
    discard_edits: bool = False
    is_anew: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SmeltResult:
    """What `working/` holds, and whether it was written: a finding of severity error keeps it as it was.

    ``parts`` are empty where nothing had to be made, because `working/` is what would be made. ``reused`` names the
    components that nothing was rendered or read for.
    """

    parts: tuple[Part, ...]
    record: Record
    tree: FileTree
    findings: tuple[Finding, ...]
    changes: Changes
    reused: frozenset[ComponentName] = frozenset()

    @property
    def is_written(self) -> bool:
        return not self.record.errors

    @property
    def objects(self) -> int:
        return self.record.objects


def smelt(request: SmeltRequest, toolbox: Toolbox, reporter: Reporter) -> SmeltResult:
    """Make `working/` anew, unless it is what would be made.

    Raises:
        LockError: a source that was not mined.
        RenderError, ArchiveError, ManifestError, OrderError: see `render` and `assemble`; several in an ExceptionGroup.
        EditedError: if `working/` holds hand edits and they were not given up.
    """
    present = _present(request, toolbox)
    inputs = fingerprint(request.stack, request.pins, request.lock, toolbox, request.own)
    reporter.stage_started(STAGE, 0)
    smelted = (None if request.is_anew else _unchanged(request, present, inputs)) or _made(
        request, present, inputs, toolbox, reporter
    )
    for finding in smelted.findings:
        reporter.finding_reported(finding)
    if smelted.parts and smelted.is_written:
        hidden = RECORD.removeprefix(f"{working_tree.FOLDER}/")
        toolbox.files.replace_trees({working_tree.FOLDER: FileTree({**smelted.tree.files, hidden: smelted.record.to_json()})})
    if smelted.is_written:
        reporter.stage_finished(
            STAGE, f"{smelted.objects} objects of {len(smelted.record.parts)} components in {working_tree.FOLDER}/"
        )
    return smelted


def _present(request: SmeltRequest, toolbox: Toolbox) -> Working | None:
    """`working/` as it is, whose edits are none or may be lost."""
    if request.discard_edits:
        try:
            return working_tree.look(toolbox.files)
        except StaleError:
            return None
    found = working_tree.look(toolbox.files)
    working_tree.refuse_edits(found)
    return found


def _unchanged(request: SmeltRequest, present: Working | None, inputs: Digest) -> SmeltResult | None:
    """What `working/` is, where it was made of just these inputs and nobody touched it since; never by time stamps."""
    if present is None or present.edited:
        return None
    record = present.record
    if (record.inputs, record.stack, record.tool) != (inputs, request.stack.name, build.identity()):
        return None
    findings = judged((*request.notices, *record.found), request.stack.ignores, request.allow)
    return SmeltResult(
        parts=(),
        record=replace(record, errors=_count(findings, Severity.ERROR), warnings=_count(findings, Severity.WARNING)),
        tree=present.tree,
        findings=findings,
        changes=Changes(),
        reused=frozenset(part.name for part in record.parts),
    )


def _made(request: SmeltRequest, present: Working | None, inputs: Digest, toolbox: Toolbox, reporter: Reporter) -> SmeltResult:
    # All this takes a while to import, and mostly nothing has to be made.
    from cluster_forge.stages.build.assemble import assemble  # noqa: PLC0415
    from cluster_forge.stages.build.layout import lay_out  # noqa: PLC0415
    from cluster_forge.stages.build.render import render  # noqa: PLC0415

    stack = request.stack
    contents = request.contents
    if contents is None:
        contents = render(stack, request.pins, request.lock, toolbox, reporter)
    assembled = assemble(stack, contents)
    findings = judged((*request.notices, *assembled.findings), stack.ignores, request.allow)
    tree, records, revision = lay_out(stack, assembled.parts, request.pins)
    known = {each.path: each.digest for part in records for each in part.objects}
    record = Record(
        tool=build.identity(),
        stack=stack.name,
        inputs=inputs,
        revision=revision,
        parts=records,
        files={path: known.get(path) or Digest.of(content) for path, content in tree.files.items()},
        found=assembled.findings,
        errors=_count(findings, Severity.ERROR),
        warnings=_count(findings, Severity.WARNING),
    )
    return SmeltResult(
        parts=assembled.parts,
        record=record,
        tree=tree,
        findings=findings,
        changes=smelt_diff.between(present.record if present else None, record),
        reused=frozenset(name for name, each in contents.items() if each.is_reused),
    )


def _count(findings: Iterable[Finding], severity: Severity) -> int:
    return sum(finding.severity is severity for finding in findings)


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
