"""The result of a check: a code, a severity, an object or place, and how to fix it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from cluster_forge.foundation.json_codec import ADDED
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding_codes import WHY
from cluster_forge.manifests.identity import ObjectId

CODES: Final = frozenset(WHY)


class Severity(StrEnum):
    """An error keeps a stage from writing unless ``--allow`` names its code."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mending:
    """A change of the description that mends a finding, where that is certain.

    The part of the description that begins at ``where`` (``file:line``) is taken out; with a ``key`` that member of it, with an
    ``item`` that text in the list below the key.
    """

    where: str
    key: str = ""
    item: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """``code`` is one of `CODES`; ``where`` is a ``file:line``, a template, a component or the path of a value.

    ``mending`` is what `check --fix` does.
    ``field`` is the path of the field in the ``object`` as `field_path` writes it, empty where the whole object is meant.
    """

    code: str
    severity: Severity
    message: str
    component: ComponentName | None = None
    object: ObjectId | None = None
    where: str = ""
    field: Annotated[str, ADDED] = ""
    fix: str = ""
    mending: Annotated[Mending | None, ADDED] = None
