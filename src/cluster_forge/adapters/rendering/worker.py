"""The loop of a worker process: it renders the jobs of its parent, within its limits, as long as the parent lives."""

from __future__ import annotations

import gc
import os
import signal
import sys
from typing import IO

from cluster_forge.adapters.processes import child
from cluster_forge.adapters.rendering.framing import receive, send
from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.ports.rendering import RenderedBatch, Renderer


def serve(renderer: Renderer, *, memory: int) -> None:
    """Render the jobs on standard input and answer on standard output; ``memory`` is the limit in bytes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers itself
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not mix with the answers
    child.limit_memory(memory)
    gc.disable()  # parsed trees have no cycles: looking for them costs more than reading the trees
    gc.freeze()
    child.end_with_parent()
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
