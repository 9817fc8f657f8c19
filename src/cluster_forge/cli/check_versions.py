"""check --kubernetes: the stack on several minors of Kubernetes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cluster_forge.cli import checking

if TYPE_CHECKING:
    from cluster_forge.cli.session import Session


def run(session: Session, text: str) -> int:
    """Print the table for a range such as ``1.29..1.36``; 1 if a minor has an error."""
    from cluster_forge.cli.output import versions_text
    from cluster_forge.manifests.finding import Severity
    from cluster_forge.stages.check import version_matrix
    from cluster_forge.stages.check.check_stack import STAGE

    try:
        minors = version_matrix.minors(text)
    except ValueError as error:
        raise click.UsageError(f"--kubernetes {error}") from error
    with session.services(offline=True) as services:
        whole = checking.whole(session, services)
        names = checking.names(session, services)
        request = checking.request(session, services, whole)
        with session.reporting("render", STAGE) as reporter:
            versions = version_matrix.matrix(request, minors, services.toolbox, reporter)
    components = [component.name for component in whole.stack.components if names is None or component.name in names]
    for line in versions_text.lines(components, versions, session.output.verbosity):
        session.print(line)
    session.print_json("check --kubernetes", stack=whole.stack.name, **versions_text.content(components, versions))
    is_bad = any(
        version.failure or any(finding.severity is Severity.ERROR for finding in version.findings)
        for version in versions
    )
    return 1 if is_bad else 0
