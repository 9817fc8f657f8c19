"""What a process does with itself that works for another one: it limits its memory, and ends with its parent."""

from __future__ import annotations

import os
import sys
import threading
import time

if sys.platform != "win32":
    import resource

_PARENT_CHECK = 0.5
"""Seconds between two checks that the parent lives."""


def limit_memory(memory: int) -> None:
    """Let the system refuse more than ``memory`` bytes: the process dies of it, and its parent reports the job."""
    if sys.platform == "win32":
        return
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    limit = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def end_with_parent() -> None:
    """End this process when its parent is gone: a killed parent cannot say so, and a job may run for ever."""
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECK)
    os._exit(1)
