"""Sources of charts and manifests: mirrors first, then the network; directories and archives in ``input/``.

`StackSources` resolves, checks and stores; each kind of source is one module: `http_repositories`, `oci_repositories`,
`local_charts`, `mirror`.
"""

from cluster_forge.adapters.sources.stack_sources import StackSources

__all__ = ["StackSources"]
