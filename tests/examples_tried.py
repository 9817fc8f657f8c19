"""How many examples a property is tried with: ``CLUSTER_FORGE_EXAMPLES=10000 pytest tests/patches`` tries the laws of the merge thoroughly."""

from __future__ import annotations

import os
from typing import Final

from hypothesis import settings

LEAST: Final = int(os.environ.get("CLUSTER_FORGE_EXAMPLES") or 0)
USUAL: Final = 100


def tried(usual: int = USUAL) -> settings:
    """``usual`` examples, or more where that is asked for."""
    return settings(max_examples=max(usual, LEAST))
