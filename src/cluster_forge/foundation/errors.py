"""The one tree of errors that Cluster-Forge raises on purpose.

::

    ForgeError
    ├── DescriptionError      10  the stack description, a values file or an options file is wrong
    ├── UnknownNameError      11  a component or collection that nobody defines
    ├── LockError             12  the lock is unreadable, or a source is not what the lock says
    ├── FetchError            13  a download failed
    ├── OfflineError          14  the network would be needed, and --offline forbids it
    ├── ArchiveError          15  a chart archive is broken or unsafe
    ├── StoreError            16  the content-addressed store cannot be used
    ├── RenderError           17  a chart does not render, or refuses its values or the Kubernetes version
    ├── ManifestError         18  a document is not a Kubernetes object
    ├── OrderError            19  components need each other in a circle
    ├── WorkspaceError        20  the workspace cannot be read or written
    ├── EditedError           21  `working/` holds hand edits that would be lost
    ├── StaleError            22  `working/` does not belong to the present description and lock
    ├── ImageError            23  an image reference or an OCI image is wrong
    ├── RepositoryError       24  a Git repository cannot be built or read
    └── MissingProgramError   25  a program or a library for this platform is missing

Every error says what happened, where, and how to mend it; its type has an exit code of its own.
Independent errors travel together in an ``ExceptionGroup``. Anything else that escapes is a bug.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

_LONGEST: Final = 2_000
"""Characters of a message: enough for anybody's words, too few to be flooded by a value that a message quotes."""


class ForgeError(Exception):
    """What happened (``message``), where (``file:line`` or an object) and how to mend it (``fix``)."""

    exit_code: ClassVar[int]
    meaning: ClassVar[str]

    def __init__(self, message: str, *, where: str | None = None, fix: str | None = None) -> None:
        self.message = _shortened(message)
        self.where = _shortened(where) if where else where
        self.fix = _shortened(fix) if fix else fix
        super().__init__(self.message)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.message}"


def _shortened(text: str) -> str:
    """The text; of a long one its beginning and its end."""
    if len(text) <= _LONGEST:
        return text
    half = _LONGEST // 2
    return f"{text[:half]} … [{len(text) - 2 * half:,} characters] … {text[-half:]}"


class DescriptionError(ForgeError):
    exit_code = 10
    meaning = "The stack description, a values file or an options file is wrong."


class UnknownNameError(ForgeError):
    exit_code = 11
    meaning = "A component, collection or environment that nobody defines was named."


class LockError(ForgeError):
    exit_code = 12
    meaning = "The lock is unreadable, or a source is not what the lock says."


class FetchError(ForgeError):
    exit_code = 13
    meaning = "A download failed: no such host, an HTTP status of 400 or more, a truncated or wrong body."


class OfflineError(ForgeError):
    exit_code = 14
    meaning = "The network would be needed, and --offline forbids it."


class ArchiveError(ForgeError):
    exit_code = 15
    meaning = "A chart archive is broken or unsafe to unpack."


class StoreError(ForgeError):
    exit_code = 16
    meaning = "The content-addressed store cannot be read or written."


class RenderError(ForgeError):
    exit_code = 17
    meaning = "A chart does not render, or refuses its values or the Kubernetes version."


class ManifestError(ForgeError):
    exit_code = 18
    meaning = "A document is not a Kubernetes object."


class OrderError(ForgeError):
    exit_code = 19
    meaning = "Components need each other in a circle."


class WorkspaceError(ForgeError):
    exit_code = 20
    meaning = "The workspace cannot be read or written, or is in use."


class EditedError(ForgeError):
    exit_code = 21
    meaning = "working/ holds hand edits that would be lost."


class StaleError(ForgeError):
    exit_code = 22
    meaning = "working/ does not belong to the present description and lock."


class ImageError(ForgeError):
    exit_code = 23
    meaning = "An image reference or an OCI image is wrong."


class RepositoryError(ForgeError):
    exit_code = 24
    meaning = "A Git repository cannot be built or read."


class MissingProgramError(ForgeError):
    exit_code = 25
    meaning = "A program, or a library for this platform, is missing."


def every_type() -> tuple[type[ForgeError], ...]:
    """Every type of the tree, by exit code."""
    return tuple(sorted(ForgeError.__subclasses__(), key=lambda kind: kind.exit_code))


def leaves(error: ForgeError | ExceptionGroup[Exception]) -> Iterator[Exception]:
    """The single errors inside ``error``, in the order in which they were found."""
    if isinstance(error, ExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)  # type: ignore[arg-type]
    else:
        yield error


def raise_all(errors: Iterable[ForgeError]) -> None:
    """Raise what was collected: nothing, the one error, or all of them in one group."""
    found = list(errors)
    if len(found) == 1:
        raise found[0]
    if found:
        raise ExceptionGroup(f"{len(found)} errors", found)
