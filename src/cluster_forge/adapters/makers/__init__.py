"""`ports.Maker`: in this process, in processes that can be ended, and with what was made before."""

from cluster_forge.adapters.makers.cached import CachedMaker
from cluster_forge.adapters.makers.direct import DirectMaker
from cluster_forge.adapters.makers.processes import Limits, ProcessMaker

__all__ = ["CachedMaker", "DirectMaker", "Limits", "ProcessMaker"]
