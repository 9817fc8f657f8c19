"""The summary of `cast` and `forge`: what was written, where, how large it is, and the command to run next."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from cluster_forge.cli.output import changes_text
from cluster_forge.cli.output.counts import size
from cluster_forge.foundation import names
from cluster_forge.gitops.delivery_mode import TITLES, Delivery
from cluster_forge.stack.model import RepositorySource
from cluster_forge.stages.build.cast import CastResult

_DELIVERIES = {
    Delivery.DIRECT: "applies everything with kubectl alone, wave by wave",
    Delivery.INSTALL: "installs {engine}, which delivers the rest",
    Delivery.EXISTING: "hands the repository to the {engine} of the cluster",
}
_PUSHES = {RepositorySource.EXTERNAL: "push --git", RepositorySource.OCI: "push"}
"""How the stack gets to where the engine reads it."""


def summary(cast: CastResult, findings: str, *, is_whole: bool = False, has_discarded: bool = False) -> Iterator[str]:
    """The lines; ``findings`` is how many of each severity there are, ``is_whole`` lists all that changed,
    ``has_discarded``: smelt overwrote hand edits.
    """
    rows = [
        (
            "components",
            f"{cast.components}, {names.counted(cast.objects, 'object')}{f' ({findings})' if findings else ''}",
        ),
        ("repo.git", f"{size(cast.sizes['repo.git'])}, commit {cast.commit[:12]}, revision {cast.revision}"),
        ("image", f"{size(cast.sizes['image'])}, {cast.image} for {', '.join(cast.platforms)}"),
        ("images.txt", f"{names.counted(len(cast.images), 'container image')} that the stack runs"),
        ("bootstrap", f"{size(cast.sizes['bootstrap'])}, what deploy.sh applies"),
        ("deploy.sh", _DELIVERIES[cast.delivery].format(engine=TITLES.get(cast.gitops.engine))),
    ]
    yield f"{cast.folder} holds the stack {cast.stack!r}{f', {cast.about}' if cast.about else ''}:"
    for name, text in rows:
        yield f"  {name:<11} {text}"
    yield from changes_text.of_cast(cast.changes, is_whole=is_whole, has_discarded=has_discarded)


def next_steps(cast: CastResult, workspace: Path, command_line: Callable[[str], str]) -> Iterator[str]:
    """What to type next; ``command_line`` completes a verb."""
    name = shlex.quote(PurePosixPath(cast.folder).name)
    deploy = command_line(f"deploy {name}")
    script = shlex.quote(str(workspace / cast.folder / "deploy.sh"))
    if verb := _PUSHES.get(cast.gitops.source) if cast.delivery is not Delivery.DIRECT else "":
        yield f"next: {command_line(f'{verb} {name}')}   ({TITLES[cast.gitops.engine]} reads the stack from there)"
        yield f"then: {deploy}   (checks the cluster first, and asks)"
    else:
        yield f"next: {deploy}   (checks the cluster first, and asks)"
    yield f"  or: sh {script} --print   (with kubectl alone)"
