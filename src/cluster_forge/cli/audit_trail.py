"""The history of a workspace: who cast what, from which description, lock and version of the tool."""

from __future__ import annotations

import getpass
import os
import platform

from cluster_forge import __version__, composition
from cluster_forge.cli.arguments import without_secrets
from cluster_forge.cli.output.streams import to_stderr
from cluster_forge.cli.session import Session
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import WorkspaceError
from cluster_forge.ports.workspace import Workspace
from cluster_forge.stack import lock
from cluster_forge.stages.build.cast import CastResult
from cluster_forge.stages.describe.load_description import Description


def append(session: Session, verb: str, description: Description, cast: CastResult, files: Workspace) -> None:
    """Append an entry about what was cast. If it cannot be written, a warning says so: the stack is there."""
    lock_content = files.read(lock.FILE)
    entry = {
        "user": _user(),
        "host": platform.node(),
        "verb": verb,
        "arguments": without_secrets(session.arguments),
        "stack": cast.stack,
        "folder": cast.folder,
        "description": {path: str(digest) for path, digest in sorted(description.digests.items())},
        "lock": str(Digest.of(lock_content)) if lock_content is not None else None,
        "tool": __version__,
        "image": str(cast.image),
        "commit": cast.commit,
        "revision": cast.revision,
    }
    try:
        composition.append_history(session.workspace, entry)
    except WorkspaceError as error:
        to_stderr(f"warning: the stack was cast, but {error.message}", color=session.color)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container whose user has no name
        return str(os.getuid()) if hasattr(os, "getuid") else ""
