"""Who deploys, for the cluster: the same words as `deploy.sh` writes."""

from __future__ import annotations

import os
import platform
import time


def run() -> str:
    """This run, as HOST/PROCESS/TIME."""
    return f"{platform.node()}/{os.getpid()}/{int(time.time())}"
