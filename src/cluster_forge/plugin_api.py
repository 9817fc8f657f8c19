"""What a plug-in imports: the Protocols of the four kinds, and the plain values that it gets and gives.

A plug-in is a class that an entry point of its package names, in one of the groups ``cluster_forge.transformers``,
``cluster_forge.checks``, ``cluster_forge.sources`` and ``cluster_forge.deliveries``; the name of the entry point is that of
the plug-in. It is made without arguments, in a process of its own, and says with ``api_version`` for which version of this
module it was written.

Only this module is for plug-ins: everything else of ``cluster_forge`` may change. A name is removed from it, or means
something else, only together with a new `API_VERSION`; what is added, with a default, needs none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol

API_VERSION: Final = 1
"""The version of this module. A plug-in that was written for another one is not loaded."""

KubernetesObject = Mapping[str, Any]
"""An object as JSON knows it: mappings with text as keys, lists, text, finite numbers, true, false and None."""


class Severity(StrEnum):
    """An error keeps the stack from being written, unless its user allows the code."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a plug-in finds in a stack.

    ``code`` has lower-case letters, digits and hyphens, and stays the same from version to version: users see it as
    ``PLUGIN/CODE`` and silence it by that. ``message`` says what is wrong, ``fix`` how to mend it; ``object`` is the object
    that it is about.
    """

    code: str
    message: str
    severity: Severity = Severity.WARNING
    object: KubernetesObject | None = None
    fix: str = ""


class ProblemError(Exception):
    """Raised by a plug-in for what its user can mend: the settings, a file, an object. Anything else counts as an error in the plug-in."""

    def __init__(self, message: str, *, where: str = "", fix: str = "") -> None:
        """``where`` is the place, such as ``input/teams.csv:3``."""
        super().__init__(message)
        self.where = where
        self.fix = fix


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the stack says to a plug-in.

    ``settings`` are those under ``with`` in the description, ``files`` the content of the files that it names there, by
    their paths below ``input/``. ``kubernetes`` is the target's version (``1.33.0``). ``component`` and ``namespace`` are
    empty where the whole stack is meant.
    """

    stack: str
    environment: str = ""
    kubernetes: str = ""
    size: str = ""
    component: str = ""
    namespace: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackObject:
    """An object of the stack as it will be applied: with its namespace, in its wave."""

    component: str
    wave: int
    body: KubernetesObject


@dataclass(frozen=True, slots=True, kw_only=True)
class CastComponent:
    """A component of a cast stack: its objects, in the order in which they are applied."""

    name: str
    namespace: str
    wave: int
    objects: Sequence[KubernetesObject]


@dataclass(frozen=True, slots=True, kw_only=True)
class CastStack:
    """A cast stack: its folder with everything that ``cast`` wrote, and its components by wave and name."""

    folder: Path
    name: str
    environment: str
    components: Sequence[CastComponent]
    settings: Mapping[str, str] = field(default_factory=dict)
    """What the user gave with ``--with KEY=VALUE``."""


class State(StrEnum):
    """How far the delivery of a component is."""

    STARTED = "started"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a delivery did: ``message`` says what it waits for, what it changed, or why the component failed."""

    component: str
    state: State
    message: str = ""


class Transformer(Protocol):
    """Changes the objects of a component (``cluster_forge.transformers``)."""

    api_version: ClassVar[int]

    def transform(
        self, objects: Sequence[KubernetesObject], context: Context, /
    ) -> Iterable[KubernetesObject | Finding]:
        """The objects that the component has from now on: those that stay, changed or not, and new ones; and findings.

        Called for one component after the other, in the order of the stack. The same objects and the same context must give
        the same result. The objects are the plug-in's own: it may change them.
        """


class Check(Protocol):
    """Looks at a whole stack (``cluster_forge.checks``)."""

    api_version: ClassVar[int]

    def check(self, objects: Sequence[StackObject], context: Context, /) -> Iterable[Finding]:
        """What is wrong with the objects of the stack."""


class Source(Protocol):
    """Fetches charts and manifests (``cluster_forge.sources``). Its name is the scheme of its addresses: ``s3``."""

    api_version: ClassVar[int]

    def get(self, address: str, limit: int, /) -> bytes:
        """The content of an address, of at most ``limit`` bytes.

        A chart repository is a folder with an ``index.yaml``, as Helm knows it: ``s3://bucket/charts`` has
        ``s3://bucket/charts/index.yaml``. What is fetched is locked by its digest, and never fetched again while the store
        or a mirror has it.

        Raises:
            FileNotFoundError: if there is nothing at the address.
            ProblemError: if it cannot be fetched.
        """


class Delivery(Protocol):
    """Takes a cast stack somewhere (``cluster_forge.deliveries``): ``cluster-forge deploy --through NAME``."""

    api_version: ClassVar[int]

    def deliver(self, stack: CastStack, /) -> Iterable[Event]:
        """Deliver the stack, and say how far it is. It is delivered if no component fails.

        Raises:
            ProblemError: if it cannot be delivered.
        """
