"""`ports.Renderer`: in this process, in worker processes with limits, and from the cache."""
