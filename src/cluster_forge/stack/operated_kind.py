"""What operators make at run time, so that no manifest has it: as components say it (``operates``)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatedPods:
    """Pods of an object; each text is the path of a field, ``spec.resources``, empty if there is none.

    ``entries``: a list, in whose entries the other paths are then. ``default`` is their number where ``replicas`` leads to none.
    """

    entries: str = ""
    replicas: str = ""
    default: int = 1
    resources: str = ""
    template: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatedKind:
    """A kind of object for which an operator creates pods, Services and Secrets at run time.

    ``{name}`` in the names of ``services`` and ``secrets`` is the object's name.
    """

    group: str
    kind: str
    services: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    pods: tuple[OperatedPods, ...] = ()
