"""config show|validate: the effective description, and its errors."""

from __future__ import annotations

from typing import Any

import click

from cluster_forge.cli import help_page
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import SELECTS, verb
from cluster_forge.service_options import RenderOptions, StoreOptions

command = help_page.group(
    "config",
    """Show the effective description, or validate it.

    The effective description is input/config.yaml merged with the files that it extends, an environment and the
    catalog. Both verbs read files only: nothing is written or fetched.

    Examples:
        cluster-forge config validate
        cluster-forge config show --origins
    """,
)


@verb(StoreOptions, RenderOptions, *SELECTS)
@click.option("--origins", is_flag=True, help="Add the file and line that each value comes from.")
@click.option(
    "--diff",
    metavar="NAME",
    help="Print the differences from --environment to this environment, also in objects; exit code 1 if there are any.",
)
def show(session: Session, origins: bool, diff: str | None) -> int:
    """Print the effective description: all files, the environment and the catalog merged.

    Text output is YAML in the native format. With --format json the origins are listed by path. Addresses are shown
    without credentials and queries, since logs keep what is printed. --diff compares two environments, and the objects
    that they are rendered to, where their sources were mined.

    Examples:
        cluster-forge config show
        cluster-forge config show --origins --environment production
        cluster-forge config show --environment staging --diff production
    """
    if diff is not None:
        return _difference(session, diff, origins=origins)
    from cluster_forge.cli import description
    from cluster_forge.cli.output.streams import write_stdout
    from cluster_forge.foundation.addresses import masked_values
    from cluster_forge.stack import effective
    from cluster_forge.stack.changes import PRECEDENCE
    from cluster_forge.stages.describe import variable_findings

    parsed = description.parsed(session)
    if session.output.is_json:
        places = {effective.path_text(path): where for path, where in parsed.origins.items()}
        shown: dict[str, Any] = {"origins": places, "precedence": list(PRECEDENCE)} if origins else {}
        described = variable_findings.without_secrets(parsed.effective, parsed)
        session.print_json("config show", stack=parsed.stack.name, description=described, **shown)
    else:
        described = masked_values(variable_findings.without_secrets(parsed.effective, parsed))
        write_stdout(effective.text(described, parsed.origins if origins else {}))
        if origins:
            write_stdout(f"# precedence, lowest first: {'; '.join(PRECEDENCE)}\n")
    return 0


def _difference(session: Session, environment: str, *, origins: bool) -> int:
    from cluster_forge.cli import environment_diff

    if origins:
        raise click.UsageError("--origins and --diff exclude each other")
    compared = environment_diff.compare(session, environment)
    for problem in compared.problems:
        session.print_problem(problem)
    for line in compared.lines():
        session.print(line)
    session.print_json("config show --diff", stack=compared.stack, **compared.json())
    return 1 if compared or compared.problems else 0


@verb(*SELECTS)
def validate(session: Session) -> int:
    """Check the description and print every error.

    All errors of all files are printed at once, each with file and line. Nothing is written or fetched.

    Examples:
        cluster-forge config validate
        cluster-forge config validate --environment production
    """
    from cluster_forge.cli import description
    from cluster_forge.foundation import names
    from cluster_forge.stages.build import finding_policy
    from cluster_forge.stages.describe.read_description import findings

    parsed = description.parsed(session)
    stack = parsed.stack
    judged = finding_policy.judged(findings(parsed), stack.finding_policy, session.findings.allow)
    with session.reporting() as reporter:
        for finding in judged:
            reporter.finding_reported(finding)
    errors = finding_policy.count(judged).error
    counted = names.counted(errors, "error") if errors else "no errors"
    session.print(f"{stack.name}: {names.counted(len(stack.components), 'component')}, {counted}")
    session.print_json("config validate", stack=stack.name, components=len(stack.components), errors=errors)
    return 1 if errors else 0


command.add_command(show, "show")
command.add_command(validate, "validate")
