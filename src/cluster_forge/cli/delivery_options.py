"""Options that several verbs have that change a cluster."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, Final

import click

from cluster_forge.cli.click_options import Amount

waits: Final = click.option(
    "--wait/--no-wait", "waits", default=True, help="Wait until everything is ready [default: --wait]."
)
timeout: Final = click.option(
    "--timeout",
    type=Amount(1, 86_400),
    default=600,
    metavar="SECONDS",
    show_default=True,
    help="How long to wait for one object, in seconds.",
)
cluster: Final = click.option(
    "--cluster",
    metavar="NAME",
    help="A cluster of the description; with --context: one that the Argo CD there delivers to.",
)
_ADOPT: Final = click.option(
    "--adopt", is_flag=True, help="Take over objects in the cluster that are not of this stack."
)
_FORCE_CONFLICTS: Final = click.option(
    "--force-conflicts", is_flag=True, help="Take over fields that another manager has set."
)
_RECREATE: Final = click.option(
    "--recreate",
    is_flag=True,
    help="Delete objects with fields that cannot change, and create them again; volumes stay.",
)
_FORCE_VERSION: Final = click.option(
    "--force-version", is_flag=True, help="Deploy to a Kubernetes version that the stack does not support."
)
_FORCE_ENVIRONMENT: Final = click.option(
    "--force-environment", is_flag=True, help="Replace the stack of another environment in the cluster."
)
_ALLOW_MISSING_APIS: Final = click.option(
    "--allow-missing-apis", is_flag=True, help="Deploy although the cluster lacks a kind: an operator defines it later."
)
_ALLOW_MISSING_SECRETS: Final = click.option(
    "--allow-missing-secrets", is_flag=True, help="Deploy although a Secret that the stack expects is not there yet."
)
_ALLOW: Final = click.option(
    "--allow",
    "allowed",
    metavar="CODE",
    multiple=True,
    help="Go on although a check before the deployment found this (repeatable).",
)
_PASSING: Final = {
    "adopt": _ADOPT,
    "force_conflicts": _FORCE_CONFLICTS,
    "recreate": _RECREATE,
    "force_version": _FORCE_VERSION,
    "force_environment": _FORCE_ENVIRONMENT,
    "allow_missing_apis": _ALLOW_MISSING_APIS,
    "allow_missing_secrets": _ALLOW_MISSING_SECRETS,
    "allowed": _ALLOW,
}


def passing(command: Callable[..., int]) -> Callable[..., int]:
    """``command`` with the options that let the checks before a deployment pass, which it gets as one mapping ``passing``, for
    `DeployOptions`. What a check says to pass is an option of each verb that makes it.
    """

    @functools.wraps(command)
    def call(*arguments: Any, **given: Any) -> int:
        chosen = {name: given.pop(name) for name in _PASSING}
        return command(*arguments, passing={**chosen, "allowed": _known(chosen["allowed"])}, **given)

    for option in reversed(_PASSING.values()):
        option(call)
    return call


def _known(codes: Iterable[str]) -> frozenset[str]:
    """The codes that were allowed.

    Raises:
        BadParameter: for one that no check has.
    """
    from cluster_forge.foundation.names import did_you_mean
    from cluster_forge.stages.deliver.preflight import registry

    allowed = frozenset(codes)
    for code in sorted(allowed - registry.CODES.keys() if allowed else ()):
        hint = did_you_mean(code, registry.CODES) or f": one of {', '.join(registry.CODES)}"
        raise click.BadParameter(f"unknown code {code!r}{hint}", param_hint="--allow")
    return allowed
