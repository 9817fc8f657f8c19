"""What is done even if a run is stopped while its threads are at work: programs are ended, temporary folders removed.

Such a run does not wait for its threads (`cli.termination`), whose own ``finally`` and ``with`` are not reached then.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Final

_ACTIONS: Final[dict[object, Callable[[], object]]] = {}


def at_stop(action: Callable[[], object]) -> Callable[[], object]:
    """Have ``action`` done if the run is stopped; until what this returns is called."""
    key = object()
    _ACTIONS[key] = action
    return lambda: _ACTIONS.pop(key, None)


@contextlib.contextmanager
def if_stopped(action: Callable[[], object]) -> Iterator[None]:
    """The same for as long as the context lasts."""
    forget = at_stop(action)
    try:
        yield
    finally:
        forget()


def stop() -> None:
    """Do it all, the last first: a program is ended before its folder is removed. An error in one does not keep the others."""
    for action in reversed(list(_ACTIONS.values())):
        with contextlib.suppress(Exception):
            action()
