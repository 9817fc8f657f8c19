"""The workspace's files: read, and written so that a failed or killed run leaves them whole."""

from cluster_forge.adapters.stack_files.workspace import WorkspaceFiles

__all__ = ["WorkspaceFiles"]
