"""The one tree of errors that Cluster-Forge raises on purpose.

::

    ForgeError
    ├── InputError                 what the user wrote cannot be used                       30-34
    │   ├── DescriptionError      10  the stack description, a values file or an options file is wrong
    │   ├── UnknownNameError      11  a component, collection or environment that is not defined
    │   ├── OrderError            19  the components' needs form a cycle
    │   └── PatchError            30  a patch is wrong, or does not fit the object that it changes
    ├── SourceError                a source cannot be fetched or trusted                    35-39
    │   ├── LockError             12  the lock is unreadable, or a source differs from it
    │   ├── FetchError            13  a download failed
    │   ├── OfflineError          14  the network is needed, and --offline forbids it
    │   └── ArchiveError          15  a chart archive is broken or unsafe
    ├── BuildError                 something cannot be rendered or compiled                 40-44
    │   ├── RenderError           17  a chart does not render, or rejects its values or the Kubernetes version
    │   ├── ManifestError         18  a document is not a Kubernetes object
    │   ├── ImageError            23  an image reference or an OCI image is wrong
    │   ├── RepositoryError       24  a Git repository cannot be built or read
    │   └── PluginError           40  a plug-in or a function is missing, not allowed, or fails
    ├── StateError                 the workspace is not ready for the command               45-49
    │   ├── WorkspaceError        20  the workspace cannot be read or written, or is in use
    │   ├── EditedError           21  hand edits in `working/`, or files of the user in a written folder, would be lost
    │   └── StaleError            22  `working/` is out of date
    ├── HostError                  this machine lacks something                             26-29
    │   ├── StoreError            16  the store cannot be read or written
    │   ├── MissingProgramError   25  a program, or a library for this platform, is missing
    │   ├── CredentialError       26  a place with credentials cannot be read or written, or a login is refused
    │   └── KubeconfigError       27  the kubeconfig is missing or wrong, or has no such context
    └── DeliveryError              a cluster or registry refuses what is delivered          50-59
        ├── RegistryError         50  a registry refuses what is pushed
        ├── TagError              51  a tag names something else already
        ├── ClusterError          52  a cluster cannot be reached, or does not know the user
        ├── RefusedError          53  a cluster refuses an object or a request
        ├── PreflightError        54  a cluster cannot run the stack; nothing was changed
        ├── DeploymentError       55  a deployment has failed, or is not ready in time
        ├── ReleaseError          56  a release is not there, or going back to it would lose data
        └── BusyError             57  another deployment of the stack is running

Every error says what is wrong, where, and how to fix it. Its type has its own exit code; the ranges of the families
are for new types (ADR 0015). Independent errors travel together in an ``ExceptionGroup`` (`error_groups`). Any other exception that
escapes is a bug.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

_LONGEST: Final = 2_000
"""Characters of a message: enough for any text, and a limit for values that a message quotes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalCause:
    """One cause in a refusal of an API server (``StatusCause``): ``field`` is a path (``spec.replicas``)."""

    reason: str
    message: str
    field: str = ""


class ForgeError(Exception):
    """What is wrong (``message``), where (``file:line`` or an object) and how to fix it (``fix``)."""

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


class InputError(ForgeError):
    meaning = "What you wrote cannot be used"
    new_codes: ClassVar = range(30, 35)


class DescriptionError(InputError):
    exit_code = 10
    meaning = "The stack description, a values file or an options file is wrong."


class UnknownNameError(InputError):
    exit_code = 11
    meaning = "A component, collection or environment is not defined."


class OrderError(InputError):
    exit_code = 19
    meaning = "The components' needs form a cycle."


class PatchError(InputError):
    exit_code = 30
    meaning = "A patch is wrong, or does not fit the object that it changes."


class SourceError(ForgeError):
    meaning = "A source cannot be fetched or trusted"
    new_codes: ClassVar = range(35, 40)


class LockError(SourceError):
    exit_code = 12
    meaning = "The lock is unreadable, or a source differs from it."


class FetchError(SourceError):
    exit_code = 13
    meaning = "A download failed: unknown host, HTTP status 400 or higher, truncated or wrong content."


class OfflineError(SourceError):
    exit_code = 14
    meaning = "The network is needed, and --offline forbids it."


class ArchiveError(SourceError):
    exit_code = 15
    meaning = "A chart archive is broken or unsafe to unpack."


