"""forge: mine what is missing, smelt and cast in one run. The one stage that calls others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cluster_forge.manifests.finding import Finding
from cluster_forge.ports.git import Repositories
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.sources import Sources
from cluster_forge.stack import variant
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build import input_fingerprint, working_tree
from cluster_forge.stages.build.cast import CastRequest, CastResult, cast
from cluster_forge.stages.build.casting import base_image
from cluster_forge.stages.build.hand_edits.file_merge import Decide, undecided
from cluster_forge.stages.build.mine import MineRequest, mine
from cluster_forge.stages.build.smelt import SmeltRequest, SmeltResult, smelt
from cluster_forge.stages.build.way_out import CommandLine, WayOut, plain_command
from cluster_forge.stages.toolbox import Toolbox


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeRequest:
    """The request to all three stages; ``time`` (seconds since 1970) dates everything that is cast, ``command`` is for
    messages.
    """

    stack: Stack
    lock: Lock
    time: int
    notices: Sequence[Finding] = ()
    allow: frozenset[str] = frozenset()
    discard_edits: bool = False
    decide: Decide = undecided
    ignore_cache: bool = False
    command: CommandLine = plain_command


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
    to_cast = CastRequest(
        stack=request.stack,
        inputs=smelted.record.inputs,
        time=request.time,
        base=base_image.look_up(request.stack, smelted.lock),
        smelted=smelted,
    )
    return ForgeResult(smelted=smelted, cast=cast(to_cast, toolbox, repositories, reporter))


def mine_and_smelt(request: ForgeRequest, toolbox: Toolbox, sources: Sources, reporter: Reporter) -> SmeltResult:
    """Write `working/`, mining what is missing; the result has the findings and discarded edits of both stages.

    Raises:
        ForgeError, ExceptionGroup: what `mine` and `smelt` raise.
    """
    if not request.discard_edits:
        way_out = WayOut(verb="forge", folder=variant.folder(request.stack), command=request.command)
        working_tree.refuse_loss(working_tree.state(toolbox), way_out)
    input_digests = input_fingerprint.own_files(request.stack, toolbox)
    to_mine = MineRequest(stack=request.stack, lock=request.lock, whole=True, upstream=False)
    mined = mine(to_mine, toolbox, sources, reporter)
    smelted = smelt(
        SmeltRequest(
            stack=request.stack,
            sources=mined.sources,
            lock=mined.lock,
            notices=request.notices,
            rendered=mined.rendered,
            input_digests=input_digests,
            allow=request.allow,
            discard_edits=request.discard_edits,
            decide=request.decide,
            ignore_cache=request.ignore_cache,
            verb="forge",
            command=request.command,
        ),
        toolbox,
        reporter,
    )
    return replace(
        smelted,
        findings=(*mined.findings, *smelted.findings),
        discarded=(*mined.discarded, *smelted.discarded),
    )
