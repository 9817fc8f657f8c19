"""A deployment as a release of its stack: begun before it, and ended with what became of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from cluster_forge.foundation.error_groups import expected, raise_all
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.gitops.release import STOPPED, Release, Result
from cluster_forge.stages.deliver.cluster_records import releases
from cluster_forge.stages.deliver.tools import DeliverTools

Done = TypeVar("Done")


def recorded(
    release: Release,
    tools: DeliverTools,
    deliver: Callable[[], Done],
    failure: Callable[[Done], str],
    alone: AbstractContextManager[object] = contextlib.nullcontext(),  # noqa: B008 - it has no state
) -> Done:
    """What ``deliver`` returns, after its result was written into ``release``, which has begun. ``failure`` says why the
    deployment has failed; empty: it has not. ``alone`` is held while the result is written.

    Raises:
        ForgeError, ExceptionGroup: as ``deliver``, and if the result cannot be written.
    """

    def end(result: Result, message: str) -> None:
        with alone:
            releases.end(release, result, tools, message=message)

    try:
        done = deliver()
    except (ForgeError, ExceptionGroup) as error:
        errors = expected(error)
        try:
            end(Result.FAILED, "; ".join(map(str, errors)))
        except ForgeError as unkept:  # why the deployment has failed counts more
            raise_all((*errors, unkept))
        raise
    except (KeyboardInterrupt, SystemExit):
        with contextlib.suppress(ForgeError):  # the next deployment says it otherwise
            end(Result.INTERRUPTED, STOPPED)
        raise
    failed = failure(done)
    end(Result.FAILED if failed else Result.DEPLOYED, failed)
    return done
