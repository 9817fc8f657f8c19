"""forge: mine what is missing, smelt and cast in one run. The one stage that calls others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cluster_forge.manifests.finding import Finding
from cluster_forge.ports.git import Repositories
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.sources import Sources
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build import input_fingerprint, working_tree
from cluster_forge.stages.build.cast import CastRequest, CastResult, cast
from cluster_forge.stages.build.mine import MineRequest, mine
from cluster_forge.stages.build.smelt import SmeltRequest, SmeltResult, smelt
from cluster_forge.stages.toolbox import Toolbox


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeRequest:
    """The request to all three stages; ``time`` (seconds since 1970) dates everything that is cast."""

    stack: Stack
    lock: Lock
    time: int
    notices: Sequence[Finding] = ()
    allow: frozenset[str] = frozenset()
    discard_edits: bool = False
    ignore_cache: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeResult:
    """The results of the stages; ``cast`` is None if findings kept smelt from writing."""

    smelted: SmeltResult
    cast: CastResult | None


def forge(
    request: ForgeRequest, toolbox: Toolbox, sources: Sources, repositories: Repositories, reporter: Reporter
) -> ForgeResult:
    """Build the stack.

    Raises:
        ForgeError, ExceptionGroup: what `mine`, `smelt` and `cast` raise.
    """
    smelted = mine_and_smelt(request, toolbox, sources, reporter)
    if not smelted.is_written:
        return ForgeResult(smelted=smelted, cast=None)
    to_cast = CastRequest(stack=request.stack, inputs=smelted.record.inputs, time=request.time, smelted=smelted)
    return ForgeResult(smelted=smelted, cast=cast(to_cast, toolbox, repositories, reporter))


def mine_and_smelt(request: ForgeRequest, toolbox: Toolbox, sources: Sources, reporter: Reporter) -> SmeltResult:
    """Write `working/`, mining what is missing.

    Raises:
        ForgeError, ExceptionGroup: what `mine` and `smelt` raise.
    """
    if not request.discard_edits:
        working_tree.refuse_edits(working_tree.load(toolbox.files))
    input_digests = input_fingerprint.own_files(request.stack, toolbox)
    to_mine = MineRequest(stack=request.stack, lock=request.lock, whole=True, upstream=False)
    mined = mine(to_mine, toolbox, sources, reporter)
    return smelt(
        SmeltRequest(
            stack=request.stack,
            sources=mined.sources,
            lock=mined.lock,
            notices=request.notices,
            rendered=mined.rendered,
            input_digests=input_digests,
            allow=request.allow,
            discard_edits=True,
            ignore_cache=request.ignore_cache,
        ),
        toolbox,
        reporter,
    )
