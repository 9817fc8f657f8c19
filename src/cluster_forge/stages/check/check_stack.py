"""check: the findings about what cast would take, or about what smelt would write where that is not written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.part import Part
from cluster_forge.ports.progress import Reporter
from cluster_forge.stack import variant
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build import finding_policy, working_tree
from cluster_forge.stages.build.input_fingerprint import fingerprint
from cluster_forge.stages.build.way_out import is_current
from cluster_forge.stages.build.working_tree import WorkingState
from cluster_forge.stages.check.check_request import CheckRequest
from cluster_forge.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from cluster_forge.checks.checked_stack import CheckedStack
    from cluster_forge.record import Record

STAGE = "check"


class Basis(StrEnum):
    """What was checked: `working/` as smelt wrote it, the same with hand edits, or what smelt would write."""

    WORKING = "working"
    EDITED = "edited"
    FRESH = "fresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedParts:
    """The findings after ``checks.ignore`` and ``allow``, and the parts that they are about; those have documents only
    where they were computed.
    """

    findings: tuple[Finding, ...]
    parts: tuple[Part, ...]
    basis: Basis


def check(request: CheckRequest, toolbox: Toolbox, reporter: Reporter) -> CheckedParts:
    """The findings about the stack. Nothing is written to the workspace.

    Raises:
        LockError: for a source that is not locked or not in the store.
        RenderError, ArchiveError, ManifestError, OrderError, PatchError, PluginError: what keeps the stack from being
            rendered and put together; several in an ExceptionGroup.
    """
    inputs = fingerprint(request.stack, request.sources, request.lock, toolbox)
    present = _of_stack(working_tree.state_if_damaged(toolbox), request.stack)
    is_known = present is not None and is_current(present.record, variant.folder(request.stack), inputs)
    if is_known and present and not present.edited and not request.ignore_cache:
        own = (*present.record.own_findings, *_deep(request, present.record.parts, toolbox, reporter))
        return _checked(request, own, present.record, Basis.WORKING)
    from cluster_forge.stages.check import fresh_objects  # noqa: PLC0415 - 0.1 s, and mostly `working/` is current

    own, record = fresh_objects.checked(request, inputs, present, toolbox, reporter)
    basis = Basis.FRESH if not is_known else Basis.EDITED if present and present.edited else Basis.WORKING
    return _checked(request, (*own, *_deep(request, record.parts, toolbox, reporter)), record, basis)


def _deep(request: CheckRequest, parts: Sequence[Part], toolbox: Toolbox, reporter: Reporter) -> tuple[Finding, ...]:
    """What only rendering again shows, if the request wants it."""
    if request.value_places is None:
        return ()
    from cluster_forge.stages.check.rendering import deep_findings  # noqa: PLC0415 - as in `check`

    return deep_findings.findings(request, request.value_places, parts, toolbox, reporter)


def objects(request: CheckRequest, toolbox: Toolbox, reporter: Reporter) -> CheckedStack:
    """The objects that `check` looks at, for a closer look. Nothing is written to the workspace.

    Raises:
        ForgeError, ExceptionGroup: as for `check`.
    """
    from cluster_forge.stages.check import fresh_objects  # noqa: PLC0415 - as in `check`

    inputs = fingerprint(request.stack, request.sources, request.lock, toolbox)
    present = _of_stack(working_tree.state_if_damaged(toolbox), request.stack)
    return fresh_objects.objects(request, inputs, present, toolbox, reporter)


def _of_stack(present: WorkingState | None, stack: Stack) -> WorkingState | None:
    """`working/`, if it is of this stack and environment: hand edits of another one are not part of this one."""
    is_of_stack = present is not None and present.is_smelted and present.record.holds == variant.folder(stack)
    return present if is_of_stack else None


def _checked(request: CheckRequest, own: Iterable[Finding], record: Record, basis: Basis) -> CheckedParts:
    findings = finding_policy.apply(
        (*request.notices, *own),
        request.stack.finding_policy,
        request.allow,
        is_deep=request.value_places is not None,
    )
    return CheckedParts(findings=findings, parts=record.parts, basis=basis)
