"""Which objects a rule is about: ``match`` and ``exclude`` (kyverno, ``pkg/utils/match``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.cel.errors import UndecidedError
from cluster_forge.checks.policies import resource_rules
from cluster_forge.checks.policies.admitted import Admitted
from cluster_forge.checks.policies.kyverno import wildcards
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.label_selector import matches

_PEOPLE: Final = ("subjects", "roles", "clusterRoles")
_PARTS: Final = 3
"""Of a kind with its group and version: ``apps/v1/Deployment``."""


@dataclass(frozen=True, slots=True)
class Namespaces:
    """The labels of the stack's namespaces, by name."""

    labels: Mapping[str, Mapping[str, str]]


def may_select(block: Mapping[str, Any], admitted: Admitted) -> bool:
    """Whether a ``match`` may select objects of the same kind as this one, whatever their names and labels."""
    blocks = [mapping(one) for key in ("any", "all") for one in sequence(block.get(key))] or [block]
    kinds = [sequence(mapping(one.get("resources")).get("kinds")) for one in blocks]
    return any(not those or any(_is_kind(kind, admitted) for kind in those) for those in kinds)


def selects(block: Mapping[str, Any], admitted: Admitted, namespaces: Namespaces) -> bool:
    """Whether a ``match`` or ``exclude`` selects an object; an empty one selects none.

    Raises:
        UndecidedError: if that depends on who makes the request, or on labels that are not known.
    """
    if "any" in block or "all" in block:
        any_of = [mapping(one) for one in sequence(block.get("any"))]
        all_of = [mapping(one) for one in sequence(block.get("all"))]
        return bool(any_of or all_of) and (
            (not any_of or _any(any_of, admitted, namespaces))
            and all(_selects(one, admitted, namespaces) for one in all_of)
        )
    return _selects(block, admitted, namespaces)


def _any(filters: Iterable[Mapping[str, Any]], admitted: Admitted, namespaces: Namespaces) -> bool:
    unknown: UndecidedError | None = None
    for one in filters:
        try:
            if _selects(one, admitted, namespaces):
                return True
        except UndecidedError as error:
            unknown = error
    if unknown:
        raise unknown
    return False


def _selects(one: Mapping[str, Any], admitted: Admitted, namespaces: Namespaces) -> bool:
    resources = mapping(one.get("resources"))
    people = [key for key in _PEOPLE if one.get(key)]
    if not resources and not people:
        return False
    if resources and not _resources(resources, admitted, namespaces):
        return False
    if people:
        raise UndecidedError(f"who makes the request ({people[0]}) is not known")
    return True


def _resources(resources: Mapping[str, Any], admitted: Admitted, namespaces: Namespaces) -> bool:
    kinds, operations = sequence(resources.get("kinds")), sequence(resources.get("operations"))
    names = [*filter(None, [resources.get("name")]), *sequence(resources.get("names"))]
    namespace = admitted.name if admitted.kind == "Namespace" else admitted.namespace
    within = sequence(resources.get("namespaces"))
    return (
        (not kinds or any(_is_kind(kind, admitted) for kind in kinds))
        and (not operations or "CREATE" in operations)
        and (not names or wildcards.is_among(admitted.name, names))
        and (not within or wildcards.is_among(namespace, within))
        and _has(mapping(resources.get("annotations")), _annotations(admitted))
        and matches(_concrete(mapping(resources.get("selector")), admitted.labels), admitted.labels)
        and resource_rules.in_namespace(mapping(resources.get("namespaceSelector")), admitted, namespaces.labels)
    )


def _is_kind(kind: object, admitted: Admitted) -> bool:
    """``Pod``, ``v1/Pod``, ``apps/v1/Deployment``, ``*``; a subresource (``Pod/exec``) is not an object."""
    parts = str(kind).split("/")
    if len(parts) > _PARTS or (len(parts) > 1 and parts[-1][:1].islower()):
        return False
    own = (admitted.group, admitted.version, admitted.kind)
    group, version, name = (
        ("*", "*", parts[0]) if len(parts) == 1 else ("*", *parts) if len(parts) == _PARTS - 1 else parts
    )
    return all(wildcards.matches(pattern, text) for pattern, text in zip((group, version, name), own, strict=True))


def _annotations(admitted: Admitted) -> Mapping[str, Any]:
    return mapping(mapping(admitted.body.get("metadata")).get("annotations"))


def _has(wanted: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    return all(
        any(
            wildcards.matches(str(key), str(name)) and wildcards.matches(str(text), str(entry))
            for name, entry in own.items()
        )
        for key, text in wanted.items()
    )


def _concrete(selector: Mapping[str, Any], labels: Mapping[str, str]) -> Mapping[str, Any]:
    """The selector, with wildcards in its labels as the object has them."""
    wanted = mapping(selector.get("matchLabels"))
    concrete = {}
    for key, text in wanted.items():
        own = next(
            ((k, v) for k, v in labels.items() if wildcards.matches(str(key), k) and wildcards.matches(str(text), v)),
            (key, text),
        )
        concrete[own[0]] = own[1]
    return {**selector, "matchLabels": concrete} if wanted else selector
