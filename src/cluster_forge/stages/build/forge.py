"""forge: mine what is missing, smelt and cast in one go. The one stage that calls others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cluster_forge.manifests.finding import Finding
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.git import Repositories
from cluster_forge.ports.sources import Sources
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build import input_fingerprint, working_tree
from cluster_forge.stages.build.cast import CastResult, CastRequest, cast
from cluster_forge.stages.toolbox import Toolbox
from cluster_forge.stages.build.mine import MineRequest, mine
from cluster_forge.stages.build.smelt import SmeltResult, SmeltRequest, smelt


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeRequest:
    """What the three stages are asked for together; ``time`` is the seconds since 1970 that everything is dated to."""

    stack: Stack
    lock: Lock
    time: int
    notices: Sequence[Finding] = ()
    allow: frozenset[str] = frozenset()
    discard_edits: bool = False
    is_anew: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeResult:
    """What was made; ``cast`` is None where findings kept smelt from writing."""

    smelted: SmeltResult
    cast: CastResult | None


def forge(
    request: ForgeRequest, toolbox: Toolbox, sources: Sources, repositories: Repositories, reporter: Reporter
) -> ForgeResult:
    """Make the stack.

    Raises:
        ForgeError, ExceptionGroup: what `mine`, `smelt` and `cast` raise.
    """
    smelted = mine_and_smelt(request, toolbox, sources, reporter)
    if not smelted.is_written:
        return ForgeResult(smelted=smelted, cast=None)
    asked = CastRequest(stack=request.stack, inputs=smelted.record.inputs, time=request.time, smelted=smelted)
    return ForgeResult(smelted=smelted, cast=cast(asked, toolbox, repositories, reporter))


def mine_and_smelt(request: ForgeRequest, toolbox: Toolbox, sources: Sources, reporter: Reporter) -> SmeltResult:
    """Make `working/`, mining what is missing.

    Raises:
        ForgeError, ExceptionGroup: what `mine` and `smelt` raise.
    """
    if not request.discard_edits:
        working_tree.refuse_edits(working_tree.look(toolbox.files))
    own = input_fingerprint.own_files(request.stack, toolbox)
    mined = mine(
        MineRequest(stack=request.stack, lock=request.lock, whole=True, upstream=False), toolbox, sources, reporter
    )
    return smelt(
        SmeltRequest(
            stack=request.stack,
            pins=mined.pins,
            lock=mined.lock,
            notices=request.notices,
            contents=mined.contents,
            own=own,
            allow=request.allow,
            discard_edits=True,
            is_anew=request.is_anew,
        ),
        toolbox,
        reporter,
    )
