"""config show|validate: the effective description, and its errors."""

from __future__ import annotations

from typing import Any

import click

from cluster_forge.cli import help_page
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import SELECTS, verb

command = help_page.group(
    "config",
    """Show the effective description, or validate it.

    The effective description is input/config.yaml merged with the files that it extends, an environment and the
    catalog. Both verbs read files only: nothing is written, fetched or rendered.

    Examples:
        cluster-forge config validate
        cluster-forge config show --origins
    """,
)


@verb(*SELECTS)
@click.option("--origins", is_flag=True, help="Add the file and line that each value comes from.")
def show(session: Session, origins: bool) -> None:
    """Print the effective description: all files, the environment and the catalog merged.

    Text output is YAML in the native format. With --format json the origins are listed by path.

    Examples:
        cluster-forge config show
        cluster-forge config show --origins --environment production
    """
    from cluster_forge.cli import description
    from cluster_forge.cli.output.streams import write_stdout
    from cluster_forge.stack import effective

    parsed = description.parsed(session)
    if session.output.is_json:
        places = {effective.path_text(path): where for path, where in parsed.origins.items()}
        shown: dict[str, Any] = {"origins": places} if origins else {}
        session.print_json("config show", stack=parsed.stack.name, description=parsed.effective, **shown)
    else:
        write_stdout(effective.text(parsed.effective, parsed.origins if origins else {}))


@verb(*SELECTS)
def validate(session: Session) -> None:
    """Check the description and print every error.

    All errors of all files are printed at once, each with file and line. Nothing is written or fetched.

    Examples:
        cluster-forge config validate
        cluster-forge config validate --environment production
    """
    from cluster_forge.cli import description
    from cluster_forge.foundation import names
    from cluster_forge.stages.describe.read_description import findings

    parsed = description.parsed(session)
    stack = parsed.stack
    with session.reporting() as reporter:
        for notice in findings(parsed):
            reporter.finding_reported(notice)
    session.print(f"{stack.name}: {names.counted(len(stack.components), 'component')}, no errors")
    session.print_json("config validate", stack=stack.name, components=len(stack.components), errors=0)


command.add_command(show, "show")
command.add_command(validate, "validate")
