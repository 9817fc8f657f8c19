"""catalog new|test: writing a component for the user's own catalog from a chart, and testing components."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cluster_forge.cli.click_options import checked
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import BUILDS, FETCHES, verb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cluster_forge.ports.rendering import YamlReader
    from cluster_forge.ports.workspace import Workspace
    from cluster_forge.stack.component import Values
    from cluster_forge.stages.catalog.new import Draft

_CATALOG = "./catalog"
"""Where the first catalog of a workspace is created, relative to input/."""


def _check_label(text: str) -> None:
    from cluster_forge.foundation.names import ComponentName

    ComponentName(text)


def _check_category(text: str) -> None:
    from typing import get_args

    from cluster_forge.catalog.component_format import Category
    from cluster_forge.foundation.names import did_you_mean

    known = get_args(Category)
    if text not in known:
        raise ValueError(f"unknown category {text!r}{did_you_mean(text, known)}; known: {', '.join(known)}")


@verb(*BUILDS, *FETCHES)
@click.argument("name", callback=checked(_check_label))
@click.option(
    "--chart",
    metavar="ADDRESS",
    required=True,
    help="REPOSITORY/CHART (https:// or oci://), or a folder or .tgz below input/.",
)
@click.option("--version", metavar="VERSION", help="Version of the chart [default: the newest].")
@click.option(
    "--namespace", metavar="NAME", callback=checked(_check_label), help="Namespace of its objects [default: its name]."
)
@click.option(
    "--category",
    metavar="NAME",
    callback=checked(_check_category),
    help="Category in lists [default: from the chart's keywords].",
)
@click.option(
    "--values",
    "values_file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Values that the chart needs to render at all.",
)
def new(session: Session, name: str, chart: str, values_file: Path | None, **given: str | None) -> None:
    """Write a component for your own catalog from a chart.

    The chart is rendered with many values tried. The result, components/NAME.yaml in the workspace's catalog, has what
    was found: Secrets, requests and limits, sizes, monitoring, requirements and APIs. Remarks list what you should check
    by hand. If the workspace has no catalog yet, one is created and added to the description.

    Examples:
        cluster-forge catalog new shop --chart https://charts.example.com/shop
        cluster-forge catalog new shop --chart input/charts/shop --values shop.yaml
    """
    from cluster_forge.cli import description
    from cluster_forge.stack.input_record import DESCRIPTION
    from cluster_forge.stages.catalog.new import text

    files = session.files()
    content = description.content(files, str(session.workspace.resolve()))
    path = _new_file(name, files, _own_catalogs(content))
    edited = _with_catalog(content)
    draft, is_known = _draft(session, name, chart, values_file, given)
    files.write(path, text(draft).encode())
    if edited != content:
        files.write(DESCRIPTION, edited)
        session.print(f"{DESCRIPTION}: added catalogs: [{_CATALOG}]")
    _print_draft(session, draft, path, is_known=is_known)


def _draft(
    session: Session, name: str, chart: str, values_file: Path | None, given: Mapping[str, str | None]
) -> tuple[Draft, bool]:
    """The draft of a component, and whether a catalog has one of its name already."""
    from cluster_forge import composition
    from cluster_forge.cli import description
    from cluster_forge.stages.catalog import new

    helm = {**_chart(chart, session.workspace), "version": given["version"] or ""}
    with _uncached(session).services() as services, session.reporting(new.STAGE) as reporter:
        toolbox, library = services.toolbox, description.catalog_of(session, may_be_empty=True)
        request = new.NewComponent(
            name=name,
            helm=helm,
            namespace=given["namespace"] or name,
            category=given["category"] or "",
            values=_values(values_file, toolbox.reader) if values_file else {},
        )
        trials = composition.trial_renderer(services, library)
        return new.draft(request, trials, toolbox.workers, reporter), name in library.names


def _print_draft(session: Session, draft: Draft, path: str, *, is_known: bool) -> None:
    from cluster_forge.cli.output import catalog_text

    name = draft.component["name"]
    session.print(f"wrote {path}; please check:")
    for remark in draft.remarks:
        for line in catalog_text.wrapped("  ", remark):
            session.print(line)
    if is_known:
        session.print(f"the catalog has a component {name} already: yours overrides it")
    session.print(f"next: {session.command_line(f'catalog test {name}')}")
    session.print_json("catalog new", path=path, component=draft.component, remarks=list(draft.remarks))


def _with_catalog(content: bytes) -> bytes:
    """The description with the workspace's catalog, if it has none yet."""
    from cluster_forge.stack import description_edits

    return description_edits.with_catalog(content.decode(), _CATALOG).encode()


def _uncached(session: Session) -> Session:
    """Random values of a chart show only if it is rendered twice."""
    return replace(session, rendering=replace(session.rendering, no_cache=True))


