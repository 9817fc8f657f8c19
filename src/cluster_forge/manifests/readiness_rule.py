"""When a custom resource is ready, for kinds of which kstatus cannot tell: without a status they look ready to it.

kstatus takes an object without conditions for ready, which is right for kinds that no controller answers, and wrong for one
whose controller has not seen it yet (sigs.k8s.io/cli-utils, ``pkg/kstatus``, "The Ready condition").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests.manifest import Body


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessRule:
    """What the controller of a kind writes once an object is ready; ``answered_by`` are the components with such a controller.

    ``conditions`` all must be true. ``field`` is a path below ``status`` (``conditionStatus.ready``), whose value must be one
    of ``ready``; one of ``failed`` will not become ready without a change.
    """

    group: str
    kind: str
    answered_by: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    field: str = ""
    ready: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    def and_by(self, component: str) -> ReadinessRule:
        """The rule where another component answers the kind, too."""
        return replace(self, answered_by=(*self.answered_by, component))

    def missing(self, body: Body) -> str | None:
        """What the status lacks of a ready object, in words; empty if the controller has not written it yet, None if
        nothing is missing.
        """
        return next(self._missing(mapping(body.get("status")), body["metadata"].get("generation")), None)

    def has_failed(self, body: Body) -> bool:
        """Whether the status says that the object has failed for good."""
        return self._value(mapping(body.get("status"))) in self.failed

    def _missing(self, status: Mapping[str, Any], generation: object) -> Iterator[str]:
        for name in self.conditions:
            condition = _condition(status, name)
            # Unknown is what CRDs set as a default before any controller has seen the object (Gateway API, "Conditions").
            if condition.get("status") in (None, "Unknown"):
                yield ""
            elif condition.get("observedGeneration", generation) != generation:
                yield f"generation {generation} is not observed yet (last: {condition['observedGeneration']})"
            elif condition["status"] != "True":
                yield str(condition.get("message") or condition.get("reason") or f"condition {name} is not true")
        if self.field and (value := self._value(status)) not in self.ready:
            yield value and f"{self.field} is {value}{_reason(status)}"

    def _value(self, status: Mapping[str, Any]) -> str:
        value: object = status
        for key in self.field.split("."):
            value = mapping(value).get(key)
        if isinstance(value, bool):
            return str(value).lower()
        return value if isinstance(value, str) and self.field else ""


def _condition(status: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    conditions = status.get("conditions")
    entries = map(mapping, conditions if isinstance(conditions, list) else ())
    return next((entry for entry in entries if entry.get("type") == name), {})


def _reason(status: Mapping[str, Any]) -> str:
    message = status.get("message")
    return f": {message}" if isinstance(message, str) and message else ""
