"""The kinds that an Argo CD leaves out: it applies no object of them, and calls the Application Synced all the same.

Since 3.0 the manifests and the chart of Argo CD exclude Endpoints, EndpointSlices and others that controllers make (Argo CD,
"v2.14 to 3.0"). Sources: Argo CD, "Resource Exclusion/Inclusion"; ``resources_filter.go`` in ``util/settings``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from cluster_forge.foundation.untyped import sequence
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
            ManifestError: if a rule is not YAML.
        """
        excluded, included = (tuple(_rules(read(str(data.get(key) or "")))) for key in (EXCLUSIONS, INCLUSIONS))
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


def _rules(value: object) -> Iterator[_Rule]:
    """The rules in a list; what has another shape is none: Argo CD itself refuses it."""
    for one in sequence(value):
        groups, kinds, clusters = (_texts(one, key) for key in ("apiGroups", "kinds", "clusters"))
        if groups is not None and kinds is not None and clusters is not None:
            yield _Rule(groups=groups, kinds=kinds, clusters=clusters)


def _texts(rule: object, key: str) -> tuple[str, ...] | None:
    """A list of a rule; None if it is something else."""
    value = (rule.get(key) or ()) if isinstance(rule, Mapping) else None
    if isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(text, str) for text in value):
        return tuple(value)
    return None


def _matches(patterns: tuple[str, ...], text: str) -> bool:
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)
