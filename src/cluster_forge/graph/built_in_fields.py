"""The fields in which Kubernetes' own kinds name other objects.

Source: Kubernetes API reference, "Workload Resources" to "Cluster Resources" (1.25 to 1.36).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from cluster_forge.graph.reference import Strength
from cluster_forge.graph.reference_field import ReferenceField as Field
from cluster_forge.manifests.pods import TEMPLATES

_PREFERRED, _INFORMS = Strength.PREFERRED, Strength.INFORMS
_CONTAINERS: Final = ("containers []", "initContainers []", "ephemeralContainers []")

POD: Final[Sequence[Field]] = (
    Field("serviceAccountName", "ServiceAccount", name=""),
    Field("imagePullSecrets []", "Secret", is_optional=True, strength=_INFORMS),
    Field("priorityClassName", "PriorityClass.scheduling.k8s.io", name=""),
    Field("runtimeClassName", "RuntimeClass.node.k8s.io", name=""),
    Field("volumes [] secret", "Secret", name="secretName", keys="items"),
    Field("volumes [] configMap", "ConfigMap", keys="items"),
    Field("volumes [] persistentVolumeClaim", "PersistentVolumeClaim", name="claimName"),
    Field("volumes [] projected sources [] secret", "Secret", keys="items"),
    Field("volumes [] projected sources [] configMap", "ConfigMap", keys="items"),
    Field("volumes [] csi nodePublishSecretRef", "Secret"),
    Field("volumes [] csi driver", "CSIDriver.storage.k8s.io", name="", strength=_PREFERRED),
    Field("volumes [] {} secretRef", "Secret"),
    Field("volumes [] azureFile", "Secret", name="secretName"),
    Field("volumes [] ephemeral volumeClaimTemplate spec storageClassName", "StorageClass.storage.k8s.io", name=""),
    Field("resourceClaims []", "ResourceClaim.resource.k8s.io", name="resourceClaimName"),
    Field("resourceClaims []", "ResourceClaimTemplate.resource.k8s.io", name="resourceClaimTemplateName"),
    *(
        field
        for containers in _CONTAINERS
        for field in (
            Field(f"{containers} env [] valueFrom secretKeyRef", "Secret"),
            Field(f"{containers} env [] valueFrom configMapKeyRef", "ConfigMap"),
            Field(f"{containers} envFrom [] secretRef", "Secret"),
            Field(f"{containers} envFrom [] configMapRef", "ConfigMap"),
        )
    ),
)
"""In the spec of a Pod."""

_CLAIM: Final = (
    Field("storageClassName", "StorageClass.storage.k8s.io", name=""),
    Field("volumeName", "PersistentVolume", name=""),
    Field("volumeAttributesClassName", "VolumeAttributesClass.storage.k8s.io", name=""),
    Field("dataSourceRef", ""),
    Field("dataSource", ""),
)
"""In the spec of a PersistentVolumeClaim."""

_WEBHOOKS: Final = (Field("webhooks [] clientConfig service", "Service"),)


def _below(path: str, fields: Sequence[Field]) -> tuple[Field, ...]:
    return tuple(field._replace(path=f"{path} {field.path}") for field in fields)


_PODS: Final = {kind: _below(" ".join((*path, "spec")), POD) for kind, path in TEMPLATES.items()}

FIELDS: Final[Mapping[tuple[str, str], Sequence[Field]]] = MappingProxyType(
    {
        **_PODS,
        ("apps", "StatefulSet"): (
            *_PODS["apps", "StatefulSet"],
            Field("spec serviceName", "Service", name="", strength=_INFORMS),
            *_below("spec volumeClaimTemplates [] spec", _CLAIM),
        ),
        ("", "ServiceAccount"): (
            Field("imagePullSecrets []", "Secret", is_optional=True, strength=_INFORMS),
            Field("secrets []", "Secret", is_optional=True, strength=_INFORMS),
        ),
        ("", "PersistentVolumeClaim"): _below("spec", _CLAIM),
        ("", "PersistentVolume"): (
            Field("spec storageClassName", "StorageClass.storage.k8s.io", name="", is_optional=True, strength=_INFORMS),
            Field("spec claimRef", "PersistentVolumeClaim", is_optional=True, strength=_INFORMS),
            Field("spec csi driver", "CSIDriver.storage.k8s.io", name="", strength=_PREFERRED),
            Field("spec csi *SecretRef", "Secret"),
        ),
        ("storage.k8s.io", "StorageClass"): (
            Field("provisioner", "CSIDriver.storage.k8s.io", name="", is_optional=True, strength=_PREFERRED),
        ),
        ("snapshot.storage.k8s.io", "VolumeSnapshot"): (
            Field("spec volumeSnapshotClassName", "VolumeSnapshotClass.snapshot.storage.k8s.io", name=""),
            Field("spec source persistentVolumeClaimName", "PersistentVolumeClaim", name=""),
        ),
        ("rbac.authorization.k8s.io", "RoleBinding"): (
            Field("roleRef", "Role.rbac.authorization.k8s.io"),
            Field("subjects []", "", strength=_INFORMS),
        ),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"): (
            Field("roleRef", "ClusterRole.rbac.authorization.k8s.io"),
            Field("subjects []", "", strength=_INFORMS),
        ),
        ("autoscaling", "HorizontalPodAutoscaler"): (Field("spec scaleTargetRef", "", strength=_PREFERRED),),
        ("networking.k8s.io", "Ingress"): (
            Field("spec ingressClassName", "IngressClass.networking.k8s.io", name="", strength=_PREFERRED),
            Field("spec tls []", "Secret", name="secretName", is_optional=True, strength=_PREFERRED),
            Field("spec defaultBackend service", "Service", strength=_INFORMS),
            Field("spec rules [] http paths [] backend service", "Service", strength=_INFORMS),
            Field("spec rules [] http paths [] backend resource", "", strength=_INFORMS),
        ),
        ("networking.k8s.io", "IngressClass"): (Field("spec parameters", "", strength=_PREFERRED),),
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): _WEBHOOKS,
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): _WEBHOOKS,
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): (
            Field("spec policyName", "ValidatingAdmissionPolicy.admissionregistration.k8s.io", name=""),
        ),
        ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"): (
            Field("spec policyName", "MutatingAdmissionPolicy.admissionregistration.k8s.io", name=""),
        ),
        ("apiregistration.k8s.io", "APIService"): (Field("spec service", "Service"),),
        ("apiextensions.k8s.io", "CustomResourceDefinition"): (
            Field("spec conversion webhook clientConfig service", "Service"),
        ),
    }
)
"""By group and kind."""
