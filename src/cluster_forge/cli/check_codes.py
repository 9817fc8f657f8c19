"""The codes that `check --only` and `--skip-check` name: one that nothing has would hide a finding, or show none, silently."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from cluster_forge.foundation.names import did_you_mean
from cluster_forge.manifests.finding_codes import OWN_CHECKS

if TYPE_CHECKING:
    from cluster_forge.composition import Services
    from cluster_forge.stack.model import Stack


def refuse_unknown(codes: Iterable[str], stack: Stack, services: Services) -> None:
    """Check the codes of the workspace's own checks, and of plug-ins; the others were checked where they were parsed.

    Raises:
        UsageError: for the first that no check and no plug-in of the stack has.
        DescriptionError, ExceptionGroup: for checks that are not well-formed.
    """
    from cluster_forge.stages.build.assembly import own_checks

    for code in codes:
        if code.startswith(OWN_CHECKS):
            known = own_checks.codes(services.toolbox)
            if code not in known:
                message = f"no check in {own_checks.FOLDER}/ has the code {code!r}{did_you_mean(code, known)}"
                raise click.UsageError(message)
        elif "/" in code:
            plugins = {use.name for use in (*stack.checks, *stack.transforming)}
            plugin = code.partition("/")[0]
            if plugin not in plugins:
                meant = did_you_mean(plugin, plugins)
                raise click.UsageError(f"{code!r}: the stack uses no plug-in {plugin!r}{meant}")