class BuildError(ForgeError):
    meaning = "Something cannot be rendered or compiled"
    new_codes: ClassVar = range(40, 45)


class RenderError(BuildError):
    exit_code = 17
    meaning = "A chart does not render, or rejects its values or the Kubernetes version."


class ManifestError(BuildError):
    exit_code = 18
    meaning = "A document is not a Kubernetes object."


class ImageError(BuildError):
    exit_code = 23
    meaning = "An image reference or an OCI image is wrong."


class RepositoryError(BuildError):
    exit_code = 24
    meaning = "A Git repository cannot be built or read."


class PluginError(BuildError):
    exit_code = 40
    meaning = "A plug-in or a function is not installed, not allowed to run, or fails."


class StateError(ForgeError):
    meaning = "The workspace is not ready for the command"
    new_codes: ClassVar = range(45, 50)


class WorkspaceError(StateError):
    exit_code = 20
    meaning = "The workspace cannot be read or written, or is in use."


class EditedError(StateError):
    exit_code = 21
    meaning = "Hand edits in working/, or files of yours in a folder that is written as a whole, would be lost."


class StaleError(StateError):
    exit_code = 22
    meaning = "working/ is out of date: description, lock, input/ or selection changed since the last smelt."


class HostError(ForgeError):
    meaning = "This machine lacks something"
    new_codes: ClassVar = range(26, 30)


class StoreError(HostError):
    exit_code = 16
    meaning = "The store cannot be read or written."


class MissingProgramError(HostError):
    exit_code = 25
    meaning = "A program, or a library for this platform, is missing."


class CredentialError(HostError):
    exit_code = 26
    meaning = "A place with credentials cannot be read or written, or a login is refused."


class KubeconfigError(HostError):
    exit_code = 27
    meaning = "The kubeconfig is missing or wrong, has no such context, or its credential plug-in fails."


class DeliveryError(ForgeError):
    meaning = "A cluster or registry refuses what is delivered"
    new_codes: ClassVar = range(50, 60)


class RegistryError(DeliveryError):
    exit_code = 50
    meaning = "A registry refuses what is pushed: no access, no such repository, no space, an unknown media type."


class TagError(DeliveryError):
    exit_code = 51
    meaning = "A tag in a registry names something else already, and stays."


class ClusterError(DeliveryError):
    """``is_lasting``: it does not go away by waiting (a certificate that is not trusted, credentials that are not valid)."""

    exit_code = 52
    meaning = "A cluster cannot be reached, does not know the user, or does not answer as a Kubernetes API server."

    def __init__(
        self, message: str, *, where: str | None = None, fix: str | None = None, is_lasting: bool = False
    ) -> None:
        super().__init__(message, where=where, fix=fix)
        self.is_lasting = is_lasting


class RefusedError(DeliveryError):
    """A request that a cluster refuses: the HTTP ``status``, its ``reason`` (``Conflict``) and, for each field, its cause."""

    exit_code = 53
    meaning = (
        "A cluster refuses an object or a request: not valid, not allowed, a conflict, a quota, an admission webhook."
    )

    def __init__(  # noqa: PLR0913 - what an answer has
        self,
        message: str,
        *,
        where: str | None = None,
        fix: str | None = None,
        status: int = 0,
        reason: str = "",
        causes: tuple[RefusalCause, ...] = (),
    ) -> None:
        super().__init__(message, where=where, fix=fix)
        self.status = status
        self.reason = reason
        self.causes = causes


class PreflightError(DeliveryError):
    exit_code = 54
    meaning = "A cluster cannot run the stack; nothing was changed."


class DeploymentError(DeliveryError):
    exit_code = 55
    meaning = "A deployment has failed, or its components are not ready in time."


class ReleaseError(DeliveryError):
    exit_code = 56
    meaning = "A release is not there, or going back to it is impossible or would lose data."


class BusyError(DeliveryError):
    exit_code = 57
    meaning = "Another deployment of the stack is running."


Family = type[InputError | SourceError | BuildError | StateError | HostError | DeliveryError]
FAMILIES: Final[tuple[Family, ...]] = (InputError, SourceError, BuildError, StateError, HostError, DeliveryError)


def types_of(family: Family) -> tuple[type[ForgeError], ...]:
    """The error types of a family, by exit code."""
    return tuple(sorted(family.__subclasses__(), key=lambda kind: kind.exit_code))
