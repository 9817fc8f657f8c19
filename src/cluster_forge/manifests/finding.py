"""The result of a check: a code, a severity, an object or place, and how to fix it."""

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
        *("missing-provider", "duplicate-provider"),
        *("invalid-name", "repeated-key", "server-field"),
        *("hand-edited", "left-out", "stale", "unused-source", "pulled-in"),
        *("wave-conflict", "stays-behind", "data-hook", "deleted-volumes", "engine-missing"),
        *("gone-image", "requests", "memory-limit", "replicas", "disruption-budget", "spread", "service-type"),
        *("telemetry", "render-failed", "unknown-name", "untried-wiring", "helm-warning"),
        *("insecure-source", "credential-in-url", "kustomize-warning"),
    )
)
"""The contract's finding codes, and those that ADR 0003 adds (the last seven lines: of what the cluster has, of objects, of the stages, of `catalog test`, of sources)."""


class Severity(StrEnum):
    """An error keeps a stage from writing unless ``--allow`` names its code."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """``code`` is one of `CODES`; ``where`` is a ``file:line``, a template, a component or the path of a value."""

    code: str
    severity: Severity
    message: str
    component: ComponentName | None = None
    object: ObjectId | None = None
    where: str = ""
    fix: str = ""
