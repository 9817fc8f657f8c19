"""plugins list|allow: what is installed, and which functions of workspaces may run."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cluster_forge.cli import help_page
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import verb

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cluster_forge.foundation.digest import Digest
    from cluster_forge.ports.plugins import InstalledPlugin

command = help_page.group(
    "plugins",
    """List installed plug-ins, or allow functions of workspaces to run.

    A plug-in is a Python package that is installed beside Cluster-Forge: a transformer, a check, a source or a delivery. A
    function is a program in a workspace; it runs only after you allowed its digest on this machine.

    Examples:
        cluster-forge plugins list
        cluster-forge plugins allow input/set-team.sh
    """,
)


@verb()
def list_(session: Session) -> int:
    """List the plug-ins that are installed, with their packages.

    Each is loaded once, in a process of its own. One that cannot be used is listed with the reason, and the exit code is 1.

    Examples:
        cluster-forge plugins list
        cluster-forge plugins list --format json
    """
    from cluster_forge import composition, plugin_api
    from cluster_forge.service_options import RenderOptions

    plugins = composition.installed_plugins(RenderOptions()).installed()
    functions = sorted(composition.allowed_functions())
    for line in _lines(plugins):
        session.print(line)
    for digest in functions:
        session.print(f"function  {digest}  allowed")
    session.print_json(
        "plugins list",
        apiVersion=plugin_api.API_VERSION,
        plugins=[_json(plugin) for plugin in plugins],
        functions=[str(digest) for digest in functions],
    )
    return 1 if any(plugin.problem for plugin in plugins) else 0


@verb()
@click.argument("functions", metavar="FILE|DIGEST...", nargs=-1, required=True)
@click.option("--forget", is_flag=True, help="Allow them no longer.")
def allow(session: Session, functions: tuple[str, ...], forget: bool) -> None:
    """Allow functions of workspaces to run on this machine.

    A function runs with your rights: read it first. What is allowed is its content, wherever it is; a changed function
    is to be allowed again. Without this, a function runs only with --allow-exec.

    Examples:
        cluster-forge plugins allow input/set-team.sh
        cluster-forge plugins allow --forget input/set-team.sh
    """
    from cluster_forge import composition
    from cluster_forge.foundation.error_groups import gathered

    digests = gathered(partial(_digest, text, session.workspace) for text in functions)
    (composition.forget_functions if forget else composition.allow_functions)(digests)
    for text, digest in zip(functions, digests, strict=True):
        session.print(f"{'no longer allowed' if forget else 'allowed'}: {text}")
        session.print(f"  digest: {digest}")
    session.print_json("plugins allow", functions=[str(digest) for digest in digests], allowed=not forget)


def _digest(text: str, workspace: Path) -> Digest:
    """The digest that was typed, or that of a file: beside the user, or in the workspace.

    Raises:
        WorkspaceError: if there is no such file.
    """
    from cluster_forge.foundation.digest import Digest
    from cluster_forge.foundation.errors import WorkspaceError

    if text.startswith("sha256:"):
        try:
            return Digest.parse(text)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error
    path = next((path for path in (Path(text), workspace / text) if path.is_file()), None)
    if path is None:
        raise WorkspaceError(
            "there is no such file", where=text, fix="name the function's file, or its digest: sha256:…"
        )
    try:
        return Digest.of(path.read_bytes())
    except OSError as error:
        raise WorkspaceError(f"it cannot be read: {error.strerror}", where=text, fix="see whose it is") from error


def _lines(plugins: Sequence[InstalledPlugin]) -> Iterator[str]:
    from cluster_forge.cli.output.terminal_text import one_line

    if not plugins:
        yield "no plug-in is installed"
    kinds, names, packages = (
        max((len(text) for text in column), default=0)
        for column in (
            [plugin.kind.noun for plugin in plugins],
            [one_line(plugin.name) for plugin in plugins],
            [_package(plugin) for plugin in plugins],
        )
    )
    for plugin in plugins:
        state = f"cannot be used: {one_line(plugin.problem)}" if plugin.problem else one_line(plugin.summary)
        yield (
            f"{plugin.kind.noun:<{kinds}}  {one_line(plugin.name):<{names}}  {_package(plugin):<{packages}}  "
            f"API {plugin.api_version or '-'}  {state}"
        ).rstrip()


def _package(plugin: InstalledPlugin) -> str:
    from cluster_forge.cli.output.terminal_text import one_line

    return one_line(f"{plugin.package} {plugin.version}".rstrip())


def _json(plugin: InstalledPlugin) -> dict[str, Any]:
    return {
        "kind": plugin.kind.noun,
        "name": plugin.name,
        "package": plugin.package,
        "version": plugin.version,
        "apiVersion": plugin.api_version,
        "summary": plugin.summary,
        "usable": not plugin.problem,
        "problem": plugin.problem,
        "fix": plugin.fix,
    }


command.add_command(list_, "list")
command.add_command(allow, "allow")
