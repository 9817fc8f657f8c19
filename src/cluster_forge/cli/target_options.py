"""The options for a target that several verbs have: ``--size`` and ``--kubernetes``."""

from __future__ import annotations

from typing import Final

import click

DEFAULT_KUBERNETES: Final = "1.33"
"""The Kubernetes version of a description that names none."""

SIZES: Final = ("small", "medium", "large")
"""`stack.model.Size`, without importing it for help texts."""


def _kubernetes(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    from cluster_forge.stack.model import KubernetesVersion

    try:
        return text and f"{(version := KubernetesVersion.parse(text)).major}.{version.minor}"
    except ValueError as error:
        raise click.BadParameter(f"{error}: write {DEFAULT_KUBERNETES}", context, parameter) from error


kubernetes = click.option(
    "--kubernetes",
    metavar="VERSION",
    callback=_kubernetes,
    help=f"Kubernetes version of the target: {DEFAULT_KUBERNETES}.",
)
size = click.option("--size", type=click.Choice(SIZES), help="Size of the target: picks the catalog's size values.")
size_or_small = click.option(
    "--size",
    type=click.Choice(SIZES),
    default="small",
    show_default=True,
    help="Size of the target: picks the catalog's size values.",
)
