"""Roles give no more than a part of the stack needs.

A warning where an attacker who takes over the Pod has the whole cluster: everything, ``escalate``, ``bind`` or
``impersonate`` without names, or with those of the most powerful; where a role that can do harm is for a group that everyone
belongs to, in whatever namespace; and where anything but what is public needs no login. Otherwise a notice, since controllers
need such rights: reading the Secrets of all namespaces, or of kube-system; creating Pods there; changing roles. What people
may do, and what roles allow that nothing binds, is not reported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.security import grants, rights
from cluster_forge.checks.security.grants import Grant, Subject
from cluster_forge.checks.security.rights import TAKES_OVER, Right
from cluster_forge.foundation.names import listed
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

CODE: Final = "rbac-wide"
_EVERYONE: Final = frozenset(
    ("system:authenticated", "system:unauthenticated", "system:serviceaccounts", "system:anonymous")
)
_ANONYMOUS: Final = frozenset(("system:unauthenticated", "system:anonymous"))
_SHOWN: Final = 3
_ACCEPT: Final = "if the component needs it, say why under `checks.ignore`"
_FIX: Final = f"narrow the role in the values, or name the objects (`resourceNames`); {_ACCEPT}"
_FIX_BINDING: Final = f"bind a role that has only what it uses, by the values of the chart; {_ACCEPT}"


def findings(checked: CheckedStack, /) -> Iterator[Finding]:
    by_place: defaultdict[tuple[str, str], list[Grant]] = defaultdict(list)
    for grant in grants.of(checked):
        if (is_wide(grant) and any(map(_is_program, grant.subjects))) or _is_for_everyone(grant):
            place = grant.role or grant.binding
            by_place[str(place.provenance.component), str(place.id)].append(grant)
    for held in by_place.values():
        yield from _finding(held[0].role or held[0].binding, held)


def _is_program(subject: Subject) -> bool:
    """Whether an attacker becomes a subject by taking over a Pod, or is it already; people are not."""
    return (
        subject.kind == "ServiceAccount"
        or subject.name in _EVERYONE
        or subject.name.startswith("system:serviceaccount")
    )


def is_wide(grant: Grant) -> bool:
    """Whether a grant is for the whole cluster, or for the namespace that runs it."""
    return grant.namespace in ("", "kube-system")


def _is_for_everyone(grant: Grant) -> bool:
    return any(subject.name in _EVERYONE for subject in grant.subjects)


def of(grant: Grant) -> list[Right]:
    """The rights of a grant, worst first; those that everything implies are left out."""
    held_rights = {right for rule in grant.rules for right in rights.of(rule)}
    if grant.namespace:
        held_rights.discard(Right.API_PATHS)  # a RoleBinding gives no paths
    if held_rights and _is_for_everyone(grant):
        held_rights.add(Right.SYSTEM_GROUP)
    if any(subject.name in _ANONYMOUS for subject in grant.subjects) and not all(map(rights.is_public, grant.rules)):
        held_rights.add(Right.ANONYMOUS)
    if Right.ALL in held_rights:
        held_rights &= {Right.ALL, Right.SYSTEM_GROUP, Right.ANONYMOUS}
    return [right for right in Right if right in held_rights]


def _finding(place: Manifest, held: Sequence[Grant]) -> list[Finding]:
    """The finding about a role, or about the binding of a role that every cluster has."""
    held_rights = {right for grant in held for right in of(grant)}
    if not held_rights:
        return []
    subjects = sorted({str(subject) for grant in held for subject in grant.subjects})
    namespaces = sorted({grant.namespace for grant in held})
    where = f" in {', '.join(namespaces)}" if all(namespaces) else ""
    may = ", ".join(right for right in Right if right in held_rights)
    finding = report.warning if held_rights & TAKES_OVER else report.notice
    fix, field = (_FIX, "rules") if held[0].role else (_FIX_BINDING, "roleRef")
    return [finding(place, CODE, f"{listed(subjects, _SHOWN)} may {may}{where}", fix=fix, field=field)]
