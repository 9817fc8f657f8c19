"""`ports.Renderer`: in this process, in worker processes with limits, and from the cache."""

from cluster_forge.adapters.rendering.caching import CachingRenderer
from cluster_forge.adapters.rendering.in_process import InProcessRenderer
from cluster_forge.adapters.rendering.worker_pool import JobLimits, WorkerPoolRenderer

__all__ = ["CachingRenderer", "InProcessRenderer", "JobLimits", "WorkerPoolRenderer"]
