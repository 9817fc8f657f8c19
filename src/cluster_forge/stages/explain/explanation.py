"""Where an object and its fields come from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cluster_forge.foundation.names import ComponentName
from cluster_forge.graph.edge import Edge
from cluster_forge.graph.reference import Reference
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.stages.explain.value_reach import Keys


class Origin(StrEnum):
    """What set a field, lowest precedence first."""

    SOURCE = "source"
    """The chart, kustomization or manifest, without any value of the user."""
    VALUES = "values"
    """Values for the chart."""
    BUILD = "build"
    """Cluster-Forge: a namespace that was filled in, an annotation that keeps data."""
    TRANSFORMER = "transformer"
    """A plug-in or a function."""
    CHANGE = "change"
    """A change that the description declares: a label, an image, the number of replicas."""
    PATCH = "patch"
    HAND_EDIT = "hand edit"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuePlace:
    """A value of a chart: the keys that lead to it, and its ``file:line``, empty where it is not known."""

    keys: Keys
    where: str = ""

    def __str__(self) -> str:
        return ".".join(self.keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldStep:
    """What a field became: its ``value`` (None: it was taken away), and by what, with ``file:line`` where there is one."""

    origin: Origin
    value: Any
    what: str = ""
    where: str = ""
    values: tuple[ValuePlace, ...] = ()
    """For `Origin.VALUES`: those that reach the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldHistory:
    """A field that is not as its source has it; the last step is what it is now."""

    path: str
    steps: tuple[FieldStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Where an object comes from. Values of Secrets are masked.

    ``source`` is the chart with its version, or empty; ``origin`` the template or file that has the object; ``file`` its file
    in the workspace, empty where a patch took it out of the stack (``removed_by``). ``needed`` are values without which the
    object is not there, ``required`` those without which the chart does not render, ``random`` the fields that differ from
    render to render. ``is_complete``: all values were tried. ``is_stale``: `working/` is not of this description.
    """

    id: ObjectId
    component: ComponentName
    wave: int | None
    source: str
    origin: str
    file: str
    fields: tuple[FieldHistory, ...]
    needed: tuple[ValuePlace, ...] = ()
    required: tuple[ValuePlace, ...] = ()
    random: tuple[str, ...] = ()
    depends_on: tuple[Edge, ...] = ()
    """What the object depends on."""
    used_by: tuple[Edge, ...] = ()
    """What depends on it."""
    missing: tuple[Reference, ...] = ()
    """What it names and the stack has not."""
    removed_by: str = ""
    is_complete: bool = True
    is_stale: bool = False
