"""Which of the fields that Kubernetes calls required an API server really insists on.

``required`` in its OpenAPI document says that the Go type has no ``omitempty``. Validation asks for most of these, not for
all: some have a default, and for some the empty value is a proper one. Source: ``pkg/apis/*/validation``.
"""

from __future__ import annotations

from typing import Final

_NOT_ENFORCED: Final = frozenset(
    {
        ("apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion", "served"),
        ("apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion", "storage"),
        ("apps.v1.StatefulSetSpec", "serviceName"),
        ("batch.v1.PodFailurePolicyOnPodConditionsPattern", "status"),
        ("batch.v1.PodFailurePolicyRule", "onPodConditions"),
        ("core.v1.HTTPHeader", "value"),
        ("core.v1.ISCSIPersistentVolumeSource", "lun"),
        ("core.v1.ISCSIVolumeSource", "lun"),
        ("core.v1.LimitRangeSpec", "limits"),
        ("core.v1.PreferredSchedulingTerm", "preference"),
        ("core.v1.SleepAction", "seconds"),
        ("core.v1.Sysctl", "value"),
        ("discovery.v1.EndpointSlice", "endpoints"),
        ("networking.v1.NetworkPolicySpec", "podSelector"),
        ("rbac.v1.RoleRef", "apiGroup"),
        ("scheduling.v1.PriorityClass", "value"),
        ("storage.v1.CSIDriver", "spec"),
        ("storage.v1.CSINodeSpec", "drivers"),
        ("storage.v1.TokenRequest", "audience"),
    }
)
_LOOSE: Final = (
    "apps.v1.ControllerRevision",
    "core.v1.Event",
    "core.v1.Binding",
    "events.",
    "storagemigration.",
    "resource.",
)
"""Definitions that are written by programs, and of which only part is known."""


def is_enforced(definition: str, field: str) -> bool:
    """Whether an API server refuses an object in which the field of a definition (as the table of schemas has it) is empty."""
    is_stable = "alpha" not in definition and "beta" not in definition
    return is_stable and (definition, field) not in _NOT_ENFORCED and not definition.startswith(_LOOSE)
