"""convert: a description in the legacy format, in the native format."""

from __future__ import annotations

import click

from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import SELECTS, verb


@verb(*SELECTS)
@click.option("-o", "--output", metavar="FILE", help="Write to this file of the workspace instead of stdout.")
def command(session: Session, output: str | None) -> None:
    """Convert a description in the legacy format to the native format.

    The legacy format is the list that the first implementation of Cluster-Forge reads. Names and --select choose what
    is in `components`; everything else goes to `define`, so nothing is lost.

    Examples:
        cluster-forge convert
        cluster-forge convert --select core.yaml -o input/platform.yaml
    """
    from cluster_forge.cli.description import parsed
    from cluster_forge.cli.output.streams import write_stdout
    from cluster_forge.foundation import names
    from cluster_forge.stack import convert

    description = parsed(session)
    text = convert.native(description)
    if output:
        session.files().write(output, text.encode())
        session.print(f"wrote {output}: {names.counted(len(description.stack.components), 'component')}")
    elif not session.output.is_json:
        write_stdout(text)
    session.print_json("convert", stack=description.stack.name, output=output, description=None if output else text)
