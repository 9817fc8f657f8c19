"""The fields in which widely used custom resources name other objects, and those that mean a reference in any of them.

Source: the API references of the groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from cluster_forge.graph.reference import Strength
from cluster_forge.graph.reference_field import ReferenceField as Field

_PREFERRED, _INFORMS = Strength.PREFERRED, Strength.INFORMS
_GATEWAYS, _CERTIFICATES, _EXTERNAL = "gateway.networking.k8s.io", "cert-manager.io", "external-secrets.io"
_MONITORS, _POSTGRES, _QUEUES, _SCALING = "monitoring.coreos.com", "postgresql.cnpg.io", "kueue.x-k8s.io", "keda.sh"
_TRAEFIK, _ADDRESSES, _TENANTS, _ARGO = "traefik.io", "metallb.io", "minio.min.io", "argoproj.io"

_ISSUER: Final = (Field("spec issuerRef", f"Issuer.{_CERTIFICATES}"),)
_ISSUING: Final = (
    Field("spec ca", "Secret", name="secretName"),
    Field("spec acme solvers [] dns01 {} *SecretRef", "Secret"),
    Field("spec vault auth ** *SecretRef", "Secret"),
    Field("spec vault caBundleSecretRef", "Secret"),
    Field("spec acme externalAccountBinding keySecretRef", "Secret"),
)
_STORE: Final = (
    Field("spec provider ** *SecretRef", "Secret"),
    Field("spec provider ** caProvider", "Secret", kind="type"),
    Field("spec provider ** serviceAccountRef", "ServiceAccount"),
)
_STORE_REF: Final = f"SecretStore.{_EXTERNAL}"
_ROUTE: Final = (
    Field("spec parentRefs []", f"Gateway.{_GATEWAYS}", strength=_PREFERRED),
    Field("spec rules [] backendRefs []", "Service", strength=_INFORMS),
    Field("spec rules [] filters [] requestMirror backendRef", "Service", strength=_INFORMS),
    Field("spec rules [] filters [] extensionRef", "", strength=_PREFERRED),
)
_SCRAPED: Final = (
    Field("bearerTokenSecret", "Secret"),
    Field("authorization credentials", "Secret"),
    Field("basicAuth username", "Secret"),
    Field("basicAuth password", "Secret"),
    Field("tlsConfig ca secret", "Secret"),
    Field("tlsConfig ca configMap", "ConfigMap"),
    Field("tlsConfig cert secret", "Secret"),
    Field("tlsConfig cert configMap", "ConfigMap"),
    Field("tlsConfig keySecret", "Secret"),
)
_RUN: Final = (
    Field("spec serviceAccountName", "ServiceAccount", name=""),
    Field("spec priorityClassName", "PriorityClass.scheduling.k8s.io", name=""),
    Field("spec secrets []", "Secret", name=""),
    Field("spec configMaps []", "ConfigMap", name=""),
    Field("spec storage volumeClaimTemplate spec storageClassName", "StorageClass.storage.k8s.io", name=""),
    Field("spec imagePullSecrets []", "Secret", is_optional=True, strength=_INFORMS),
)


def _in_each(path: str) -> tuple[Field, ...]:
    return tuple(field._replace(path=f"spec {path} [] {field.path}", strength=_PREFERRED) for field in _SCRAPED)


FIELDS: Final[Mapping[tuple[str, str], Sequence[Field]]] = MappingProxyType(
    {
        (_CERTIFICATES, "Certificate"): (
            *_ISSUER,
            Field("spec keystores {} passwordSecretRef", "Secret"),
        ),
        (_CERTIFICATES, "CertificateRequest"): _ISSUER,
        (_CERTIFICATES, "Issuer"): _ISSUING,
        (_CERTIFICATES, "ClusterIssuer"): _ISSUING,
        (_EXTERNAL, "ExternalSecret"): (
            Field("spec secretStoreRef", _STORE_REF),
            Field("spec data [] sourceRef storeRef", _STORE_REF),
            Field("spec dataFrom [] sourceRef storeRef", _STORE_REF),
            Field("spec dataFrom [] sourceRef generatorRef", ""),
            Field("spec target template templateFrom [] configMap", "ConfigMap"),
            Field("spec target template templateFrom [] secret", "Secret"),
        ),
        (_EXTERNAL, "ClusterExternalSecret"): (Field("spec externalSecretSpec secretStoreRef", _STORE_REF),),
        (_EXTERNAL, "PushSecret"): (
            Field("spec secretStoreRefs []", _STORE_REF),
            Field("spec selector secret", "Secret"),
        ),
        (_EXTERNAL, "SecretStore"): _STORE,
        (_EXTERNAL, "ClusterSecretStore"): _STORE,
        (_GATEWAYS, "Gateway"): (
            Field("spec gatewayClassName", f"GatewayClass.{_GATEWAYS}", name="", strength=_PREFERRED),
            Field("spec listeners [] tls certificateRefs []", "Secret"),
            Field("spec listeners [] tls frontendValidation caCertificateRefs []", "ConfigMap"),
            Field("spec infrastructure parametersRef", "", strength=_PREFERRED),
        ),
        (_GATEWAYS, "GatewayClass"): (Field("spec parametersRef", "", strength=_PREFERRED),),
        (_GATEWAYS, "BackendTLSPolicy"): (Field("spec validation caCertificateRefs []", "ConfigMap"),),
        **{(_GATEWAYS, f"{kind}Route"): _ROUTE for kind in ("HTTP", "GRPC", "TLS", "TCP", "UDP")},
        (_MONITORS, "ServiceMonitor"): _in_each("endpoints"),
        (_MONITORS, "PodMonitor"): _in_each("podMetricsEndpoints"),
        (_MONITORS, "Prometheus"): (
            *_RUN,
            Field("spec additionalScrapeConfigs", "Secret"),
            Field("spec additionalAlertManagerConfigs", "Secret"),
            Field("spec alerting alertmanagers []", "Service", strength=_INFORMS),
        ),
        (_MONITORS, "Alertmanager"): (*_RUN, Field("spec configSecret", "Secret", name="", is_optional=True)),
        (_MONITORS, "ThanosRuler"): (*_RUN, Field("spec alertmanagersConfig", "Secret")),
        (_POSTGRES, "Cluster"): (
            Field("spec backup barmanObjectStore *Credentials {}", "Secret"),
            Field("spec bootstrap {} secret", "Secret"),
            Field("spec superuserSecret", "Secret"),
            Field("spec imageCatalogRef", "", strength=_PREFERRED),
            Field("spec storage storageClass", "StorageClass.storage.k8s.io", name=""),
        ),
        (_POSTGRES, "ScheduledBackup"): (Field("spec cluster", f"Cluster.{_POSTGRES}"),),
        (_POSTGRES, "Backup"): (Field("spec cluster", f"Cluster.{_POSTGRES}"),),
        (_POSTGRES, "Pooler"): (Field("spec cluster", f"Cluster.{_POSTGRES}"),),
        (_POSTGRES, "Database"): (Field("spec cluster", f"Cluster.{_POSTGRES}"),),
        (_QUEUES, "LocalQueue"): (Field("spec clusterQueue", f"ClusterQueue.{_QUEUES}", name="", strength=_PREFERRED),),
        (_QUEUES, "ClusterQueue"): (
            Field("spec resourceGroups [] flavors []", f"ResourceFlavor.{_QUEUES}", strength=_PREFERRED),
            Field("spec admissionChecks []", f"AdmissionCheck.{_QUEUES}", name="", strength=_PREFERRED),
        ),
        (_QUEUES, "ResourceFlavor"): (Field("spec topologyName", f"Topology.{_QUEUES}", name="", strength=_PREFERRED),),
        (_SCALING, "ScaledObject"): (
            Field("spec scaleTargetRef", "Deployment.apps", strength=_PREFERRED),
            Field("spec triggers [] authenticationRef", f"TriggerAuthentication.{_SCALING}"),
        ),
        (_SCALING, "ScaledJob"): (Field("spec triggers [] authenticationRef", f"TriggerAuthentication.{_SCALING}"),),
        (_SCALING, "TriggerAuthentication"): (
            Field("spec secretTargetRef []", "Secret"),
            Field("spec configMapTargetRef []", "ConfigMap"),
        ),
        (_TENANTS, "Tenant"): (
            Field("spec configuration", "Secret"),
            Field("spec users []", "Secret"),
            Field("spec externalCertSecret []", "Secret"),
            Field("spec pools [] volumeClaimTemplate spec storageClassName", "StorageClass.storage.k8s.io", name=""),
        ),
        (_ADDRESSES, "L2Advertisement"): (
            Field("spec ipAddressPools []", f"IPAddressPool.{_ADDRESSES}", name="", strength=_PREFERRED),
        ),
        (_ADDRESSES, "BGPAdvertisement"): (
            Field("spec ipAddressPools []", f"IPAddressPool.{_ADDRESSES}", name="", strength=_PREFERRED),
            Field("spec communities []", f"Community.{_ADDRESSES}", name="", is_optional=True, strength=_PREFERRED),
        ),
        (_ADDRESSES, "BGPPeer"): (
            Field("spec passwordSecret", "Secret"),
            Field("spec bfdProfile", f"BFDProfile.{_ADDRESSES}", name="", strength=_PREFERRED),
        ),
        (_TRAEFIK, "IngressRoute"): (
            Field("spec routes [] middlewares []", f"Middleware.{_TRAEFIK}", strength=_PREFERRED),
            Field("spec routes [] services []", "Service", strength=_INFORMS),
            Field("spec tls", "Secret", name="secretName", strength=_PREFERRED),
            Field("spec tls options", f"TLSOption.{_TRAEFIK}", strength=_PREFERRED),
        ),
        (_ARGO, "Application"): (Field("spec project", f"AppProject.{_ARGO}", name=""),),
        ("velero.io", "BackupStorageLocation"): (Field("spec credential", "Secret"),),
        ("velero.io", "VolumeSnapshotLocation"): (Field("spec credential", "Secret"),),
        ("velero.io", "Schedule"): (
            Field("spec template storageLocation", "BackupStorageLocation.velero.io", name="", strength=_PREFERRED),
        ),
        ("psmdb.percona.com", "PerconaServerMongoDB"): (
            Field("spec secrets users", "Secret", name="", is_optional=True, strength=_INFORMS),
        ),
    }
)
"""By group and kind."""

BY_NAME: Final[Mapping[str, Field]] = MappingProxyType(
    {
        "serviceAccountName": Field("", "ServiceAccount", name="", is_optional=True),
        "priorityClassName": Field("", "PriorityClass.scheduling.k8s.io", name=""),
        "storageClassName": Field("", "StorageClass.storage.k8s.io", name=""),
        "secretKeyRef": Field("", "Secret"),
        "configMapKeyRef": Field("", "ConfigMap"),
        "secretRef": Field("", "Secret"),
        "configMapRef": Field("", "ConfigMap"),
        "passwordSecretRef": Field("", "Secret"),
        "credentialsSecretRef": Field("", "Secret"),
        "targetRef": Field("", "", strength=_PREFERRED),
        "targetRefs": Field("", "", strength=_PREFERRED),
        "scaleTargetRef": Field("", "", strength=_PREFERRED),
        "sourceRef": Field("", "", strength=_PREFERRED),
        "issuerRef": Field("", f"Issuer.{_CERTIFICATES}"),
        "secretStoreRef": Field("", _STORE_REF),
        "parametersRef": Field("", "", strength=_PREFERRED),
    }
)
"""Names of fields that mean the same in nearly every API: they follow Kubernetes' API conventions ("Object references")."""

ANNOTATIONS: Final[Mapping[str, Field]] = MappingProxyType(
    {
        "cert-manager.io/issuer": Field("", f"Issuer.{_CERTIFICATES}", name="", strength=_PREFERRED),
        "cert-manager.io/cluster-issuer": Field("", f"ClusterIssuer.{_CERTIFICATES}", name="", strength=_PREFERRED),
        "cert-manager.io/inject-ca-from": Field("", f"Certificate.{_CERTIFICATES}", name="/"),
        "cert-manager.io/inject-ca-from-secret": Field("", "Secret", name="/"),
    }
)
"""Annotations that name an object; with the name ``/`` as ``NAMESPACE/NAME``."""

LABELS: Final[Mapping[str, Field]] = MappingProxyType(
    {"kueue.x-k8s.io/queue-name": Field("", f"LocalQueue.{_QUEUES}", name="", strength=_PREFERRED)}
)
"""Labels that name an object of the same namespace."""
