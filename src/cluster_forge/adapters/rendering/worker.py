"""The loop of a worker process: it renders the jobs of its parent, within its limits, as long as the parent lives."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import threading
import time
from typing import IO

from cluster_forge.adapters.rendering.framing import receive, send
from cluster_forge.foundation.errors import ForgeError, leaves
from cluster_forge.ports.rendering import RenderedBatch, Renderer

if sys.platform != "win32":
    import resource

_PARENT_CHECK = 0.5
"""Seconds between two checks that the parent lives."""


def serve(renderer: Renderer, *, memory: int) -> None:
    """Render the jobs on standard input and answer on standard output; ``memory`` is the limit in bytes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers itself
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not mix with the answers
    _limit_memory(memory)
    gc.disable()  # parsed trees have no cycles: looking for them costs more than reading the trees
    gc.freeze()
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    _answer_jobs(renderer, sys.stdin.buffer, answers)
    os._exit(0)  # Go's library has threads that an orderly exit would wait for


def _answer_jobs(renderer: Renderer, jobs: IO[bytes], answers: IO[bytes]) -> None:
    while True:
        try:
            job = receive(jobs)
        except EOFError:
            return
        answer: RenderedBatch | list[ForgeError]
        try:
            answer = renderer.render(job)
        except (ForgeError, ExceptionGroup) as error:
            errors = list(leaves(error))
            answer = [leaf for leaf in errors if isinstance(leaf, ForgeError)]
            if len(answer) < len(errors):
                raise
        send(answers, answer)
        gc.collect()


def _give_back_memory() -> None:
    """Return to the system what was freed: glibc keeps it, and a worker would stay as large as its largest job made it."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim:  # musl has none
        trim(0)


def _limit_memory(memory: int) -> None:
    """Let the system refuse more memory: the process dies of it, and its parent reports the job."""
    if sys.platform == "win32":
        return
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    limit = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _end_with_parent(parent: int) -> None:
    """End this process when its parent is gone: a killed parent cannot say so, and a chart may render for ever."""
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECK)
    os._exit(1)
