"""The history of a workspace: who cast what, from which description, lock and version of the tool, and who changed which cluster
with it.
"""

from __future__ import annotations

import getpass
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cluster_forge import __version__, composition
from cluster_forge.cli.arguments import without_secrets
from cluster_forge.cli.output.streams import to_stderr
from cluster_forge.foundation.errors import WorkspaceError

if TYPE_CHECKING:
    from pathlib import Path

    from cluster_forge.gitops.audit_entry import Entry
    from cluster_forge.ports.cluster import ClusterFacts
    from cluster_forge.ports.workspace import Workspace
    from cluster_forge.stages.build.cast import CastResult
    from cluster_forge.stages.describe.load_description import Description


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditTrail:
    """The history of the workspace of one call, with its ``arguments``. If a line cannot be written, a warning says so: what it
    says was done.
    """

    workspace: Path
    arguments: Sequence[str]
    color: bool | None

    def cast(self, verb: str, description: Description, done: CastResult, files: Workspace) -> None:
        """Append what was cast."""
        from cluster_forge.foundation.digest import Digest
        from cluster_forge.stack import lock

        lock_content = files.read(lock.FILE)
        entry = {
            "stack": done.stack,
            "folder": done.folder,
            "description": {path: str(digest) for path, digest in sorted(description.digests.items())},
            "lock": str(Digest.of(lock_content)) if lock_content is not None else None,
            "tool": __version__,
            "image": str(done.image),
            "commit": done.commit,
            "revision": done.revision,
        }
        self._append(verb, entry, "the stack was cast")

    def change(self, change: Entry, facts: ClusterFacts) -> None:
        """Append what was changed in a cluster."""
        entry = {
            "stack": change.stack,
            "tool": __version__,
            "image": change.image or None,
            "revision": change.version or None,
            "environment": change.environment or None,
            "context": facts.context,
            "server": facts.server,
            "cluster": change.cluster or None,
            "by": change.user,
            "run": change.run,
            "action": change.action,
            "release": change.release or None,
            "result": change.result or None,
            "message": change.message or None,
        }
        self._append(change.action.partition(" ")[0], entry, f"{facts} was changed")

    def _append(self, verb: str, entry: Mapping[str, Any], done: str) -> None:
        arguments = without_secrets(self.arguments)
        who = {"user": _user(), "host": platform.node(), "verb": verb, "arguments": arguments}
        try:
            composition.append_history(self.workspace, {**who, **entry})
        except WorkspaceError as error:
            to_stderr(f"warning: {done}, but {error.message}", color=self.color)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container whose user has no name
        return str(os.getuid()) if hasattr(os, "getuid") else ""
