"""diff: a cast stack and a cluster, or two cast stacks."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import CONNECTS, ON_MANY, verb

if TYPE_CHECKING:
    from cluster_forge.cli.fleet import DeployedTo
    from cluster_forge.cli.output.diff_text import Sides
    from cluster_forge.cli.stack_folders import StackFolder
    from cluster_forge.manifests.comparison.objects import Comparison
    from cluster_forge.stages.deliver.tools import DeliverTools

MARKDOWN = "markdown"


@verb(*CONNECTS, *ON_MANY, formats={MARKDOWN: "for a pull request"})
@click.argument("stacks", metavar="[STACK | OLD NEW]", nargs=-1)
@click.option("--summary", is_flag=True, help="Print a line for each object instead of its fields.")
def command(session: Session, stacks: tuple[str, ...], summary: bool) -> int:
    """Show what a deployment would change, or how two cast stacks differ.

    STACK, OLD and NEW are names of folders below stacks/, other folders that `cast` wrote, or what was pushed: oci://…, or
    git+https://HOST/REPO@TAG//PATH. The cluster says what its objects would be (dry run); nothing is changed. Two stacks are
    compared without a cluster. Values of Secrets are never shown. Exit code 1 if anything differs.

    Examples:
        cluster-forge diff      # with the cluster of the current context
        cluster-forge diff platform.production --context production --summary
        cluster-forge diff --all   # every cluster of the description, in one table
        cluster-forge diff ../main/stacks/platform platform --format markdown
    """
    from cluster_forge.cli import stack_folders

    if session.is_on_many:
        return _of_fleet(session, stacks)
    if len(stacks) > 2:
        raise click.UsageError("at most two stacks: OLD and NEW")
    if len(stacks) == 2 and (session.cluster.context or session.cluster.kubeconfig):
        raise click.UsageError("OLD and NEW are compared without a cluster: leave --context and --kubeconfig out")
    places = stacks or (None,)
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(stack_folders.opened(session, place, "diff")) for place in places]
        comparison, sides = _of_casts(session, *opened) if len(opened) > 1 else _of_cluster(session, *opened)
    _print(session, comparison, sides, is_summary=summary)
    return 1 if comparison else 0


def _of_fleet(session: Session, stacks: tuple[str, ...]) -> int:
    """Several clusters: how many objects differ in each."""
    if session.output.format == MARKDOWN:
        raise click.UsageError("--format markdown is for one cluster: choose it with --context")
    if len(stacks) > 1:
        raise click.UsageError("one stack, or OLD and NEW without clusters")
    from cluster_forge.cli import fleet
    from cluster_forge.cli.output import fleet_text
    from cluster_forge.stages.deliver.diff import STAGE, DiffRequest, diff

    def compare(one: DeployedTo, tools: DeliverTools) -> Comparison:
        return diff(DiffRequest(deployment=one.deployment, parts=one.parts), tools)

    with fleet.opened(session, stacks[0] if stacks else None, "diff") as members:
        seen = fleet.looked_at(session, members, STAGE, compare)
    for line in fleet_text.diff_lines(seen):
        session.print(line)
    session.print_json("diff", clusters=fleet_text.diff_json(seen))
    return 1 if any(one.errors or one.result for one in seen) else 0


def _of_casts(session: Session, before: StackFolder, after: StackFolder) -> tuple[Comparison, Sides]:
    from cluster_forge.cli import stack_folders
    from cluster_forge.cli.output.diff_text import Sides
    from cluster_forge.manifests.comparison import objects

    (_, former), (_, present) = (stack_folders.read(session, place) for place in (before, after))
    return objects.between(former, present), Sides(before=before.title, after=after.title)


def _of_cluster(session: Session, place: StackFolder) -> tuple[Comparison, Sides]:
    from cluster_forge.cli import stack_folders
    from cluster_forge.cli.output.diff_text import Sides
    from cluster_forge.stages.deliver.diff import STAGE, DiffRequest, diff

    deployment, parts = stack_folders.read(session, place)
    with session.reporting(STAGE) as reporter:
        tools = session.delivery(reporter)
        comparison = diff(DiffRequest(deployment=deployment, parts=parts), tools)
        context = tools.cluster.about().context
    return comparison, Sides(before=f"cluster of {context}" if context else "cluster", after=place.title)


def _print(session: Session, comparison: Comparison, sides: Sides, *, is_summary: bool) -> None:
    from cluster_forge.cli.output import diff_markdown, diff_text

    if session.output.format == MARKDOWN:
        session.print(diff_markdown.document(comparison, sides).removesuffix("\n"))
        return
    for line in (diff_text.summary if is_summary else diff_text.unified)(comparison, sides):
        session.print(line)
    session.print_json("diff", before=sides.before, after=sides.after, **diff_text.json(comparison))
