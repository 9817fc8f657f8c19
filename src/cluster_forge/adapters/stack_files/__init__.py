"""The workspace's files: read, and written so that a failed or killed run leaves them whole."""

from cluster_forge.adapters.stack_files.journal import RunLog, record
from cluster_forge.adapters.stack_files.marks import Mark
from cluster_forge.adapters.stack_files.workspace import WorkspaceFiles

__all__ = ["Mark", "RunLog", "WorkspaceFiles", "record"]
