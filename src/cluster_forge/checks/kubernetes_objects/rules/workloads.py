"""Workloads: selectors, strategies, restart policies and schedules (``pkg/apis/apps`` and ``batch``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks.kubernetes_objects import cron
from cluster_forge.checks.kubernetes_objects.problem import Problem, Rule, shown
from cluster_forge.checks.kubernetes_objects.rules.pods import mounts
from cluster_forge.foundation.untyped import mapping, sequence

_POD: Final = ("template", "spec")
_NO_ZONES_SINCE: Final = 29
"""The minor since which a schedule has no time zone in it."""


def selected(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    """The selector is not empty, and selects the workload's own Pods."""
    selector = mapping(value.get("selector"))
    wanted, expressions = mapping(selector.get("matchLabels")), sequence(selector.get("matchExpressions"))
    if not wanted and not expressions:
        if isinstance(value.get("selector"), Mapping):
            yield Problem(steps=("selector",), message="an empty selector is not taken", fix="set matchLabels")
        return
    labels = mapping(mapping(mapping(value.get("template")).get("metadata")).get("labels"))
    for name, text in wanted.items():
        if labels.get(name) != text:
            yield Problem(
                steps=("selector", "matchLabels", name),
                message=f"the Pods of the template do not have the label {name}: {shown(text)}",
                fix="give it to template.metadata.labels",
            )
            return
    for number, expression in enumerate(expressions):
        if not _matches(labels, mapping(expression)):
            yield Problem(
                steps=("selector", "matchExpressions", number),
                message="the labels of the template's Pods do not match the expression",
                fix="correct template.metadata.labels",
            )


def _matches(labels: Mapping[str, Any], expression: Mapping[str, Any]) -> bool:
    key, operator, values = expression.get("key"), expression.get("operator"), sequence(expression.get("values"))
    label = labels.get(key) if isinstance(key, str) else None
    match operator:
        case "In":
            return label in values
        case "NotIn":
            return label is None or label not in values
        case "Exists":
            return label is not None
        case "DoesNotExist":
            return label is None
    return True


