"""The CIS Kubernetes Benchmark, version 1.11: its numbers, in our own words (cisecurity.org/benchmark/kubernetes).

Sections 1 to 4 are about the programs and files of the nodes: a row for each part of them.
"""

from __future__ import annotations

from typing import Final

from cluster_forge.checks.compliance import role_judges, workload_judges
from cluster_forge.checks.compliance.control import Control
from cluster_forge.checks.compliance.pod_judges import violating

TITLE: Final = "CIS Kubernetes Benchmark 1.11"
CONTROLS: Final = (
    Control(number="1.1", title="files of the control plane"),
    Control(number="1.2", title="flags of the API server"),
    Control(number="1.3", title="flags of the controller manager"),
    Control(number="1.4", title="flags of the scheduler"),
    Control(number="2", title="flags of etcd"),
    Control(number="3", title="authentication and audit of the control plane"),
    Control(number="4.1", title="files of the nodes"),
    Control(number="4.2", title="settings of the kubelets"),
    Control(number="4.3", title="settings of kube-proxy"),
    Control(number="5.1.1", title="few are bound to cluster-admin", judge=role_judges.cluster_admins),
    Control(number="5.1.2", title="few may read Secrets", judge=role_judges.reading_secrets),
    Control(number="5.1.3", title="roles are without wildcards", judge=role_judges.wildcards),
    Control(number="5.1.4", title="few may create Pods", judge=role_judges.creating_pods),
    Control(number="5.1.5", title="default ServiceAccounts are not used", judge=workload_judges.default_accounts),
    Control(number="5.1.6", title="tokens are mounted where they are used", judge=workload_judges.needless_tokens),
    Control(number="5.1.7", title="the group system:masters is not used", judge=role_judges.masters),
    Control(number="5.1.8", title="few may bind, impersonate or escalate", judge=role_judges.raising_rights),
    Control(number="5.1.9", title="few may create PersistentVolumes", judge=role_judges.creating_volumes),
    Control(number="5.1.10", title="few may use nodes/proxy", judge=role_judges.node_proxies),
    Control(number="5.1.11", title="few may approve certificates", judge=role_judges.approving_certificates),
    Control(number="5.1.12", title="few may change admission webhooks", judge=role_judges.changing_webhooks),
    Control(number="5.1.13", title="few may make tokens of ServiceAccounts", judge=role_judges.creating_tokens),
    Control(number="5.2.1", title="each namespace has a policy for Pods", judge=workload_judges.without_level),
    Control(number="5.2.2", title="no privileged containers", judge=violating("Privileged Containers")),
    Control(number="5.2.3", title="no host process IDs", judge=violating("Host Namespaces", message="hostPID")),
    Control(number="5.2.4", title="no host IPC", judge=violating("Host Namespaces", message="hostIPC")),
    Control(number="5.2.5", title="no host network", judge=violating("Host Namespaces", message="hostNetwork")),
    Control(number="5.2.6", title="no privilege escalation", judge=violating("Privilege Escalation")),
    Control(number="5.2.7", title="no root", judge=violating("Running as Non-root", "Running as Non-root user")),
    Control(number="5.2.8", title="no NET_RAW", judge=workload_judges.keeps_net_raw),
    Control(number="5.2.9", title="no added capabilities", judge=violating("Capabilities", message="adds ")),
    Control(number="5.2.10", title="all capabilities are dropped", judge=violating("Capabilities", message="drop ALL")),
    Control(number="5.2.11", title="no Windows HostProcess", judge=violating("HostProcess")),
    Control(number="5.2.12", title="no hostPath volumes", judge=violating("HostPath Volumes")),
    Control(number="5.2.13", title="no host ports", judge=violating("Host Ports")),
    Control(number="5.3.1", title="the network plug-in enforces NetworkPolicies"),
    Control(number="5.3.2", title="NetworkPolicies select all Pods", judge=workload_judges.unseparated),
    Control(number="5.4.1", title="Secrets are files, not variables", judge=workload_judges.secrets_in_environment),
    Control(number="5.4.2", title="Secrets come from a store outside", judge=workload_judges.plain_secrets),
    Control(number="5.5.1", title="the provenance of images is verified at admission"),
    Control(number="5.7.1", title="namespaces separate what is apart", judge=workload_judges.default_namespace),
    Control(number="5.7.2", title="containers have a seccomp profile", judge=violating("Seccomp")),
    Control(number="5.7.3", title="Pods and containers have a security context", judge=workload_judges.without_context),
    Control(number="5.7.4", title="the namespace default is not used", judge=workload_judges.default_namespace),
)
