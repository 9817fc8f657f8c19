"""The tokens of ServiceAccounts that Pods get, and whether any binding gives them rights.

Source: kubernetes.io/docs/tasks/configure-pod-container/configure-service-account: the Pod's ``automountServiceAccountToken``
goes over that of its ServiceAccount; without either, the token is mounted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.security.grants import Grant
from cluster_forge.checks.security.pod_template import PodTemplate
from cluster_forge.manifests.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningAs:
    """A workload, and the ServiceAccount that its Pods run as; ``gets_token``: they get its token."""

    manifest: Manifest
    pod: PodTemplate
    account: str
    gets_token: bool

    @property
    def place(self) -> tuple[str, str]:
        """The namespace and the name of its ServiceAccount."""
        return (self.manifest.id.namespace, self.account)


def of(checked: CheckedStack) -> Iterator[RunningAs]:
    """The workloads of a stack with their ServiceAccounts."""
    accounts: Mapping[tuple[str, str], Manifest] = {
        (account.id.namespace, account.id.name): account for account in checked.of_kind.get(("", "ServiceAccount"), ())
    }
    for manifest in checked.manifests:
        for pod in PodTemplate.of(manifest):
            account = accounts.get((manifest.id.namespace, pod.service_account))
            wanted = pod.spec.get("automountServiceAccountToken")
            if wanted is None and account is not None:
                wanted = account.body.get("automountServiceAccountToken")
            yield RunningAs(manifest=manifest, pod=pod, account=pod.service_account, gets_token=wanted is not False)


def with_rights(grants: Iterable[Grant]) -> frozenset[tuple[str, str]]:
    """The ServiceAccounts, by namespace and name, that a binding gives a role; with an empty name all those of a namespace."""
    accounts = set()
    for grant in grants:
        for subject in grant.subjects:
            if subject.kind == "ServiceAccount":
                accounts.add((subject.namespace, subject.name))
            elif subject.kind == "Group" and subject.name.startswith("system:serviceaccounts:"):
                accounts.add((subject.name.rpartition(":")[2], ""))
            elif subject.kind == "User" and subject.name.startswith("system:serviceaccount:"):
                namespace, _, name = subject.name.removeprefix("system:serviceaccount:").partition(":")
                accounts.add((namespace, name))
    return frozenset(accounts)