def always(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    """The Pods of a workload that runs for good are always restarted."""
    pod = _pod(value)
    if pod.get("restartPolicy") not in (None, "", "Always"):
        message = f"restartPolicy must be Always here, and is {shown(pod['restartPolicy'])}"
        yield Problem(steps=(*_POD, "restartPolicy"), message=message, fix="remove it, or write a Job")
    if pod.get("activeDeadlineSeconds") is not None:
        message = "activeDeadlineSeconds is for Jobs and Pods only"
        yield Problem(steps=(*_POD, "activeDeadlineSeconds"), message=message, fix="remove it")


def ends(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    """The Pods of a Job are not restarted when they are done; a Pod's default is Always."""
    template = value.get("template")
    if not isinstance(template, Mapping) or not _pod(value):
        return
    policy = _pod(value).get("restartPolicy")
    if policy in (None, ""):
        steps = (*_POD, "restartPolicy")
        yield Problem(
            steps=steps,
            message="restartPolicy is missing: its default, Always, is not for a Job",
            fix="set restartPolicy: OnFailure or Never",
        )
    elif policy == "Always":
        steps = (*_POD, "restartPolicy")
        yield Problem(steps=steps, message="restartPolicy of a Job cannot be Always", fix="write OnFailure or Never")


def job(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    if value.get("completionMode") == "Indexed" and value.get("completions") is None:
        yield Problem(
            steps=("completions",), message="completionMode: Indexed needs completions", fix="set completions"
        )
    if value.get("podFailurePolicy") is not None and _pod(value).get("restartPolicy") == "OnFailure":
        yield Problem(
            steps=(*_POD, "restartPolicy"), message="podFailurePolicy needs restartPolicy: Never", fix="write Never"
        )


def only(field: str, strategy: str) -> Rule:
    """``field`` has ``rollingUpdate`` for one type only."""

    def rule(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
        given = mapping(value.get(field))
        kind = given.get("type")
        if given.get("rollingUpdate") is not None and kind not in (None, "", strategy):
            yield Problem(
                steps=(field, "rollingUpdate"),
                message=f"rollingUpdate does not go with type: {kind}",
                fix=f"remove rollingUpdate (set it to null where a chart has a default), or write type: {strategy}",
            )

    return rule


def no_progress(field: str) -> Rule:
    """A rolling update may take a Pod away or add one, else it cannot go on."""

    def rule(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
        update = mapping(mapping(value.get(field)).get("rollingUpdate"))
        surge, away = update.get("maxSurge"), update.get("maxUnavailable")
        if _is_zero(surge) and _is_zero(away):
            message = "maxSurge and maxUnavailable are both 0: no Pod could be replaced"
            yield Problem(steps=(field, "rollingUpdate"), message=message, fix="raise one of them")

    return rule


def daemon_update(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    """A DaemonSet's update takes Pods away or adds some, not both (``ValidateRollingUpdateDaemonSet``)."""
    update = mapping(mapping(value.get("updateStrategy")).get("rollingUpdate"))
    surge, away = update.get("maxSurge"), update.get("maxUnavailable")
    if surge is not None and away is not None and not _is_zero(surge) and not _is_zero(away):
        message = "maxSurge and maxUnavailable of a DaemonSet are both above 0"
        yield Problem(steps=("updateStrategy", "rollingUpdate"), message=message, fix="set one of them to 0")


def deadline(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    limit, ready = value.get("progressDeadlineSeconds"), value.get("minReadySeconds") or 0
    if isinstance(limit, int) and isinstance(ready, int) and 0 <= limit <= ready:
        message = f"progressDeadlineSeconds {limit} is not above minReadySeconds {ready}"
        yield Problem(steps=("progressDeadlineSeconds",), message=message, fix=f"write more than {ready}")


def schedule(value: Mapping[str, Any], minor: int) -> Iterator[Problem]:
    text = value.get("schedule")
    if isinstance(text, str) and text.startswith(cron.ZONES) and minor < _NO_ZONES_SINCE:
        return
    if isinstance(text, str) and text and (problem := cron.problem(text)):
        yield Problem(
            steps=("schedule",),
            message=f"{shown(text)} is not a schedule: {problem}",
            fix='write one such as "0 3 * * *"',
        )


def mounted(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    """Mounts of a template name its volumes, or the claims of a StatefulSet."""
    pod = _pod(value)
    claims = [mapping(claim).get("metadata") for claim in sequence(value.get("volumeClaimTemplates"))]
    for problem in mounts(pod, [*sequence(pod.get("volumes")), *claims]):
        yield problem.below(*_POD)


def pod_mounts(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    for problem in mounts(mapping(value.get("spec")), sequence(mapping(value.get("spec")).get("volumes"))):
        yield problem.below("spec")


def template_name(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    """A claim of a StatefulSet has a name, by which its Pods mount it."""
    for number, claim in enumerate(sequence(value.get("volumeClaimTemplates"))):
        if isinstance(claim, Mapping) and not mapping(claim.get("metadata")).get("name"):
            steps = ("volumeClaimTemplates", number, "metadata", "name")
            yield Problem(steps=steps, message="name is missing", fix="set metadata.name")


def _pod(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(mapping(value.get("template")).get("spec"))


def _is_zero(value: object) -> bool:
    return value in (0, "0", "0%") and not isinstance(value, bool)


_LASTING: Final[tuple[Callable[[Mapping[str, Any], int], Iterator[Problem]], ...]] = (selected, always, mounted)
RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "apps.v1.DaemonSetSpec": (
        *_LASTING,
        only("updateStrategy", "RollingUpdate"),
        no_progress("updateStrategy"),
        daemon_update,
    ),
    "apps.v1.DeploymentSpec": (*_LASTING, only("strategy", "RollingUpdate"), no_progress("strategy"), deadline),
    "apps.v1.ReplicaSetSpec": _LASTING,
    "apps.v1.StatefulSetSpec": (*_LASTING, only("updateStrategy", "RollingUpdate"), template_name),
    "batch.v1.CronJobSpec": (schedule,),
    "batch.v1.JobSpec": (ends, job, mounted),
    "core.v1.Pod": (pod_mounts,),
}
