"""``deploy --through NAME``: a cast stack is handed to a delivery plug-in, and no cluster is looked at."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from cluster_forge.cli.session import Session
    from cluster_forge.stages.deliver.through import PluginDelivery

_ALSO: Final = frozenset({"timeout"})
"""The options of `deploy` that hold for a plug-in, too."""


def options(deploy: Callable[..., int]) -> Callable[..., int]:
    """``deploy`` with ``--through`` and ``--with``: with the first, the plug-in delivers, and ``deploy`` is not called."""

    @click.option("--through", metavar="NAME", help="Deliver with an installed plug-in: cluster-forge plugins list.")
    @click.option(
        "--with",
        "settings",
        metavar="KEY=VALUE",
        multiple=True,
        help="With --through: a setting for the plug-in (repeatable).",
    )
    @functools.wraps(deploy)
    def call(
        session: Session, stack: str | None, *, through: str | None, settings: tuple[str, ...], **others: Any
    ) -> int:
        if not through:
            if settings:
                raise click.UsageError("--with needs --through NAME")
            return deploy(session, stack, **others)
        _refuse_others(session, sorted(others.keys() - _ALSO))
        return _deliver(session, stack, through, _settings(settings), others["timeout"])

    return call


def _refuse_others(session: Session, names: Iterable[str]) -> None:
    """What a plug-in does not know of is an error, and not left out silently.

    Raises:
        UsageError: for the first of the options ``names`` that was given.
    """
    if session.is_on_many or session.cluster.context or session.cluster.kubeconfig:
        raise click.UsageError("--through has its own way to a cluster: leave --context and the like out")
    context = click.get_current_context()
    options = {parameter.name: parameter.opts[0] for parameter in context.command.params}
    for name in names:
        if context.get_parameter_source(name) not in (None, click.core.ParameterSource.DEFAULT):
            raise click.UsageError(f"{options[name]} does not go with --through: the plug-in has its own --with")


def _settings(texts: tuple[str, ...]) -> Mapping[str, str]:
    """``KEY=VALUE`` as a mapping.

    Raises:
        BadParameter: for a text without ``=``, and for a key that stands twice.
    """
    settings: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise click.BadParameter(f"{text!r} is not KEY=VALUE", param_hint="--with")
        if key in settings:
            raise click.BadParameter(f"{key} is given twice", param_hint="--with")
        settings[key] = value
    return settings


def _deliver(session: Session, stack: str | None, name: str, settings: Mapping[str, str], patience: float) -> int:
    from cluster_forge import composition
    from cluster_forge.cli import deployer, stack_folders
    from cluster_forge.service_options import RenderOptions
    from cluster_forge.stages.deliver.through import ThroughRequest, deliver

    with stack_folders.opened(session, stack, "deploy") as place, session.reporting("deploy") as reporter:
        deployment, parts = stack_folders.read(session, place)
        deployer.confirm(session, f"Deliver {place.title} through {name}?")
        request = ThroughRequest(
            plugin=name,
            folder=str(place.path),
            deployment=deployment,
            parts=parts,
            settings=settings,
            patience=patience,
        )
        plugins = composition.installed_plugins(RenderOptions())
        done = deliver(request, plugins, reporter)
    return _concluded(session, done)


def _concluded(session: Session, done: PluginDelivery) -> int:
    """Print the result; the exit code.

    Raises:
        DeploymentError: as `deployer.concluded`, if a component has failed.
    """
    from cluster_forge.cli import deployer
    from cluster_forge.cli.output.terminal_text import one_line
    from cluster_forge.foundation.errors import DeploymentError

    lines = [f"{one.name}  {one.state}  {one_line(one.message)}".rstrip() for one in done.components]
    for line in lines:
        session.print(line)
    session.print_json(
        "deploy",
        stack=done.stack,
        through=done.plugin,
        components=[{"name": str(one.name), "state": one.state, "message": one.message} for one in done.components],
    )
    failure = DeploymentError(
        f"{done.plugin} has not delivered {', '.join(done.failed)}", fix="see its messages; it may be run again"
    )
    return deployer.concluded(session, [failure] if done.failed else [], lines)
