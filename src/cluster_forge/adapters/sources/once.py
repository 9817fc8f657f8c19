"""What several threads ask for at the same time, and what is asked for again, is computed once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Once(Generic[Result]):
    """Results, and errors, by their keys."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._known: dict[Hashable, Future[Result]] = {}

    def get(self, key: Hashable, compute: Callable[[], Result]) -> Result:
        """What ``compute`` returned or raised for this key, the first time; who asks meanwhile waits for it."""
        with self._guard:
            is_first = key not in self._known
            future = self._known.setdefault(key, Future())
        if is_first:
            try:
                future.set_result(compute())
            except BaseException as error:  # noqa: BLE001 - raised by the future's `result`
                future.set_exception(error)
        return future.result()
