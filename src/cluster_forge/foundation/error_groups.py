"""Several errors at once: independent ones are raised together, in an ``ExceptionGroup``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from cluster_forge.foundation.errors import ForgeError

Result = TypeVar("Result")


def leaves(error: ForgeError | ExceptionGroup[Exception]) -> Iterator[Exception]:
    """The single errors inside ``error``, in their order."""
    if isinstance(error, ExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)  # type: ignore[arg-type]
    else:
        yield error


def expected(error: ForgeError | ExceptionGroup[Exception]) -> list[ForgeError]:
    """The single errors inside ``error``.

    Raises:
        Exception: ``error`` itself, if one of them is a bug.
    """
    inner = list(leaves(error))
    errors = [leaf for leaf in inner if isinstance(leaf, ForgeError)]
    if len(errors) < len(inner):
        raise error
    return errors


def raise_all(errors: Iterable[ForgeError]) -> None:
    """Raise the errors: none, the only one, or all of them in one group."""
    collected = list(errors)
    if len(collected) == 1:
        raise collected[0]
    if collected:
        raise ExceptionGroup("several errors", collected)


def gathered(calls: Iterable[Callable[[], Result]]) -> list[Result]:
    """The results of calls. Every call is made; then the errors of all are raised together, in the order of the calls.

    Raises:
        ForgeError, ExceptionGroup: the errors.
        Exception: a bug (anything else), at once and unchanged.
    """
    results: list[Result] = []
    errors: list[ForgeError] = []
    for call in calls:
        try:
            results.append(call())
        except (ForgeError, ExceptionGroup) as error:
            errors += expected(error)
    raise_all(errors)
    return results
