"""The constraints on single fields, by the definition that has them.

Source: Kubernetes 1.36, ``pkg/apis/*/validation``. Only what all minors of the table refuse is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cluster_forge.checks.kubernetes_objects.constraints import (
    Constraint,
    absolute_path,
    at_least,
    between,
    cidr,
    cluster_ip,
    container_resource,
    count_or_percent,
    data_key,
    descending_path,
    dns_label,
    dns_name,
    each,
    ip_address,
    label_value,
    no_parent,
    one_of,
    pod_field,
    port,
    port_name,
    qualified_name,
    target_port,
)

_PROTOCOL: Final = one_of("TCP", "UDP", "SCTP")
_PORT: Final = between(1, 65535)
_NATURAL: Final = at_least(0)
_ID: Final = between(0, (1 << 31) - 1)
_MODE: Final = between(0, 0o777)
_ACCESS_MODES: Final = each(one_of("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"))
_VOLUME_MODE: Final = one_of("Filesystem", "Block", takes_empty=False)
_RETENTION: Final = one_of("Retain", "Delete")
_FAILURE: Final = one_of("Fail", "Ignore", takes_empty=False)
_MATCH: Final = one_of("Exact", "Equivalent", takes_empty=False)
_SCOPE: Final = one_of("*", "Cluster", "Namespaced", takes_empty=False)
_SPREAD: Final = one_of("Honor", "Ignore")
_FORMER_KEYS: Final = one_of("In", "NotIn", "Exists", "DoesNotExist")

_CONTAINER: Final[Mapping[str, Constraint]] = {
    "name": dns_label,
    "imagePullPolicy": one_of("Always", "IfNotPresent", "Never"),
    "terminationMessagePolicy": one_of("File", "FallbackToLogsOnError"),
}
_WEBHOOK: Final[Mapping[str, Constraint]] = {
    "failurePolicy": _FAILURE,
    "matchPolicy": _MATCH,
    "sideEffects": one_of("None", "NoneOnDryRun"),
    "timeoutSeconds": between(1, 30),
    "reinvocationPolicy": one_of("Never", "IfNeeded", takes_empty=False),
}
_OPERATIONS: Final[Mapping[str, Constraint]] = {
    "operations": each(one_of("*", "CREATE", "UPDATE", "DELETE", "CONNECT")),
    "scope": _SCOPE,
}
_WEIGHT: Final[Mapping[str, Constraint]] = {"weight": between(1, 100)}
_DATA_VOLUME: Final[Mapping[str, Constraint]] = {"defaultMode": _MODE}
_SERVICE: Final[Mapping[str, Constraint]] = {"port": _PORT}

CONSTRAINTS: Final[Mapping[str, Mapping[str, Constraint]]] = {
    "admissionregistration.v1.MutatingWebhook": _WEBHOOK,
    "admissionregistration.v1.ValidatingWebhook": _WEBHOOK,
    "admissionregistration.v1.NamedRuleWithOperations": _OPERATIONS,
    "admissionregistration.v1.RuleWithOperations": _OPERATIONS,
    "admissionregistration.v1.ServiceReference": _SERVICE,
    "admissionregistration.v1.ValidatingAdmissionPolicySpec": {"failurePolicy": _FAILURE},
    "admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec": {
        "validationActions": each(one_of("Deny", "Warn", "Audit"))
    },
    "apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement": {"key": qualified_name, "operator": _FORMER_KEYS},
    "apps.v1.DaemonSetSpec": {"minReadySeconds": _NATURAL, "revisionHistoryLimit": _NATURAL},
    "apps.v1.DaemonSetUpdateStrategy": {"type": one_of("RollingUpdate", "OnDelete")},
    "apps.v1.DeploymentSpec": {
        "minReadySeconds": _NATURAL,
        "progressDeadlineSeconds": _NATURAL,
        "replicas": _NATURAL,
        "revisionHistoryLimit": _NATURAL,
    },
    "apps.v1.DeploymentStrategy": {"type": one_of("RollingUpdate", "Recreate")},
    "apps.v1.ReplicaSetSpec": {"minReadySeconds": _NATURAL, "replicas": _NATURAL},
    "apps.v1.RollingUpdateDaemonSet": {"maxSurge": count_or_percent, "maxUnavailable": count_or_percent},
    "apps.v1.RollingUpdateDeployment": {"maxSurge": count_or_percent, "maxUnavailable": count_or_percent},
    "apps.v1.RollingUpdateStatefulSetStrategy": {"partition": _NATURAL, "maxUnavailable": count_or_percent},
    "apps.v1.StatefulSetOrdinals": {"start": _NATURAL},
    "apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy": {"whenDeleted": _RETENTION, "whenScaled": _RETENTION},
    "apps.v1.StatefulSetSpec": {
        "minReadySeconds": _NATURAL,
        "podManagementPolicy": one_of("OrderedReady", "Parallel"),
        "replicas": _NATURAL,
    },
    "apps.v1.StatefulSetUpdateStrategy": {"type": one_of("RollingUpdate", "OnDelete")},
    "autoscaling.v1.HorizontalPodAutoscalerSpec": {"maxReplicas": at_least(1), "minReplicas": _NATURAL},
    "autoscaling.v2.HPAScalingPolicy": {
        "type": one_of("Pods", "Percent"),
        "value": at_least(1),
        "periodSeconds": between(1, 1800),
    },
    "autoscaling.v2.HPAScalingRules": {
        "selectPolicy": one_of("Max", "Min", "Disabled"),
        "stabilizationWindowSeconds": between(0, 3600),
    },
    "autoscaling.v2.HorizontalPodAutoscalerSpec": {"maxReplicas": at_least(1), "minReplicas": _NATURAL},
    "autoscaling.v2.MetricSpec": {"type": one_of("Object", "Pods", "Resource", "ContainerResource", "External")},
    "autoscaling.v2.MetricTarget": {
        "type": one_of("Utilization", "Value", "AverageValue"),
        "averageUtilization": at_least(1),
    },
    "batch.v1.CronJobSpec": {
        "concurrencyPolicy": one_of("Allow", "Forbid", "Replace"),
        "failedJobsHistoryLimit": _NATURAL,
        "startingDeadlineSeconds": _NATURAL,
        "successfulJobsHistoryLimit": _NATURAL,
    },
    "batch.v1.JobSpec": {
        "activeDeadlineSeconds": _NATURAL,
        "backoffLimit": _NATURAL,
        "completionMode": one_of("NonIndexed", "Indexed"),
        "completions": _NATURAL,
        "parallelism": _NATURAL,
        "podReplacementPolicy": one_of("TerminatingOrFailed", "Failed"),
        "ttlSecondsAfterFinished": _NATURAL,
    },
    "core.v1.ConfigMapKeySelector": {"key": data_key, "name": dns_name},
    "core.v1.ConfigMapVolumeSource": _DATA_VOLUME,
    "core.v1.Container": _CONTAINER,
    "core.v1.ContainerPort": {
        "containerPort": _PORT,
        "hostPort": between(0, 65535),
        "name": port_name,
        "protocol": _PROTOCOL,
    },
    "core.v1.DownwardAPIVolumeSource": _DATA_VOLUME,
    "core.v1.GRPCAction": {"port": _PORT},
    "core.v1.HTTPGetAction": {"port": port, "scheme": one_of("HTTP", "HTTPS")},
    "core.v1.HostAlias": {"ip": ip_address},
    "core.v1.HostPathVolumeSource": {
        "path": no_parent,
        "type": one_of("DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice"),
    },
    "core.v1.KeyToPath": {"mode": _MODE, "path": descending_path},
    "core.v1.NFSVolumeSource": {"path": absolute_path},
    "core.v1.NodeSelectorRequirement": {
        "key": qualified_name,
        "operator": one_of("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"),
    },
    "core.v1.PersistentVolumeClaimSpec": {"accessModes": _ACCESS_MODES, "volumeMode": _VOLUME_MODE},
    "core.v1.PersistentVolumeSpec": {
        "accessModes": _ACCESS_MODES,
        "persistentVolumeReclaimPolicy": one_of("Retain", "Delete", "Recycle"),
        "volumeMode": _VOLUME_MODE,
    },
    "core.v1.PodSecurityContext": {
        "fsGroup": _ID,
        "fsGroupChangePolicy": one_of("Always", "OnRootMismatch", takes_empty=False),
        "runAsGroup": _ID,
        "runAsUser": _ID,
        "supplementalGroups": each(_ID),
    },
    "core.v1.PodSpec": {
        "activeDeadlineSeconds": at_least(1),
        "dnsPolicy": one_of("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
        "hostname": dns_label,
        "nodeName": dns_name,
        "preemptionPolicy": one_of("PreemptLowerPriority", "Never"),
        "priorityClassName": dns_name,
        "restartPolicy": one_of("Always", "OnFailure", "Never"),
        "runtimeClassName": dns_name,
        "serviceAccountName": dns_name,
        "subdomain": dns_label,
    },
    "core.v1.Probe": {
        "failureThreshold": _NATURAL,
        "initialDelaySeconds": _NATURAL,
        "periodSeconds": _NATURAL,
        "successThreshold": _NATURAL,
        "terminationGracePeriodSeconds": at_least(1),
        "timeoutSeconds": _NATURAL,
    },
    "core.v1.ProjectedVolumeSource": _DATA_VOLUME,
    "core.v1.SeccompProfile": {"type": one_of("RuntimeDefault", "Unconfined", "Localhost")},
    "core.v1.SecretKeySelector": {"key": data_key, "name": dns_name},
    "core.v1.SecretVolumeSource": _DATA_VOLUME,
    "core.v1.SecurityContext": {
        "procMount": one_of("Default", "Unmasked"),
        "runAsGroup": _ID,
        "runAsUser": _ID,
    },
    "core.v1.ServicePort": {
        "appProtocol": qualified_name,
        "name": dns_label,
        "nodePort": between(0, 65535),
        "port": _PORT,
        "protocol": _PROTOCOL,
        "targetPort": target_port,
    },
    "core.v1.ServiceSpec": {
        "internalTrafficPolicy": one_of("Cluster", "Local", takes_empty=False),
        "ipFamilies": each(one_of("IPv4", "IPv6")),
        "ipFamilyPolicy": one_of("SingleStack", "PreferDualStack", "RequireDualStack", takes_empty=False),
        "loadBalancerSourceRanges": each(lambda value: cidr(value.strip() if isinstance(value, str) else value)),
        "clusterIP": cluster_ip,
        "externalIPs": each(ip_address),
        "sessionAffinity": one_of("ClientIP", "None"),
        "type": one_of("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
    },
    "core.v1.TCPSocketAction": {"port": port},
    "core.v1.Toleration": {
        "effect": one_of("NoSchedule", "PreferNoSchedule", "NoExecute"),
        "key": qualified_name,
        "operator": one_of("Equal", "Exists", "Lt", "Gt"),
        "value": label_value,
    },
    "core.v1.TopologySpreadConstraint": {
        "maxSkew": at_least(1),
        "minDomains": at_least(1),
        "nodeAffinityPolicy": _SPREAD,
        "nodeTaintsPolicy": _SPREAD,
        "whenUnsatisfiable": one_of("DoNotSchedule", "ScheduleAnyway"),
    },
    "core.v1.ConfigMapEnvSource": {"name": dns_name},
    "core.v1.ObjectFieldSelector": {"fieldPath": pod_field},
    "core.v1.PodAffinityTerm": {"topologyKey": qualified_name},
    "core.v1.ResourceFieldSelector": {"resource": container_resource},
    "core.v1.SecretEnvSource": {"name": dns_name},
    "core.v1.ServiceAccountTokenProjection": {"expirationSeconds": at_least(600)},
    "core.v1.Volume": {"name": dns_label},
    "core.v1.VolumeMount": {
        "mountPropagation": one_of("None", "HostToContainer", "Bidirectional", takes_empty=False),
        "recursiveReadOnly": one_of("Disabled", "IfPossible", "Enabled"),
        "subPath": descending_path,
        "subPathExpr": descending_path,
    },
    "core.v1.PreferredSchedulingTerm": _WEIGHT,
    "core.v1.WeightedPodAffinityTerm": _WEIGHT,
    "discovery.v1.EndpointSlice": {"addressType": one_of("IPv4", "IPv6", "FQDN")},
    "kube-aggregator.pkg.apis.apiregistration.v1.APIServiceSpec": {
        "groupPriorityMinimum": between(1, 20000),
        "versionPriority": between(1, 1000),
    },
    "networking.v1.HTTPIngressPath": {"pathType": one_of("Exact", "Prefix", "ImplementationSpecific")},
    "kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference": _SERVICE,
    "networking.v1.IPBlock": {"cidr": cidr, "except": each(cidr)},
    "networking.v1.NetworkPolicyPort": {
        "port": port,
        "protocol": one_of("TCP", "UDP", "SCTP", takes_empty=False),
        "endPort": between(0, 65535),
    },
    "networking.v1.NetworkPolicySpec": {"policyTypes": each(one_of("Ingress", "Egress"))},
    "networking.v1.ServiceBackendPort": {"name": port_name, "number": between(0, 65535)},
    "policy.v1.PodDisruptionBudgetSpec": {
        "maxUnavailable": count_or_percent,
        "minAvailable": count_or_percent,
        "unhealthyPodEvictionPolicy": one_of("IfHealthyBudget", "AlwaysAllow"),
    },
    "rbac.v1.RoleRef": {
        "apiGroup": one_of("rbac.authorization.k8s.io"),
        "kind": one_of("Role", "ClusterRole"),
    },
    "rbac.v1.Subject": {"kind": one_of("ServiceAccount", "User", "Group")},
    "scheduling.v1.PriorityClass": {"preemptionPolicy": one_of("PreemptLowerPriority", "Never", takes_empty=False)},
    "storage.v1.StorageClass": {
        "reclaimPolicy": one_of("Delete", "Retain"),
        "volumeBindingMode": one_of("Immediate", "WaitForFirstConsumer", takes_empty=False),
    },
}
"""For each definition, as the table of schemas names it, the constraints of its fields."""
