"""The APIs of Kubernetes itself, by minor version: the API versions that it serves, and the scope of its kinds.

The table is generated (``kubernetes_api_table``); "served" means by a server without ``--runtime-config``. A minor is the
36 of Kubernetes 1.36.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from cluster_forge.foundation.names import nearest
from cluster_forge.manifests.kubernetes_api_table import KINDS, MINORS, SUBRESOURCE_KINDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

BUILT_IN_NAMESPACES = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
"""The namespaces that every cluster has."""

_FORMER_GROUPS = frozenset({"auditregistration.k8s.io", "extensions", "settings.k8s.io"})
"""Groups that no minor of the table serves ("Deprecated API Migration Guide")."""


def minors() -> tuple[int, ...]:
    """The minors in the table, ascending, without a gap."""
    return MINORS


@cache
def api_versions(minor: int) -> tuple[str, ...]:
    """What Helm sees of a cluster without custom resources (``.Capabilities.APIVersions``), sorted.

    Both forms, as Helm's ``action.GetVersionSet`` builds them from discovery: ``apps/v1`` and
    ``apps/v1/Deployment``, for the core group ``v1`` and ``v1/ConfigMap``. Discovery lists subresources too,
    so the kinds that only they have are in it: ``v1/Eviction``, ``v1/PodExecOptions``, ``apps/v1/Scale``.

    Raises:
        ValueError: if ``minor`` is not one of `minors`.
    """
    if minor not in MINORS:
        raise ValueError(f"unknown Kubernetes version 1.{minor}: known are 1.{MINORS[0]} to 1.{MINORS[-1]}")
    served = [(group, version, kind) for group, version, kind, _, where, _ in KINDS if minor in minors_in(where)]
    served += [(group, version, kind) for group, version, kind, where in SUBRESOURCE_KINDS if minor in minors_in(where)]
    versions: set[str] = set()
    for group, version, kind in served:
        api_version = f"{group}/{version}" if group else version
        versions.update((api_version, f"{api_version}/{kind}"))
    return tuple(sorted(versions))


def is_namespaced(group: str, kind: str, minor: int) -> bool | None:
    """Whether objects of a built-in kind are in a namespace; None for a kind that no minor knows.

    The version does not matter: a kind has the same scope in all of them. A kind that ``minor`` does not know has the
    scope of the nearest minor that does, so that an old or a coming API has one too.
    """
    return _scopes(minor).get((group, kind))


def served_minors(group: str, version: str, kind: str) -> tuple[int, ...]:
    """The minors that serve this kind in this version by default; none for kinds of other projects."""
    return _served().get((group, version, kind), ())


def known_minors(group: str, version: str, kind: str) -> tuple[int, ...]:
    """The minors that know this kind in this version, by default or with ``--runtime-config``."""
    return _known().get((group, version, kind), ())


def is_built_in(group: str) -> bool:
    """Whether a group is one of Kubernetes itself, in the table or removed before it."""
    return group in _groups()


def versions_of(group: str, kind: str, minor: int) -> tuple[str, ...]:
    """The API versions in which ``minor`` serves a kind: those of its own group first, stable ones first, newest first."""
    served = [row for row in KINDS if row[2] == kind and minor in minors_in(row[4])]
    newest_first = sorted(served, key=lambda row: row[1], reverse=True)
    served = sorted(newest_first, key=lambda row: (row[0] != group, "alpha" in row[1], "beta" in row[1], row[0]))
    return tuple(f"{group}/{version}" if group else version for group, version, *_ in served)


@cache
def kinds() -> Collection[tuple[str, str]]:
    """The groups and kinds of all known versions of Kubernetes."""
    return frozenset((group, kind) for group, _, kind, *_ in KINDS)


def similar_kind(group: str, kind: str, minor: int) -> str:
    """The kind that ``minor`` serves and that was probably meant: in another case, or misspelled; empty if there is none."""
    served = {row[2]: row[0] for row in KINDS if minor in minors_in(row[4])}
    other_case = next((known for known in served if known.lower() == kind.lower()), "")
    return other_case or nearest(kind, [known for known, its in served.items() if its == group]) or ""


@cache
def _groups() -> frozenset[str]:
    return frozenset(row[0] for row in KINDS) | _FORMER_GROUPS


@cache
def _known() -> Mapping[tuple[str, str, str], tuple[int, ...]]:
    return MappingProxyType({(group, version, kind): minors_in(where) for group, version, kind, _, _, where in KINDS})


@cache
def _scopes(minor: int) -> Mapping[tuple[str, str], bool]:
    """Scopes by group and kind, each from the row whose minors are nearest to ``minor``."""
    nearest_last = sorted(KINDS, key=lambda row: -min(abs(known - minor) for known in minors_in(row[5])))
    return MappingProxyType({(group, kind): namespaced for group, _, kind, namespaced, _, _ in nearest_last})


@cache
def _served() -> Mapping[tuple[str, str, str], tuple[int, ...]]:
    return MappingProxyType({(group, version, kind): minors_in(where) for group, version, kind, _, where, _ in KINDS})


@cache
def minors_in(ranges: str) -> tuple[int, ...]:
    """The minors of ``25-27,30``, as the generated tables write them: 25, 26, 27, 30."""
    return tuple(_expand(ranges))


def do(several: tuple[int, ...]) -> str:
    """Which minors do something: ``1.26 to 1.31 do``; there is no gap between them."""
    return f"1.{several[0]} to 1.{several[-1]} do" if len(several) > 1 else f"1.{several[0]} does"


def _expand(ranges: str) -> Iterator[int]:
    for span in filter(None, ranges.split(",")):
        first, _, last = span.partition("-")
        yield from range(int(first), int(last or first) + 1)
