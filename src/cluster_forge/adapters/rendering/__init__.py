"""`ports.Maker`: in this process, in processes that can be ended, and with what was made before."""

from cluster_forge.adapters.rendering.caching import CachingRenderer
from cluster_forge.adapters.rendering.in_process import InProcessRenderer
from cluster_forge.adapters.rendering.worker_pool import Limits, WorkerPoolRenderer

__all__ = ["CachingRenderer", "InProcessRenderer", "Limits", "WorkerPoolRenderer"]
