"""What controls ask of workloads and namespaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cluster_forge.checks.compliance.evidence import Evidence, Workload
from cluster_forge.checks.security import network_policies, plaintext_secret, unpinned_image, unused_tokens
from cluster_forge.checks.security.pod_standards import Level
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.manifest import Manifest


def without_level(evidence: Evidence) -> list[Manifest]:
    """The workloads in namespaces where no label makes the API server refuse Pods beyond baseline."""
    enforced = {name for name, level in evidence.levels.items() if level and level.level is not Level.PRIVILEGED}
    return [one.manifest for one in evidence.workloads if one.manifest.id.namespace not in enforced]


def unseparated(evidence: Evidence) -> list[Manifest]:
    """The workloads that no NetworkPolicy selects."""
    return network_policies.unselected(evidence.checked)


def plain_secrets(evidence: Evidence) -> list[Manifest]:
    """The objects with secrets in plain text."""
    return [manifest for manifest in evidence.checked.manifests if any(plaintext_secret.of(manifest))]


def unpinned(evidence: Evidence) -> list[Manifest]:
    """The workloads with an image that may be another one tomorrow."""
    return [one.manifest for one in evidence.workloads if any(unpinned_image.of(one.manifest))]


def needless_tokens(evidence: Evidence) -> list[Manifest]:
    """The workloads that get a token which no role makes use of."""
    return [running.manifest for running in unused_tokens.of(evidence.checked)]


def default_accounts(evidence: Evidence) -> list[Manifest]:
    """The workloads that run as their namespace's default ServiceAccount, and get its token."""
    return [
        one.manifest
        for one in evidence.workloads
        if one.pod.service_account == "default" and one.pod.spec.get("automountServiceAccountToken") is not False
    ]


def default_namespace(evidence: Evidence) -> list[Manifest]:
    """The objects in the namespace default."""
    return [manifest for manifest in evidence.checked.manifests if manifest.id.namespace == "default"]


def secrets_in_environment(evidence: Evidence) -> list[Manifest]:
    """The workloads with a container that takes a variable from a Secret."""
    return [one.manifest for one in evidence.workloads if any(_takes_secret(body) for body in _containers(one))]


def without_context(evidence: Evidence) -> list[Manifest]:
    """The workloads with a container that sets no security context, and whose Pod sets none."""
    return [
        one.manifest
        for one in evidence.workloads
        if not one.pod.context and any(not mapping(body.get("securityContext")) for body in _containers(one))
    ]


def writable(evidence: Evidence) -> list[Manifest]:
    """The workloads with a container that may write to its own file system."""
    return [
        one.manifest
        for one in evidence.workloads
        if any(
            mapping(body.get("securityContext")).get("readOnlyRootFilesystem") is not True for body in _containers(one)
        )
    ]


def unlimited(evidence: Evidence) -> list[Manifest]:
    """The workloads with a container without a memory limit."""
    return [
        one.manifest
        for one in evidence.workloads
        if any(not mapping(mapping(body.get("resources")).get("limits")).get("memory") for body in _containers(one))
    ]


def keeps_net_raw(evidence: Evidence) -> list[Manifest]:
    """The workloads with a container that has NET_RAW, which every container gets unless it drops it."""
    return [one.manifest for one in evidence.workloads if any(_has_net_raw(body) for body in _containers(one))]


def _has_net_raw(container: Mapping[str, Any]) -> bool:
    capabilities = mapping(mapping(container.get("securityContext")).get("capabilities"))
    dropped = {str(name).upper() for name in sequence(capabilities.get("drop"))}
    added = {str(name).upper() for name in sequence(capabilities.get("add"))}
    return bool(added & {"ALL", "NET_RAW"}) or not dropped & {"ALL", "NET_RAW"}


def _takes_secret(container: Mapping[str, Any]) -> bool:
    variables = map(mapping, sequence(container.get("env")))
    sources = map(mapping, sequence(container.get("envFrom")))
    return any(mapping(variable.get("valueFrom")).get("secretKeyRef") for variable in variables) or any(
        source.get("secretRef") for source in sources
    )


def _containers(workload: Workload) -> Iterator[Mapping[str, Any]]:
    return (container.body for container in workload.pod.containers)
