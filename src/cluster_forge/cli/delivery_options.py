"""Options that several verbs have that change a cluster."""

from __future__ import annotations

from typing import Final

import click

waits: Final = click.option(
    "--wait/--no-wait", "waits", default=True, help="Wait until everything is ready [default: --wait]."
)
timeout: Final = click.option(
    "--timeout",
    type=click.FloatRange(1, 86_400),
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
force_conflicts: Final = click.option(
    "--force-conflicts", is_flag=True, help="Take over fields that another manager has set."
)
recreate: Final = click.option(
    "--recreate",
    is_flag=True,
    help="Delete objects with fields that cannot change, and create them again; volumes stay.",
)
force_version: Final = click.option(
    "--force-version", is_flag=True, help="Deploy to a Kubernetes version that the stack does not support."
)
