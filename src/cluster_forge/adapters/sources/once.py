"""What several threads ask for at the same time, and what is asked for again, is computed once."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Once(Generic[Result]):
    """Results by their keys, and for a while errors: many components have the source that fails, but `forge --watch` must
    see when it is back. ``patience`` is that while, in seconds.
    """

    def __init__(self, patience: float = 30.0) -> None:
        self._patience = patience
        self._guard = threading.Lock()
        self._known: dict[Hashable, Future[Result]] = {}
        self._failed: dict[Hashable, float] = {}

    def get(self, key: Hashable, compute: Callable[[], Result]) -> Result:
        """What ``compute`` returned or raised for this key, the first time; who asks meanwhile waits for it."""
        with self._guard:
            if time.monotonic() - self._failed.get(key, math.inf) > self._patience:
                del self._known[key], self._failed[key]
            is_first = key not in self._known
            future = self._known.setdefault(key, Future())
        if is_first:
            try:
                future.set_result(compute())
            except BaseException as error:  # noqa: BLE001 - raised by the future's `result`
                self._failed[key] = time.monotonic()
                future.set_exception(error)
        return future.result()
