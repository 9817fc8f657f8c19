"""What became of the controls of a profile, for people and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from cluster_forge.checks.compliance.control import Result, Verdict
from cluster_forge.checks.compliance.profiles import Profile
from cluster_forge.cli.output.columns import notes
from cluster_forge.cli.output.terminal_text import one_line
from cluster_forge.foundation.names import counted

_SHOWN = 5


def lines(profile: Profile, results: Sequence[Result], *, is_long: bool) -> Iterator[str]:
    """A row for each control; below one that failed the first objects, with ``is_long`` all of them."""
    yield profile.title
    width = max((len(result.control.number) for result in results), default=0)
    for result in results:
        control = result.control
        number = f" ({counted(len(result.objects), 'object')})" if result.objects else ""
        yield f"  {control.number:<{width}}  " + one_line(f"{control.title}: {result.verdict}{number}")
        objects = [f"{manifest.provenance.component}: {manifest.id}" for manifest in result.objects]
        more = 0 if is_long else len(objects) - _SHOWN
        shown = objects if is_long else objects[:_SHOWN]
        yield from notes((*shown, *((f"and {more} more: -v shows them",) if more > 0 else ())))
    verdicts = Counter(result.verdict for result in results)
    yield ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in Verdict)


def json(results: Sequence[Result]) -> dict[str, Any]:
    """The controls with all objects that do not keep them."""
    return {
        "counts": {verdict.name.lower(): sum(result.verdict is verdict for result in results) for verdict in Verdict},
        "controls": [
            {
                "number": str(result.control.number),
                "title": result.control.title,
                "verdict": result.verdict.name.lower(),
                "objects": [
                    {"component": str(manifest.provenance.component), "object": str(manifest.id)}
                    for manifest in result.objects
                ],
            }
            for result in results
        ],
    }
