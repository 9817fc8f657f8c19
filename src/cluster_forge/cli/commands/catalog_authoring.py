"""catalog new|test: components of one's own, begun from a chart and tried."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cluster_forge.cli.output import catalog_text
from cluster_forge.cli.session import Session, verb

if TYPE_CHECKING:
    from cluster_forge.catalog.library import Library
    from cluster_forge.composition import Services
    from cluster_forge.ports.rendering import YamlReader
    from cluster_forge.stack.model import Values
    from cluster_forge.stages.catalog.trial_renderer import TrialRenderer

_CATALOG = "./catalog"
"""Where a workspace's own catalog is begun, relative to input/."""


def _label(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    """A name or namespace on the command line."""
    from cluster_forge.foundation.names import ComponentName

    try:
        return text and str(ComponentName(text))
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from error


def _known_category(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    from typing import get_args

    from cluster_forge.catalog.component_format import Category
    from cluster_forge.foundation.names import did_you_mean

    known = get_args(Category)
    if text and text not in known:
        message = f"no category {text!r}{did_you_mean(text, known)}; there are {', '.join(known)}"
        raise click.BadParameter(message, context, parameter)
    return text


@verb("Begin a component of one's own from a chart.", sources=True, network=True)
@click.argument("name", callback=_label)
@click.option(
    "--chart", metavar="ADDRESS", required=True, help="REPOSITORY/CHART (https, oci), or a folder or .tgz below input/."
)
@click.option("--version", metavar="VERSION", help="Of the chart; without it the newest.")
@click.option("--namespace", metavar="NAME", callback=_label, help="Where its objects go (default: its name).")
@click.option(
    "--category",
    metavar="NAME",
    callback=_known_category,
    help="Where lists show it (default: what the chart tells).",
)
@click.option(
    "--values",
    "values_file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Values without which the chart does not render.",
)
def new(session: Session, name: str, chart: str, values_file: Path | None, **said: str | None) -> None:
    """Writes components/NAME.yaml into the workspace's own catalog, and names that in the description: Secrets, requests and
    limits, sizes, monitoring, needs and APIs as they came out when the chart was rendered, and what is left to be looked at.
    Then: cluster-forge catalog test NAME.
    """
    from cluster_forge.cli.description import catalog_of, no_description
    from cluster_forge.foundation.errors import WorkspaceError
    from cluster_forge.stack import description_edits
    from cluster_forge.stack.input_files import in_input
    from cluster_forge.stack.input_record import DESCRIPTION
    from cluster_forge.stages.catalog import new

    files = session.files()
    content = files.read(DESCRIPTION)
    if content is None:
        raise no_description(files)
    listed = _own_catalogs(content)
    for each in listed:
        path = f"{in_input(each)}/components/{name}.yaml"
        if files.read(path) is not None:
            raise WorkspaceError(
                "there is such a component already", where=path, fix="edit it, or take another name, or remove the file"
            )
    path = f"{in_input(listed[-1])}/components/{name}.yaml"  # what the last catalog has goes before all others
    description = description_edits.with_catalog(content.decode(), _CATALOG)
    helm = {**_chart(chart, session.workspace), "version": said["version"] or ""}
    fresh = replace(session, is_cached=False)  # what is drawn at random shows only when it is made twice
    with fresh.services() as services, session.reporting(new.STAGE) as reporter:
        toolbox, library = services.toolbox, catalog_of(session, may_be_empty=True)
        asked = new.NewComponent(
            name=name,
            helm=helm,
            namespace=said["namespace"] or name,
            category=said["category"] or "",
            values=_values(values_file, toolbox.reader) if values_file else {},
        )
        is_known = name in library.names
        draft = new.draft(asked, _trials(library, services), toolbox.workers, reporter)
    files.write(path, new.text(draft).encode())
    if description.encode() != content:
        files.write(DESCRIPTION, description.encode())
        session.say(f"{DESCRIPTION} names the catalog now: catalogs: [{_CATALOG}]")
    session.say(f"wrote {path}; to look at:")
    for remark in draft.remarks:
        for line in catalog_text.wrapped("  ", remark):
            session.say(line)
    if is_known:
        session.say(f"{name} is in the catalog already: yours is taken in its place")
    session.say(f"next: {session.line(f'catalog test {name}')}")
    session.answer("catalog new", path=path, component=draft.component, remarks=list(draft.remarks))


def _own_catalogs(content: bytes) -> tuple[str, ...]:
    """The catalogs that a description names, or the one that is begun.

    Raises:
        DescriptionError: if it is not YAML, is of the first format, or says no list there.
    """
    from cluster_forge.foundation.errors import DescriptionError
    from cluster_forge.stack.input_record import DESCRIPTION
    from cluster_forge.yaml import positioned_reader

    found = positioned_reader.read(content, DESCRIPTION).root
    if not found.mapping:
        raise DescriptionError(
            "catalogs are named in the native format only",
            where=found.where,
            fix="`cluster-forge convert` writes this description in it",
        )
    named = found.get("catalogs")
    if named is None or named.content in (None, ()):
        return (_CATALOG,)
    listed = tuple(str(each.content) for each in found.strings("catalogs"))
    if not listed or len(listed) < len(named.items):
        raise DescriptionError("`catalogs` is a list of folders", where=named.where, fix="write catalogs: [./catalog]")
    return listed


def _values(file: Path, reader: YamlReader) -> Values:
    """Helm values from a file."""
    from cluster_forge.foundation.errors import ManifestError

    try:
        found = reader.read(file.read_text(encoding="utf-8"))
    except (ManifestError, UnicodeDecodeError) as error:
        raise click.UsageError(f"--values {file}: {getattr(error, 'message', error)}") from error
    if not isinstance(found, dict):
        raise click.UsageError(f"--values {file}: values are a mapping")
    return found


def _chart(address: str, workspace: Path) -> dict[str, str]:
    """``helm`` as a description has it, by what was typed."""
    if "://" in address:
        repository, _, chart = address.rstrip("/").rpartition("/")
        if repository.endswith(("/", ":")):
            raise click.UsageError(
                f"--chart {address}: write the chart's name behind its repository: {address.rstrip('/')}/NAME"
            )
        return {"repository": repository, "chart": chart}
    inside = (workspace / "input").resolve()
    path = next((each for each in (Path(address), workspace / address) if each.exists()), Path(address)).resolve()
    if not path.is_relative_to(inside):
        raise click.UsageError(
            f"--chart {address}: a chart without an address has to lie below {workspace / 'input'}: put it into input/charts/"
        )
    return {"chart": path.relative_to(inside).as_posix()}


@verb(
    "Try components at all sizes and versions.",
    sources=True,
    network=True,
)
@click.argument("names", nargs=-1, metavar="[NAME]...")
def test(session: Session) -> int:
    """Three sizes and several versions of Kubernetes: each renders the same twice and keeps the rules for production, and every
    size, wiring and example changes something. NAME is a component or collection; without one those of the workspace's own
    catalogs are meant. Exit code 1 if something is not kept.
    """
    from cluster_forge.catalog.library import flattened
    from cluster_forge.cli.description import catalog_of
    from cluster_forge.foundation.names import counted
    from cluster_forge.stages.catalog import test

    library, names = catalog_of(session), session.selection.names
    listed = flattened(names, library.collections) if names else library.own
    if not listed:
        raise click.UsageError("the workspace has no catalog of its own: name what to test (`catalog list`)")
    with replace(session, is_cached=False).services() as services, session.reporting(test.STAGE) as reporter:
        trials = _trials(library, services)
        verdicts = test.test(listed, trials, services.toolbox.workers, reporter)
    for verdict in verdicts:
        for line in (
            *catalog_text.verdict(verdict),
            *(catalog_text.footprint(verdict.sizes) if session.verbosity > 1 else ()),
        ):
            session.say(line)
    findings = sum(len(verdict.findings) for verdict in verdicts)
    session.say(f"{counted(len(verdicts), 'component')}: {counted(findings, 'finding') if findings else 'no findings'}")
    session.answer("catalog test", components=[verdict.as_json() for verdict in verdicts])
    return 1 if findings else 0


def _trials(library: Library, services: Services) -> TrialRenderer:
    from cluster_forge.adapters import charts
    from cluster_forge.catalog.trial_plan import TrialPlans
    from cluster_forge.stages.catalog.trial_renderer import TrialRenderer

    toolbox = services.toolbox
    return TrialRenderer(TrialPlans(library), services.sources, toolbox.store, toolbox.renderer, charts, toolbox.reader)
