"""A check that raises is a finding itself, with the object at which it did, and the other checks go on.

Charts and CRDs are written by others, and a check may meet what its author did not think of. The finding has the exception's
type and the lines of the program, not its text, which may quote a value of a Secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Final, Protocol

from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.manifest import Manifest

CODE: Final = "check-failed"
_PACKAGE: Final = "cluster_forge/"
_MOST_LINES: Final = 4
"""Lines of the program that a finding names, the innermost first."""


class AnyCheck(Protocol):
    """A module with one check."""

    @property
    def findings(self) -> Callable[..., Iterable[Finding]]:
        """What is wrong."""


def guarded(check: AnyCheck, *subject: Any) -> Iterator[Finding]:
    """The findings of a check about its ``subject``, and one more if it raises."""
    try:
        yield from check.findings(*subject)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other checks must go on
        yield _failed(check, error)


def _failed(check: AnyCheck, error: Exception) -> Finding:
    name = getattr(check, "__name__", type(check).__name__).removeprefix("cluster_forge.checks.")
    frames = list(_frames(error.__traceback__))
    manifest = next((one for frame in frames if (one := _manifest(frame))), None)
    lines = [place for frame in frames if (place := _place(frame))][:_MOST_LINES]
    return Finding(
        code=CODE,
        severity=Severity.WARNING,
        component=manifest.provenance.component if manifest else None,
        object=manifest.id if manifest else None,
        where=manifest.provenance.origin if manifest else "",
        message=f"the check {name} failed ({type(error).__name__} at {', from '.join(lines)}): it is not known whether "
        f"{'this object' if manifest else 'the stack'} and those after it are as it asks",
        fix="report it as a bug of cluster-forge, with the object if it is not secret",
    )


def _frames(traceback: TracebackType | None) -> Iterator[TracebackType]:
    """The innermost frame first."""
    frames = []
    while traceback is not None:
        frames.append(traceback)
        traceback = traceback.tb_next
    return reversed(frames)


def _manifest(frame: TracebackType) -> Manifest | None:
    """The object that a function was at work on."""
    return next((value for value in frame.tb_frame.f_locals.values() if isinstance(value, Manifest)), None)


def _place(frame: TracebackType) -> str:
    """The line of this program that a frame is at: ``checks/guard.py:31``; empty for one of another package."""
    _, package, path = frame.tb_frame.f_code.co_filename.replace("\\", "/").rpartition(_PACKAGE)
    return f"{path}:{frame.tb_lineno}" if package and not path.endswith("checks/guard.py") else ""
