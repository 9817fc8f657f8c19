"""Chart archives as bytes: those of others checked, local folders packed.

The module as a whole is what `ChartSources` takes as its ``charts``.
"""

from cluster_forge.adapters.charts.archive import ChartIdentity, check_archive
from cluster_forge.adapters.charts.folder import pack_folder

__all__ = ["ChartIdentity", "check_archive", "pack_folder"]
