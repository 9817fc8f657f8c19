"""The workspace's files: read, and written so that a failed or killed run leaves them whole."""

from cluster_forge.adapters.workspace.file_stamps import Stamp
from cluster_forge.adapters.workspace.kept_digests import KeptDigests
from cluster_forge.adapters.workspace.kept_edits import FolderOfEdits
from cluster_forge.adapters.workspace.output_folder import OutputFolder
from cluster_forge.adapters.workspace.run_log import RunLog, append_to_history
from cluster_forge.adapters.workspace.workspace_files import WorkspaceFiles

__all__ = ["FolderOfEdits", "KeptDigests", "OutputFolder", "RunLog", "Stamp", "WorkspaceFiles", "append_to_history"]
