"""The audit trail of a workspace: who cast what, from which description, lock and tool."""

from __future__ import annotations

import getpass
import os
import platform

from cluster_forge import __version__
from cluster_forge.adapters.workspace import WorkspaceFiles, record
from cluster_forge.cli.arguments import without_secrets
from cluster_forge.cli.output import error_text
from cluster_forge.cli.session import Session
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import WorkspaceError
from cluster_forge.stack import lock
from cluster_forge.stages.build.cast import CastResult
from cluster_forge.stages.describe.load_description import Description


def keep(session: Session, verb: str, described: Description, cast: CastResult, files: WorkspaceFiles) -> None:
    """Append a line about what was cast. That it cannot be written is told, but takes nothing away from the stack."""
    locked = files.read(lock.FILE)
    entry = {
        "user": _user(),
        "host": platform.node(),
        "verb": verb,
        "arguments": without_secrets(session.arguments),
        "stack": cast.stack,
        "description": {path: str(digest) for path, digest in sorted(described.digests.items())},
        "lock": str(Digest.of(locked)) if locked is not None else None,
        "tool": __version__,
        "image": str(cast.image),
        "commit": cast.commit,
        "revision": cast.revision,
    }
    try:
        record(session.workspace, entry)
    except WorkspaceError as error:
        error_text.tell(f"warning: the stack was cast, but {error.message}", color=session.color)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container whose user has no name
        return str(os.getuid()) if hasattr(os, "getuid") else ""