def _new_file(name: str, files: Workspace, catalogs: tuple[str, ...]) -> str:
    """The file for a new component, in the last catalog: it overrides all others.

    Raises:
        WorkspaceError: if one of the catalogs has the component.
    """
    from cluster_forge.foundation.errors import WorkspaceError
    from cluster_forge.stack.input_files import in_input

    paths = [f"{in_input(catalog)}/components/{name}.yaml" for catalog in catalogs]
    for path in paths:
        if files.read(path) is not None:
            raise WorkspaceError(
                f"the component {name} exists already", where=path, fix="edit or remove the file, or pass another NAME"
            )
    return paths[-1]


def _own_catalogs(content: bytes) -> tuple[str, ...]:
    """The catalogs that a description lists, or the one that will be created.

    Raises:
        DescriptionError: if it is not YAML, is in the legacy format, or `catalogs` is not a list.
    """
    from cluster_forge.foundation.errors import DescriptionError
    from cluster_forge.stack.catalog_addresses import is_fetched
    from cluster_forge.stack.input_record import DESCRIPTION
    from cluster_forge.yaml import positioned_reader

    document = positioned_reader.read(content, DESCRIPTION).root
    if not document.mapping:
        raise DescriptionError(
            "catalogs need the native format",
            where=document.where,
            fix="convert the description: cluster-forge convert -o input/config.yaml",
        )
    catalogs = document.get("catalogs")
    if catalogs is None or catalogs.content in (None, ()):
        return (_CATALOG,)
    names = tuple(str(folder.content) for folder in document.strings("catalogs"))
    folders = tuple(name for name in names if not is_fetched(name))
    if not folders or len(names) < len(catalogs.items):
        raise DescriptionError(
            "`catalogs` must be a list of folders", where=catalogs.where, fix="write catalogs: [./catalog]"
        )
    return folders


def _values(file: Path, reader: YamlReader) -> Values:
    """Helm values from a file."""
    from cluster_forge.foundation.errors import ManifestError

    try:
        values = reader.read(file.read_text(encoding="utf-8"))
    except (ManifestError, UnicodeDecodeError) as error:
        raise click.UsageError(f"--values {file}: {getattr(error, 'message', error)}") from error
    if not isinstance(values, dict):
        raise click.UsageError(f"--values {file}: not a mapping of values")
    return values


def _chart(address: str, workspace: Path) -> dict[str, str]:
    """The key ``helm`` of a description for an address."""
    if "://" in address:
        repository, _, chart = address.rstrip("/").rpartition("/")
        if repository.endswith(("/", ":")):
            raise click.UsageError(
                f"--chart {address}: the chart's name is missing: --chart {address.rstrip('/')}/NAME"
            )
        return {"repository": repository, "chart": chart}
    inside = (workspace / "input").resolve()
    path = next((path for path in (Path(address), workspace / address) if path.exists()), Path(address)).resolve()
    if not path.is_relative_to(inside):
        raise click.UsageError(
            f"--chart {address}: not below {workspace / 'input'}: copy the chart to input/charts/, or pass an address"
        )
    return {"chart": path.relative_to(inside).as_posix()}


@verb(*BUILDS, *FETCHES)
@click.argument("names", nargs=-1, metavar="[NAME]...")
def test(session: Session, names: tuple[str, ...]) -> int:
    """Test components of a catalog at all sizes and Kubernetes versions.

    Every component must render the same twice and pass the production checks, and every size, wiring and example
    must change something. NAME is a component or collection; without one the workspace's own catalogs are tested. The
    exit code is 1 if a test failed.

    Examples:
        cluster-forge catalog test
        cluster-forge catalog test shop -v   # with the resource requests of sizes
    """
    from cluster_forge import composition
    from cluster_forge.catalog.library import flattened
    from cluster_forge.cli.description import catalog_of
    from cluster_forge.cli.output import catalog_text
    from cluster_forge.foundation.names import counted
    from cluster_forge.stages.catalog import test

    library = catalog_of(session)
    components = flattened(names, library.collections) if names else library.own
    if not components:
        raise click.UsageError(
            "the workspace has no catalog of its own: pass a NAME (see `cluster-forge catalog list`)"
        )
    with _uncached(session).services() as services, session.reporting(test.STAGE) as reporter:
        trials = composition.trial_renderer(services, library)
        verdicts = test.test(components, trials, services.toolbox.workers, reporter)
    for verdict in verdicts:
        for line in catalog_text.verdict(verdict, with_sizes=session.output.verbosity > 1):
            session.print(line)
    findings = sum(len(verdict.findings) for verdict in verdicts)
    outcome = counted(findings, "finding") if findings else "no findings"
    session.print(f"{counted(len(verdicts), 'component')}: {outcome}")
    session.print_json("catalog test", components=[verdict.as_json() for verdict in verdicts])
    return 1 if findings else 0
