"""What a command gives to get its adapters."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cluster_forge.ports.progress import NO_TRANSFERS, Transfers
from cluster_forge.service_options import MirrorOptions, NetworkOptions, RenderOptions, StoreOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The workspace and the options of a command, as its user gave them.

    ``refetches``: sources are fetched although the store has them. ``transfers`` receives what happens on the network.
    ``starts_workers``: the processes that render are started at once, while the description is still being read.
    """

    workspace: Path
    jobs: int = 1
    store: StoreOptions = field(default_factory=StoreOptions)
    rendering: RenderOptions = field(default_factory=RenderOptions)
    mirrors: MirrorOptions = field(default_factory=MirrorOptions)
    network: NetworkOptions = field(default_factory=NetworkOptions)
    refetches: bool = False
    transfers: Transfers = NO_TRANSFERS
    starts_workers: bool = False
