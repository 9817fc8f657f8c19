"""Sources of charts and manifests: mirrors first, then the network; directories and archives in ``input/``."""

from cluster_forge.adapters.sources.chart_sources import ChartSources

__all__ = ["ChartSources"]
