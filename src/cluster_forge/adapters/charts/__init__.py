"""`ports.Charts`: archives of others checked, local directories packed. This package is the adapter itself."""

from cluster_forge.adapters.charts.archive import check_archive, described
from cluster_forge.adapters.charts.folder import pack_folder

__all__ = ["check_archive", "described", "pack_folder"]
