"""convert: the native form of a description in the first format."""

from __future__ import annotations

import click

from cluster_forge.cli.session import Session, verb


@verb("Write the native form of a description in the first format.", selection=True)
@click.option("-o", "--output", metavar="FILE", help="Write to this file in the workspace instead of stdout.")
def command(session: Session, output: str | None) -> None:
    """`--select` and names choose what is in the stack; the rest is defined, not lost."""
    from cluster_forge.cli.description import loaded
    from cluster_forge.foundation import names
    from cluster_forge.stack import convert

    files = session.files()
    found = loaded(files, session.selection)
    text = convert.native(found)
    if output:
        files.write(output, text.encode())
        session.say(f"wrote {output}: {names.counted(len(found.stack.components), 'component')}")
    elif not session.as_json:
        click.echo(text, nl=False)
    session.answer("convert", stack=found.stack.name, output=output, description=None if output else text)
