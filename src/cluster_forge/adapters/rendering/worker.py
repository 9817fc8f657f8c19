"""What a process does that makes objects for another: it answers jobs, within its limits, as long as that one lives."""

from __future__ import annotations

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

_LOOKS = 0.5
"""Seconds between two looks at whether the parent lives."""


def serve(renderer: Renderer, *, memory: int) -> None:
    """Answer jobs on standard input with what came of them on standard output; ``memory`` is in bytes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its processes itself
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the answers
    _bound(memory)
    gc.disable()  # a tree has no circles: to look for them costs more than to read it
    gc.freeze()
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    _answer(renderer, sys.stdin.buffer, answers)
    os._exit(0)  # Go's library has threads that an orderly end would wait for


def _answer(renderer: Renderer, jobs: IO[bytes], answers: IO[bytes]) -> None:
    while True:
        try:
            job = receive(jobs)
        except EOFError:
            return
        answer: RenderedBatch | list[ForgeError]
        try:
            answer = renderer.render(job)
        except (ForgeError, ExceptionGroup) as error:
            found = list(leaves(error))
            answer = [each for each in found if isinstance(each, ForgeError)]
            if len(answer) < len(found):
                raise
        send(answers, answer)
        gc.collect()


def _bound(memory: int) -> None:
    """Let the system refuse memory beyond the limit: the process dies of it, and its parent names the job."""
    try:
        import resource  # noqa: PLC0415 - there is none on Windows
    except ImportError:
        return
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    limit = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _end_with_parent(parent: int) -> None:
    """A parent that was killed cannot say so; a chart that never ends would outlive it."""
    while os.getppid() == parent:
        time.sleep(_LOOKS)
    os._exit(1)
