"""How far Flux is with a Kustomization, from its body.

Source: Flux, "Kustomization" ("Conditions", "Last applied revision"); kustomize-controller, ``checkDependencies``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.manifest import Body

WAITS: Final = "DependencyNotReady"
_REFUSED: Final = "ReconciliationFailed"


@dataclass(frozen=True, slots=True, kw_only=True)
class KustomizationState:
    """``lack`` is what keeps it from being ready at the revision, in a few words; empty if nothing does.

    ``reason`` and ``message`` are those of its condition ``Ready``; no message where it was ready at an earlier revision.
    ``is_idle``: Flux looks at it again later only. ``is_at_work``: Flux applies it, or waits for its objects. ``is_refused``:
    Flux could not apply it at the revision.
    """

    name: str
    lack: str = ""
    reason: str = ""
    message: str = ""
    is_idle: bool = False
    is_at_work: bool = False
    is_refused: bool = False

    @property
    def is_ready(self) -> bool:
        return not self.lack

    @property
    def has_failed(self) -> bool:
        """Whether Flux has tried it, and failed; it tries again."""
        return self.is_idle and self.reason != WAITS


def of(body: Body, revision: str) -> KustomizationState:
    """The state of a Kustomization that is to be at ``revision``, the tag of its source (``TAG@sha1:…``)."""
    status = mapping(body.get("status"))
    conditions = map(mapping, sequence(status.get("conditions")))
    ready = next((entry for entry in conditions if entry.get("type") == "Ready"), mapping(None))
    applied = str(status.get("lastAppliedRevision") or "")
    is_observed = status.get("observedGeneration") == body["metadata"].get("generation")
    is_true = ready.get("status") == "True"
    is_paused = mapping(body.get("spec")).get("suspend") is True
    reason = str(ready.get("reason") or "")
    message = "" if is_true else str(ready.get("message") or "")
    lack = ""
    if ready.get("status") == "False":
        lack = reason or "not ready"
    elif not (is_true and is_observed and applied.startswith(f"{revision}@")):
        lack = f"at {applied.partition('@')[0]}" if applied else "not applied yet"
    if lack and is_paused:
        lack = message = "paused: its spec.suspend is true"
    return KustomizationState(
        name=str(body["metadata"]["name"]),
        lack=lack,
        reason=reason,
        message=message,
        is_idle=ready.get("status") == "False",
        is_at_work=ready.get("status") == "Unknown",
        is_refused=reason == _REFUSED and str(status.get("lastAttemptedRevision")).startswith(f"{revision}@"),
    )
