"""What a check has to say about an object: a code, a severity, a place and a way to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.identity import ObjectId

CODES = frozenset(
    (
        *("duplicate-object", "crd-owner-conflict", "missing-crd", "schema-invalid", "custom-resource-invalid"),
        *("removed-api", "deprecated-api", "kubernetes-range", "missing-namespace", "missing-reference", "order-cycle"),
        *("default-class-conflict", "port-conflict", "random-render", "ineffective-value", "unknown-value"),
        *("unpinned-image", "platform-missing", "plaintext-secret", "pod-security", "rbac-wide", "does-not-fit"),
        *("unhealthy-gate", "hook-dropped", "eol-component", "unused-ignore"),
        *("hand-edited", "left-out", "stale", "unused-source", "pulled-in"),
    )
)
"""The contract's finding codes, and those that ADR 0003 adds (the last line)."""


class Severity(StrEnum):
    """How bad it is. An error keeps a stage from writing unless it is allowed by name."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """``code`` is one of `CODES`, ``where`` a ``file:line``, a template or a component."""

    code: str
    severity: Severity
    message: str
    component: ComponentName | None = None
    object: ObjectId | None = None
    where: str = ""
    fix: str = ""
