"""The cast stack that a verb works on: STACK on the command line, or the only one there is."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cluster_forge.cli.session import Session
    from cluster_forge.ports.progress import Reporter
    from cluster_forge.ports.workspace import FolderReader, FolderWriter


@contextlib.contextmanager
def opened(session: Session, stack: str | None, verb: str, reporter: Reporter) -> Iterator[tuple[FolderReader, str]]:
    """The files that hold a cast stack, and its folder in them: those of the workspace, or for ``oci://…`` those that are
    pulled for as long as the context lasts.

    Raises:
        UnknownNameError, StaleError: as `chosen`.
        FetchError, ImageError: if the stack cannot be pulled, or is not what `push` sent.
    """
    from cluster_forge import composition
    from cluster_forge.oci.reference import SCHEME
    from cluster_forge.stages.build.cast import STACKS
    from cluster_forge.stages.supply import cast_stack

    if not (stack or "").startswith(SCHEME):
        files = composition.workspace_files(session.workspace)
        yield files, f"{STACKS}/{chosen(stack, cast_stack.folders(files), verb)}"
        return
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory(prefix="cluster-forge-") as directory:
        files = composition.workspace_files(Path(directory))
        yield files, _pulled(session, stack or "", files, reporter)


def _pulled(session: Session, address: str, files: FolderWriter, reporter: Reporter) -> str:
    """The folder that was pulled."""
    from cluster_forge import composition
    from cluster_forge.cli import description
    from cluster_forge.oci.reference import ImageReference
    from cluster_forge.stages.supply.pull import PullRequest, PullTools, pull

    described = description.stack_if_any(session)
    registries = composition.registries(session.settings(), described.registries if described else ())
    tools = PullTools(files=files, registry=registries.registry, workers=registries.workers, reporter=reporter)
    return pull(PullRequest(reference=ImageReference.read(address)), tools).folder


def chosen(stack: str | None, folders: Sequence[str], verb: str) -> str:
    """The folder below ``stacks/`` that ``verb`` works on; ``folders`` are those that hold a cast stack.

    Raises:
        UnknownNameError: if there is no such folder, or several to choose from.
        StaleError: if there is none at all.
    """
    from cluster_forge.foundation.errors import StaleError, UnknownNameError
    from cluster_forge.foundation.names import did_you_mean

    if not folders:
        raise StaleError("there is no cast stack below stacks/", fix="run `cluster-forge forge`")
    if stack is None and len(folders) > 1:
        raise UnknownNameError(
            f"several stacks are cast: {', '.join(folders)}", fix=f"name one: cluster-forge {verb} {folders[0]}"
        )
    name = stack or folders[0]
    if name not in folders:
        raise UnknownNameError(
            f"stacks/{name} is not a cast stack{did_you_mean(name, folders)}", fix="run `cluster-forge cast`"
        )
    return name
