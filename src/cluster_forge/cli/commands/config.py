"""config show|validate: the effective description, and its errors."""

from __future__ import annotations

from typing import Any

import click

from cluster_forge.cli.session import Session, verb


@click.group("config", help="Show the effective description, or only check it.")
def command() -> None:
    """The group; its verbs are below."""


@verb("Print the effective description, everything merged.", selection=True)
@click.option("--origins", is_flag=True, help="With the file and line that each value came from.")
def show(session: Session, origins: bool) -> None:
    """The native format, as YAML; with --format json as JSON, origins by path."""
    from cluster_forge.cli import description
    from cluster_forge.stack import effective

    loaded = description.loaded(session.files(), session.selection)
    if session.as_json:
        places = {effective.path_text(path): where for path, where in loaded.origins.items()}
        shown: dict[str, Any] = {"origins": places} if origins else {}
        session.answer("config show", stack=loaded.stack.name, description=loaded.effective, **shown)
    else:
        click.echo(effective.text(loaded.effective, loaded.origins if origins else {}), nl=False)


@verb("Only check the description.", selection=True)
def validate(session: Session) -> None:
    """Every error of every file at once, each with file and line. Nothing is written."""
    from cluster_forge.cli import description
    from cluster_forge.foundation import names
    from cluster_forge.stages.describe.read_description import findings

    loaded = description.loaded(session.files(), session.selection)
    stack = loaded.stack
    with session.reporting() as reporter:
        for notice in findings(loaded):
            reporter.finding_reported(notice)
    session.say(f"{stack.name}: {names.counted(len(stack.components), 'component')}, no errors")
    session.answer("config validate", stack=stack.name, components=len(stack.components), errors=0)


command.add_command(show, "show")
command.add_command(validate, "validate")
