"""Where charts and manifests come from: mirrors first, then the network; folders and archives of ``input/``."""

from cluster_forge.adapters.sources.chart_sources import ChartSources

__all__ = ["ChartSources"]
