"""The Kubernetes Hardening Guidance of NSA and CISA, version 1.2: its sections, in our own words.

The guidance has no numbers; a control is named by its section (media.defense.gov, CTR_KUBERNETES_HARDENING_GUIDANCE_1.2).
"""

from __future__ import annotations

from typing import Final

from cluster_forge.checks.compliance import pod_judges, role_judges, workload_judges
from cluster_forge.checks.compliance.control import Control
from cluster_forge.checks.compliance.pod_judges import violating

TITLE: Final = "NSA/CISA Kubernetes Hardening Guidance 1.2"
_POD: Final = "Kubernetes Pod security"
_NETWORK: Final = "Network separation and hardening"
_RIGHTS: Final = "Authentication and authorization"
CONTROLS: Final = (
    Control(
        number=f"{_POD}: non-root containers",
        title="programs do not run as root",
        judge=violating("Running as Non-root", "Running as Non-root user"),
    ),
    Control(
        number=f"{_POD}: immutable file systems",
        title="containers cannot write to their own file system",
        judge=workload_judges.writable,
    ),
    Control(
        number=f"{_POD}: building secure images", title="images have a fixed version", judge=workload_judges.unpinned
    ),
    Control(
        number=f"{_POD}: privileges",
        title="Pods do not reach the node",
        judge=pod_judges.reaching_the_node,
    ),
    Control(
        number=f"{_POD}: escalation",
        title="programs cannot gain privileges",
        judge=violating("Privilege Escalation"),
    ),
    Control(
        number=f"{_POD}: enforcement",
        title="each namespace has a policy for Pods",
        judge=workload_judges.without_level,
    ),
    Control(
        number=f"{_POD}: ServiceAccount tokens",
        title="Pods get a token only where it is used",
        judge=workload_judges.needless_tokens,
    ),
    Control(
        number=f"{_POD}: hardening containers",
        title="containers have a seccomp profile",
        judge=violating("Seccomp"),
    ),
    Control(
        number=f"{_NETWORK}: namespaces",
        title="the namespace default is not used",
        judge=workload_judges.default_namespace,
    ),
    Control(
        number=f"{_NETWORK}: network policies",
        title="NetworkPolicies select all Pods",
        judge=workload_judges.unseparated,
    ),
    Control(
        number=f"{_NETWORK}: resource policies",
        title="containers have a memory limit",
        judge=workload_judges.unlimited,
    ),
    Control(number=f"{_NETWORK}: control plane", title="the control plane and etcd are out of reach"),
    Control(number=f"{_NETWORK}: encryption", title="traffic and etcd are encrypted"),
    Control(
        number=f"{_NETWORK}: secrets",
        title="no password or key is in an object",
        judge=workload_judges.plain_secrets,
    ),
    Control(number=f"{_NETWORK}: cloud infrastructure", title="Pods cannot reach the metadata of the cloud"),
    Control(
        number=f"{_RIGHTS}: authentication", title="anonymous requests are refused, users are strongly authenticated"
    ),
    Control(
        number=f"{_RIGHTS}: roles",
        title="roles give no more than is needed",
        judge=role_judges.wide_roles,
    ),
    Control(number="Audit logging and threat detection", title="the API server and the nodes write audit logs"),
    Control(
        number="Upgrading and application security practices", title="versions are current, and unused parts removed"
    ),
)
