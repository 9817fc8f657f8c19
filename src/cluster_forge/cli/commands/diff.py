"""diff: two cast stacks, or a cast stack and a cluster."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import CONNECTS, verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cluster_forge.cli.output.diff_text import Sides
    from cluster_forge.cli.stack_folders import StackFolder
    from cluster_forge.manifests.comparison.objects import Comparison
    from cluster_forge.manifests.part import Part

MARKDOWN = "markdown"


@verb(*CONNECTS, formats={MARKDOWN: "for a pull request"})
@click.argument("stacks", metavar="[OLD [NEW]]", nargs=-1)
@click.option("--summary", is_flag=True, help="Print a line for each object instead of its fields.")
def command(session: Session, stacks: tuple[str, ...], summary: bool) -> int:
    """Show what differs between two cast stacks.

    OLD and NEW are names of folders below stacks/, other folders that `cast` wrote, or oci:// references. Objects are
    compared field by field, entries of lists by their names. Values of Secrets are never shown. Exit code 1 if anything
    differs.

    Examples:
        cluster-forge diff platform.staging platform.production --summary
        cluster-forge diff oci://registry.example.com/platform:1.0 platform
        cluster-forge diff ../main/stacks/platform platform --format markdown
    """
    from cluster_forge.cli import stack_folders
    from cluster_forge.cli.output.diff_text import Sides
    from cluster_forge.manifests.comparison import objects

    if len(stacks) != 2:
        raise click.UsageError("two stacks: OLD and NEW")
    with contextlib.ExitStack() as stack:
        before, after = (stack.enter_context(stack_folders.opened(session, place, "diff")) for place in stacks)
        comparison = objects.between(_parts(session, before), _parts(session, after))
    sides = Sides(before=before.title, after=after.title)
    _print(session, comparison, sides, is_summary=summary)
    return 1 if comparison else 0


def _parts(session: Session, place: StackFolder) -> Sequence[Part]:
    """The components of a cast stack, with the documents of their objects."""
    from cluster_forge import composition
    from cluster_forge.stages.deliver import deployment

    using = composition.stack_readers(session.settings())
    read = deployment.read(place.folder, place.files)
    return deployment.parts(read, place.files, using.repositories, using.reader.read)


def _print(session: Session, comparison: Comparison, sides: Sides, *, is_summary: bool) -> None:
    from cluster_forge.cli.output import diff_markdown, diff_text

    if session.output.format == MARKDOWN:
        session.print(diff_markdown.document(comparison, sides).removesuffix("\n"))
        return
    for line in (diff_text.summary if is_summary else diff_text.unified)(comparison, sides):
        session.print(line)
    session.print_json("diff", before=sides.before, after=sides.after, **diff_text.json(comparison))
