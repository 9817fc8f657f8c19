"""Containers: ports, environment, mounts, probes, resources and what they may do (``validateContainerCommon``)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from cluster_forge.checks.kubernetes_objects.problem import Problem, Rule, shown
from cluster_forge.foundation import quantity
from cluster_forge.foundation.untyped import mapping, sequence

_ENV_NAME: Final = re.compile(r"(?!\.\Z)(?!\.\.)[-._a-zA-Z][-._a-zA-Z0-9]*\Z")
_RELAXED_ENV_NAME: Final = re.compile(r"[ -<>-~]+\Z")
_RELAXED_SINCE: Final = 32
"""The minor since which an environment variable may have nearly any name (KEP-4369, on by default)."""
_HANDLERS: Final = ("exec", "grpc", "httpGet", "tcpSocket", "sleep")
_VALUE_SOURCES: Final = ("configMapKeyRef", "fieldRef", "fileKeyRef", "resourceFieldRef", "secretKeyRef")
_STANDARD: Final = frozenset({"cpu", "memory", "ephemeral-storage"})
_HUGE_PAGES: Final = "hugepages-"


def container(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    if value.get("image") in (None, ""):
        yield Problem(steps=("image",), message="image is missing", fix="set image")
    yield from _unique(value, "ports", "name", lambda entry: entry.get("name"))
    yield from _unique(value, "volumeMounts", "mountPath", lambda entry: entry.get("mountPath"))
    context = mapping(value.get("securityContext"))
    if context.get("allowPrivilegeEscalation") is False:
        added = sequence(mapping(context.get("capabilities")).get("add"))
        reason = "privileged is true" if context.get("privileged") is True else ""
        reason = reason or ("CAP_SYS_ADMIN is added" if "CAP_SYS_ADMIN" in added else "")
        if reason:
            yield Problem(
                steps=("securityContext", "allowPrivilegeEscalation"),
                message=f"allowPrivilegeEscalation cannot be false where {reason}",
                fix="remove one of the two",
            )


def probe(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    yield from _one(value, _HANDLERS, "a probe")


def command(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    if not sequence(value.get("command")):
        yield Problem(steps=("command",), message="command is missing", fix="set command")


def lifecycle_handler(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    yield from _one(value, _HANDLERS, "a hook")


def only_success(name: str) -> Rule:
    """A rule for containers: the probe ``name`` is passed with one success."""

    def rule(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
        threshold = mapping(value.get(name)).get("successThreshold")
        if isinstance(threshold, int) and threshold > 1:
            yield Problem(
                steps=(name, "successThreshold"),
                message=f"successThreshold of a {name} must be 1",
                fix="remove successThreshold",
            )

    return rule


def env_var(value: Mapping[str, Any], minor: int) -> Iterator[Problem]:
    name = value.get("name")
    pattern = _RELAXED_ENV_NAME if minor >= _RELAXED_SINCE else _ENV_NAME
    if isinstance(name, str) and name and not pattern.match(name):
        allowed = (
            "printable characters but =" if minor >= _RELAXED_SINCE else "letters, digits, -, _ and ., no digit first"
        )
        yield Problem(
            steps=("name",), message=f"{shown(name)} cannot be the name of a variable: {allowed}", fix="rename it"
        )
    source = value.get("valueFrom")
    if not isinstance(source, Mapping):
        return
    if value.get("value") not in (None, ""):
        yield Problem(steps=("valueFrom",), message="both value and valueFrom are set", fix="remove one of the two")
    for problem in _one(source, _VALUE_SOURCES, "valueFrom"):
        yield problem.below("valueFrom")


def env_from(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    yield from _one(value, ("configMapRef", "secretRef"), "an entry of envFrom")
    for source in ("configMapRef", "secretRef"):
        reference = value.get(source)
        if isinstance(reference, Mapping) and reference.get("name") in (None, ""):
            yield Problem(steps=(source, "name"), message="name is missing", fix="set name")


def named_reference(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    """A key of a ConfigMap or Secret."""
    if value.get("name") in (None, ""):
        yield Problem(steps=("name",), message="name is missing", fix="set name")


def resources(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    """Requests and limits: known names, nothing negative, no request above its limit."""
    for problem in _of_resources(mapping(value.get("resources"))):
        yield problem.below("resources")


def _of_resources(value: Mapping[str, Any]) -> Iterator[Problem]:
    requests, limits = mapping(value.get("requests")), mapping(value.get("limits"))
    for which, amounts in (("requests", requests), ("limits", limits)):
        for name, amount in amounts.items():
            number = _number(amount)
            if number is not None and number < 0:
                yield Problem(steps=(which, name), message=f"{amount} is negative", fix="write 0 or more")
            if not _is_resource(name):
                yield Problem(
                    steps=(which, name),
                    message=f"{shown(name)} is not a resource: cpu, memory, ephemeral-storage, hugepages-…, or a name with a domain",
                    fix="correct the name",
                )
    for name, amount in requests.items():
        yield from _above_limit(name, amount, limits.get(name))


def _above_limit(name: str, amount: Any, limit: Any) -> Iterator[Problem]:
    request, bound = _number(amount), _number(limit)
    if request is None or (bound is None and limit is not None):
        return
    is_shared = name in _STANDARD or (not _has_domain(name) and not name.startswith(_HUGE_PAGES))
    if bound is None:
        if not is_shared:
            message = f"{name} is requested without a limit: such a resource is not shared"
            yield Problem(steps=("limits", name), message=message, fix=f"set the limit {name}: {amount}")
    elif request > bound:
        message = f"the request {name}: {amount} is above the limit {limit}"
        yield Problem(steps=("requests", name), message=message, fix="raise the limit, or lower the request")
    elif request < bound and not is_shared:
        message = f"the request {name}: {amount} is not the limit {limit}: such a resource is not shared"
        yield Problem(steps=("requests", name), message=message, fix="make both equal, or remove the request")


def _has_domain(name: str) -> bool:
    """Whether it is an extended resource; those of kubernetes.io are shared (``IsNativeResource``)."""
    return "/" in name and "kubernetes.io/" not in name


def _is_resource(name: object) -> bool:
    return isinstance(name, str) and (name in _STANDARD or "/" in name or name.startswith(_HUGE_PAGES))


def _number(amount: Any) -> Decimal | None:
    if not isinstance(amount, str | int | float) or isinstance(amount, bool):
        return None
    try:
        return quantity.parse(amount)
    except ValueError:
        return None


def _one(value: Mapping[str, Any], names: tuple[str, ...], what: str) -> Iterator[Problem]:
    """Exactly one of the fields is set."""
    given = [name for name in names if value.get(name) is not None]
    if not given:
        choices = " or ".join((", ".join(names[:-1]), names[-1]))
        yield Problem(steps=(), message=f"{what} has none of {choices}", fix=f"set one of {choices}")
    elif len(given) > 1:
        yield Problem(
            steps=(given[1],), message=f"{what} has both {given[0]} and {given[1]}", fix="remove one of the two"
        )


def _unique(value: Mapping[str, Any], field: str, key: str, of: Any) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, entry in enumerate(sequence(value.get(field))):
        name = of(entry) if isinstance(entry, Mapping) else None
        if not isinstance(name, str) or not name:
            continue
        if name in seen:
            message = f"the {key} {shown(name)} is there twice"
            yield Problem(steps=(field, number, key), message=message, fix="remove or rename one of the two")
        seen.add(name)


RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "core.v1.ConfigMapKeySelector": (named_reference,),
    "core.v1.Container": (container, resources, only_success("livenessProbe"), only_success("startupProbe")),
    "core.v1.EnvFromSource": (env_from,),
    "core.v1.EnvVar": (env_var,),
    "core.v1.ExecAction": (command,),
    "core.v1.LifecycleHandler": (lifecycle_handler,),
    "core.v1.Probe": (probe,),
    "core.v1.SecretKeySelector": (named_reference,),
}
