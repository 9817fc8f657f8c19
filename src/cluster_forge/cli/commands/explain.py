"""explain: where an object or an image of the stack comes from, and why its components come in their order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from cluster_forge.cli.commands import explain_words
from cluster_forge.cli.help_page import HelpCommand
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import BUILDS, DESCRIBES, verb

if TYPE_CHECKING:
    from cluster_forge.stages.explain.explanation import Explanation


@verb(*BUILDS, *DESCRIBES)
@click.argument("what", metavar="OBJECT")
@click.option("--environment", metavar="NAME", help="Apply an environment of the description.")
def command(session: Session, what: str, environment: str | None) -> None:
    """Show where an object comes from, and what changed each of its fields.

    OBJECT is written as kubectl does (deployment/web, Deployment.apps/shop/web), or is a file of working/. The result has
    component, chart, template and file, and for each field that is not as the chart has it: values, changes of the
    description, patches, hand edits, each with file and line; the last one wins. It also has what the object depends on,
    and what depends on it. Nothing is guessed: the chart is rendered without each value.

    `explain order`, `explain wave` and `explain image` explain the order of the components and the images.

    Examples:
        cluster-forge explain deployment/grafana
        cluster-forge explain working/grafana/service_monitoring_grafana.yaml
        cluster-forge explain Deployment.apps/shop/web --environment production
        cluster-forge explain order grafana
        cluster-forge explain wave -90
        cluster-forge explain image grafana
    """
    from cluster_forge.cli.output import explain_text

    session = replace(session, selection=replace(session.selection, environment=environment))
    explanation = _explanation(session, what)
    for line in explain_text.lines(explanation):
        session.print(line)
    session.print_json("explain", **explain_text.json(explanation))


assert isinstance(command, HelpCommand)
for name, word in explain_words.WORDS.items():
    command.add_word(name, word)


def _explanation(session: Session, what: str) -> Explanation:
    from cluster_forge.cli import description
    from cluster_forge.stages.build import locking
    from cluster_forge.stages.describe.load_description import load_lock
    from cluster_forge.stages.explain.explain_object import STAGE, ExplainRequest, explain_object

    parsed = description.parsed(session)
    with session.services(offline=True) as services:
        services.use_registries(parsed.stack.registries)
        lock = load_lock(services.files, services.toolbox.cache)
        request = ExplainRequest(
            stack=parsed.stack,
            sources=locking.look_up(parsed.stack.components, lock, services.sources),
            lock=lock,
            object=what,
            value_places=description.value_places(session, parsed),
        )
        with session.reporting("render", STAGE) as reporter:
            return explain_object(request, services.toolbox, reporter)
