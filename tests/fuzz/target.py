"""A kind of input: where its inputs come from, what reads them, and which errors that may raise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis.strategies import SearchStrategy

from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import ForgeError

ACCEPTED = "accepted"
LONGEST_MESSAGE = 5_000


def _no_corpus(_: Path) -> Iterable[bytes]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One kind of input; every input is bytes, so that it can be saved in a file and tried again.

    ``read`` is the product's code; it may raise one of ``refusals``, alone or in a group, and nothing else. ``seeds``
    are valid inputs, ``inputs`` is the strategy for more of them and for broken ones, ``odd`` are small ones that
    are always tried, ``hostile`` are large ones by name, tried by `make fuzz`. ``corpus`` finds more seeds in the directory
    beside the project. ``share`` is the target's part of a run.
    """

    name: str
    read: Callable[[bytes], object]
    refusals: tuple[type[ForgeError], ...]
    seeds: Sequence[bytes]
    inputs: SearchStrategy[bytes]
    odd: Sequence[bytes] = ()
    hostile: Callable[[], Iterable[tuple[str, bytes]]] = field(default=tuple)
    corpus: Callable[[Path], Iterable[bytes]] = _no_corpus
    share: float = 1.0

    def outcome(self, data: bytes) -> str:
        """``accepted``, or the types of the errors.

        Raises:
            Exception: what escaped from the product.
            AssertionError: an error of a type that is not allowed here, or without a useful text.
        """
        try:
            self.read(data)
        except (ForgeError, ExceptionGroup) as error:
            errors = list(leaves(error))
            refusals = [leaf for leaf in errors if isinstance(leaf, ForgeError)]
            if len(refusals) < len(errors):
                raise
            return self._refused(refusals)
        return ACCEPTED

    def _refused(self, errors: Sequence[ForgeError]) -> str:
        for error in errors:
            assert isinstance(error, self.refusals), f"{self.name} must not raise {type(error).__name__}: {error}"
            assert error.message.strip(), f"an error without a message: {error!r}"
            assert error.where or error.fix, f"an error without place and fix: {error!r}"
            assert len(str(error)) <= LONGEST_MESSAGE, (
                f"a message of {len(str(error)):,} characters: {str(error)[:200]}"
            )
        return "+".join(sorted({type(error).__name__ for error in errors}))
