"""The kinds that an Argo CD leaves out: it applies no object of them, and calls the Application Synced all the same.

Since 3.0 the manifests and the chart of Argo CD exclude Endpoints, EndpointSlices and others that controllers make (Argo CD,
"v2.14 to 3.0"). Sources: Argo CD, "Resource Exclusion/Inclusion"; ``resources_filter.go`` in ``util/settings``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.foundation.errors import ManifestError
from cluster_forge.gitops.argocd import globs
from cluster_forge.gitops.argocd.project import Kind

EXCLUSIONS: Final = "resource.exclusions"
INCLUSIONS: Final = "resource.inclusions"
"""In ``argocd-cm``: a list of rules each, as YAML."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """Patterns; a list that is empty is every one."""

    groups: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()

    def is_for(self, cluster: str) -> bool:
        return _matches(self.clusters, cluster)

    def has(self, kind: Kind) -> bool:
        group, name = kind
        return _matches(self.groups, group) and (not self.kinds or "*" in self.kinds or name in self.kinds)


_ALWAYS: Final = (
    _Rule(groups=("events.k8s.io", "metrics.k8s.io")),
    _Rule(groups=("",), kinds=("Event",)),
    _Rule(groups=("coordination.k8s.io",), kinds=("Lease",)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceFilter:
    """What the settings of an Argo CD leave out."""

    excluded: tuple[_Rule, ...]
    included: tuple[_Rule, ...]

    @classmethod
    def of(cls, data: Mapping[str, Any], read: Callable[[str], Any]) -> ResourceFilter:
        """That of the ``data`` of ``argocd-cm``; ``read`` makes a tree of YAML.

        Raises:
            ManifestError: if a rule is not YAML, or not a rule.
        """
        excluded, included = (tuple(_rules(key, read(str(data.get(key) or "")))) for key in (EXCLUSIONS, INCLUSIONS))
        return cls(excluded=excluded, included=included)

    def reason(self, kind: Kind, cluster: str) -> str | None:
        """The setting that leaves out objects of a kind in the cluster of that address; empty where Argo CD does so by itself;
        None if they are applied.
        """
        if any(rule.has(kind) for rule in _ALWAYS):
            return ""
        if any(rule.is_for(cluster) and rule.has(kind) for rule in self.excluded):
            return EXCLUSIONS
        here = [rule for rule in self.included if rule.is_for(cluster)]
        return INCLUSIONS if here and not any(rule.has(kind) for rule in here) else None


def _rules(key: str, value: object) -> Iterator[_Rule]:
    for number, one in enumerate(_listed(key, value)):
        rule, where = {} if one is None else one, f"{key}[{number}]"
        if not isinstance(rule, Mapping):
            raise ManifestError(f"{where} is not a mapping")
        groups, kinds, clusters = (
            tuple(_texts(f"{where}.{name}", rule.get(name))) for name in ("apiGroups", "kinds", "clusters")
        )
        yield _Rule(groups=groups, kinds=kinds, clusters=clusters)


def _texts(where: str, value: object) -> Iterator[str]:
    """A list of a rule. Argo CD's reader makes texts of numbers, and the empty one of null."""
    for one in _listed(where, value):
        if isinstance(one, Mapping | list):
            raise ManifestError(f"{where} has something that is not a text")
        yield "" if one is None else str(one)


def _listed(where: str, value: object) -> Sequence[object]:
    if isinstance(value, str) or not isinstance(value, Sequence | None):
        raise ManifestError(f"{where} is not a list")
    return value or ()


def _matches(patterns: tuple[str, ...], text: str) -> bool:
    return not patterns or any(globs.matches(pattern, text) for pattern in patterns)
