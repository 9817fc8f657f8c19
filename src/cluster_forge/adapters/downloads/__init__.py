"""Files fetched by HTTP, or read where nothing may be fetched."""

from cluster_forge.adapters.downloads.http import HttpDownloads, NoDownloads

__all__ = ["HttpDownloads", "NoDownloads"]
