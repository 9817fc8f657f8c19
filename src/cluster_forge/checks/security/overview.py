"""The security of a stack on one page: who may do what, which images reach the node, what is open."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.security import (
    grants,
    network_policies,
    pod_security,
    pod_standards,
    rbac_wide,
    service_accounts,
    unused_tokens,
)
from cluster_forge.checks.security.grants import Grant, Subject
from cluster_forge.checks.security.namespaces import enforced_levels
from cluster_forge.checks.security.pod_standards import Level
from cluster_forge.checks.security.pod_template import PodTemplate
from cluster_forge.checks.security.rights import Right
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """The rights of a subject in the whole cluster or in one namespace, the roles that give them, and what runs as it."""

    subject: Subject
    namespace: str
    rights: tuple[Right, ...]
    roles: tuple[str, ...]
    bindings: tuple[Manifest, ...]
    workloads: tuple[Manifest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningPods:
    """The Pods of a workload: the level that they keep and the one that their namespace demands, and what goes beyond baseline."""

    manifest: Manifest
    images: tuple[str, ...]
    level: Level
    enforced: Level | None
    beyond: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityOverview:
    """``holdings`` are worst first; ``tokens`` and ``open_ones`` are the workloads with a token that no role makes use of, and
    those that no NetworkPolicy selects.
    """

    holdings: tuple[Holding, ...]
    pods: tuple[RunningPods, ...]
    tokens: tuple[Manifest, ...]
    open_ones: tuple[Manifest, ...]

    @classmethod
    def of(cls, checked: CheckedStack) -> Self:
        return cls(
            holdings=tuple(_holdings(checked)),
            pods=tuple(_pods(checked)),
            tokens=tuple(running.manifest for running in unused_tokens.of(checked)),
            open_ones=tuple(network_policies.unselected(checked)),
        )

    def about(self, is_wanted: Callable[[Manifest], bool]) -> SecurityOverview:
        """What is about the objects that are wanted: rights that they give or run with, Pods that they make."""
        return SecurityOverview(
            holdings=tuple(one for one in self.holdings if any(map(is_wanted, (*one.bindings, *one.workloads)))),
            pods=tuple(one for one in self.pods if is_wanted(one.manifest)),
            tokens=tuple(filter(is_wanted, self.tokens)),
            open_ones=tuple(filter(is_wanted, self.open_ones)),
        )

    @property
    def on_the_node(self) -> tuple[RunningPods, ...]:
        """The workloads whose Pods reach the node."""
        return tuple(pods for pods in self.pods if pods.beyond)

    @property
    def levels(self) -> Mapping[Level, int]:
        """How many workloads keep each level, as the strictest one."""
        counted = Counter(pods.level for pods in self.pods)
        return {level: counted[level] for level in Level}


def _pods(checked: CheckedStack) -> Iterator[RunningPods]:
    levels = enforced_levels(checked)
    for manifest in checked.manifests:
        for pod in PodTemplate.of(manifest):
            images = (container.body.get("image") for container in pod.containers)
            enforced = levels.get(manifest.id.namespace)
            yield RunningPods(
                manifest=manifest,
                images=tuple(dict.fromkeys(image for image in images if isinstance(image, str))),
                level=pod_standards.strictest(pod, checked.minor),
                enforced=enforced.level if enforced else None,
                beyond=pod_security.listed(pod_standards.beyond(pod, Level.BASELINE, checked.minor)),
            )


def _holdings(checked: CheckedStack) -> Iterator[Holding]:
    runs: defaultdict[tuple[str, str], dict[ObjectId, Manifest]] = defaultdict(dict)
    for running in service_accounts.of(checked):
        runs[running.place][running.manifest.id] = running.manifest  # once, however many templates it has
    by_holder: defaultdict[tuple[Subject, str], list[Grant]] = defaultdict(list)
    for grant in grants.of(checked):
        for subject in dict.fromkeys(grant.subjects):
            by_holder[subject, grant.namespace].append(grant)
    holdings = [
        Holding(
            subject=subject,
            namespace=namespace,
            rights=rights,
            roles=tuple(dict.fromkeys(f"{grant.role_kind}/{grant.role_name}" for grant in held)),
            bindings=tuple(grant.binding for grant in held),
            workloads=tuple(runs[subject.namespace, subject.name].values()) if subject.kind == "ServiceAccount" else (),
        )
        for (subject, namespace), held in by_holder.items()
        if (rights := _rights(held))
    ]
    yield from sorted(holdings, key=_badness)


def _rights(held: Sequence[Grant]) -> tuple[Right, ...]:
    all_rights = {right for grant in held for right in rbac_wide.of(grant)}
    return tuple(right for right in Right if right in all_rights)


def _badness(holding: Holding) -> tuple[bool, list[int], str]:
    """Sorts what holds in the whole cluster first, then by the worst right."""
    return (bool(holding.namespace), [list(Right).index(right) for right in holding.rights], str(holding.subject))
