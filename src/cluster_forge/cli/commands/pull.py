"""pull: a stack's folder again, from an OCI registry."""

from __future__ import annotations

import os
from pathlib import Path

import click

from cluster_forge.cli.options import RecordOptions
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import CONNECTS, DESCRIBES, verb


@verb(*CONNECTS, RecordOptions, *DESCRIBES)
@click.argument("reference")
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The folder to write [default: stacks/<name> of the workspace].",
)
@click.option("--overwrite", is_flag=True, help="Replace the folder even if it has files of yours, or edited ones.")
def command(session: Session, reference: str, output: Path | None, overwrite: bool) -> None:
    """Write a stack's folder again from an OCI registry.

    REFERENCE is oci://HOST/PATH with a tag, or the digest that `push` printed; without either the tag is `latest`, or
    the only one. The folder has the same bytes as the one that was pushed; it is verified, and written as a whole.

    Examples:
        cluster-forge pull oci://registry.example.com/team/platform:v-3fa9c1d2e4b5
        cluster-forge pull oci://registry.example.com/team/platform -o platform
        sh platform/deploy.sh --print
    """
    from cluster_forge import composition
    from cluster_forge.cli import description
    from cluster_forge.cli.output import supply_text
    from cluster_forge.oci.reference import ImageReference
    from cluster_forge.stages.supply.pull import PullRequest, PullTools
    from cluster_forge.stages.supply.pull import pull as pull_stage

    path = _checked(output) if output else None
    request = PullRequest(
        reference=ImageReference.read(reference), folder=path.name if path else "", overwrite=overwrite
    )
    stack = description.stack_if_any(session)
    registries = composition.registries(session.settings(), stack.registries if stack else ())
    files = composition.output_folder(path.parent) if path else composition.workspace_files(session.workspace)
    with session.reporting("pull") as reporter:
        tools = PullTools(files=files, registry=registries.registry, workers=registries.workers, reporter=reporter)
        pulled = pull_stage(request, tools)
    shown = str(output) if output else pulled.folder
    session.print(supply_text.pulled(pulled, shown))
    session.print_json("pull", folder=shown, **supply_text.pulled_json(pulled))


def _checked(output: Path) -> Path:
    """The folder to write, which is replaced as a whole."""
    path = Path(os.path.normpath(output.absolute()))
    if Path.cwd().is_relative_to(path):
        raise click.BadParameter(f"{str(output)!r} is the current folder, or above it: name a new one", param_hint="-o")
    return path
