"""The status of logins as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster_forge.cli.output.terminal_text import one_line, styled
from cluster_forge.ports.credentials import Verdict
from cluster_forge.stages.supply.logins import ServerStatus

_COLORS: Final = {Verdict.WORKS: "green", Verdict.NOT_ASKED: "green", Verdict.REFUSED: "red", Verdict.FAILED: "red"}
_SHOWN: Final = 3
"""Purposes in a line."""


def lines(server: ServerStatus) -> Iterator[str]:
    """A line about a host, and what is wrong with its login."""
    credential = str(server.credential) if server.credential else "no credential"
    trial = server.trial
    verdict = (trial.verdict, {"fg": _COLORS[trial.verdict]}) if trial else "not tried"
    further = f" and {len(server.purposes) - _SHOWN} more" if len(server.purposes) > _SHOWN else ""
    yield styled(
        f"{server.host or server.address}: {credential}: ",
        verdict,
        f"  ({', '.join(server.purposes[:_SHOWN])}{further})",
    )
    if trial and server.is_failing:
        yield f"  {one_line(trial.message)}"
        if trial.fix:
            yield f"  fix: {one_line(trial.fix)}"
