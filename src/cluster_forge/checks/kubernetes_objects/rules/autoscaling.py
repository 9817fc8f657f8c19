"""Autoscalers and disruption budgets (``pkg/apis/autoscaling`` and ``policy``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks.kubernetes_objects.problem import Problem, Rule, shown
from cluster_forge.foundation.untyped import mapping

_SOURCES: Final = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
_TARGETS: Final[Mapping[str, tuple[str, ...]]] = {
    "containerResource": ("averageUtilization", "averageValue"),
    "external": ("averageValue", "value"),
    "object": ("averageValue", "value"),
    "pods": ("averageValue",),
    "resource": ("averageUtilization", "averageValue"),
}
"""For each source the fields of its target, one of which is set."""


def bounds(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    least, most = value.get("minReplicas"), value.get("maxReplicas")
    if isinstance(least, int) and isinstance(most, int) and most < least:
        message = f"maxReplicas {most} is below minReplicas {least}"
        yield Problem(steps=("maxReplicas",), message=message, fix="raise maxReplicas, or lower minReplicas")


def metric(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    wanted = _SOURCES.get(str(value.get("type")))
    if wanted is None:
        return
    if value.get(wanted) is None:
        yield Problem(steps=(wanted,), message=f"type: {value['type']} needs {wanted}", fix=f"set {wanted}")
        return
    for name in sorted(_SOURCES.values()):
        if name != wanted and value.get(name) is not None:
            yield Problem(steps=(name,), message=f"type: {value['type']} does not go with {name}", fix=f"remove {name}")
    target = mapping(mapping(value.get(wanted)).get("target"))
    fields = _TARGETS[wanted]
    if target and not any(target.get(name) is not None for name in fields):
        choices = " or ".join(fields)
        yield Problem(steps=(wanted, "target"), message=f"target has no {choices}", fix=f"set target.{choices}")


def scaling_rules(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    """Policies have a default where they are left out, not where the list is empty."""
    if value.get("policies") == []:
        yield Problem(steps=("policies",), message="policies is empty", fix="add a policy, or remove the field")


def budget(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    if value.get("minAvailable") is not None and value.get("maxUnavailable") is not None:
        message = "both minAvailable and maxUnavailable are set"
        yield Problem(steps=("maxUnavailable",), message=message, fix="remove one of the two")
    for name in ("minAvailable", "maxUnavailable"):
        text = value.get(name)
        number = text.removesuffix("%") if isinstance(text, str) and text.endswith("%") else ""
        if number.isascii() and number.isdecimal() and int(number[:9]) > 100:
            yield Problem(steps=(name,), message=f"{shown(text)} is more than 100%", fix="write 100% or less")


RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "autoscaling.v1.HorizontalPodAutoscalerSpec": (bounds,),
    "autoscaling.v2.HPAScalingRules": (scaling_rules,),
    "autoscaling.v2.HorizontalPodAutoscalerSpec": (bounds,),
    "autoscaling.v2.MetricSpec": (metric,),
    "policy.v1.PodDisruptionBudgetSpec": (budget,),
}
