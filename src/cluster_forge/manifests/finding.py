"""What a check has to say about an object: a code, a severity, a place and a way to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.identity import ObjectId


class Severity(StrEnum):
    """How bad it is. An error keeps a stage from writing unless it is allowed by name."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """``code`` is one of the contract's finding codes, ``where`` a ``file:line``, a template or a component."""

    code: str
    severity: Severity
    message: str
    component: ComponentName | None = None
    object: ObjectId | None = None
    where: str = ""
    fix: str = ""
