"""Small objects of Kubernetes' own kinds that an API server takes, and changing one field of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml
from tests.checks import object_changes
from tests.checks.checked_stacks import checked_stack

from cluster_forge.checks.acceptance import kubernetes_schema
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest, Provenance

_POD = """
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: nginx
        env: [{name: A, value: b}]
        ports: [{name: http, containerPort: 80}]
        resources: {requests: {cpu: 100m}, limits: {cpu: '1', memory: 64Mi}}
        volumeMounts: [{name: data, mountPath: /data}]
        livenessProbe: {httpGet: {path: /, port: http}}
      volumes: [{name: data, emptyDir: {}}]
"""
_TEXTS = {
    "Deployment": f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: web}}}}
  template: {_POD}
""",
    "DaemonSet": f"""
apiVersion: apps/v1
kind: DaemonSet
metadata: {{name: web}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template: {_POD}
""",
    "StatefulSet": f"""
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: web}}
spec:
  selector: {{matchExpressions: [{{key: app, operator: In, values: [web]}}]}}
  volumeClaimTemplates:
  - metadata: {{name: disk}}
    spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}
  template: {_POD}
""",
    "CronJob": """
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "*/5 3-6 * jan-mar mon"
  jobTemplate:
    spec:
      template:
        spec: {restartPolicy: Never, containers: [{name: run, image: busybox}]}
""",
    "Service": """
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}, {name: dns, port: 53, protocol: UDP, targetPort: 5353}]
""",
    "Ingress": """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  tls: [{hosts: [example.com], secretName: web-tls}]
  rules:
  - host: example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
""",
    "NetworkPolicy": """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{podSelector: {}, namespaceSelector: {}}], ports: [{port: 80, endPort: 90}]}]
  egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]}]
""",
    "HorizontalPodAutoscaler": """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  minReplicas: 1
  maxReplicas: 3
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
""",
    "PodDisruptionBudget": """
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 50%, selector: {matchLabels: {app: web}}}
""",
    "ClusterRole": """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: [{apiGroups: [''], resources: [pods], verbs: [get]}, {nonResourceURLs: [/metrics], verbs: [get]}]
""",
    "Role": """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]
""",
    "ClusterRoleBinding": """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, name: web, namespace: web}, {kind: Group, name: all}]
""",
    "PersistentVolumeClaim": """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
""",
    "ConfigMap": """
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {a.conf: text}
""",
    "Secret": """
apiVersion: v1
kind: Secret
metadata: {name: web}
type: kubernetes.io/tls
data: {tls.crt: YQ==, tls.key: Yg==}
""",
    "ValidatingWebhookConfiguration": """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: web}
webhooks:
- name: check.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  clientConfig: {service: {name: web, namespace: web, path: /check}}
  rules: [{apiGroups: ['*'], apiVersions: ['*'], operations: [CREATE], resources: ['*']}]
""",
    "StorageClass": """
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast}
provisioner: example.com/fast
reclaimPolicy: Delete
volumeBindingMode: WaitForFirstConsumer
""",
    "PriorityClass": """
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: high}
value: 1000
""",
    "APIService": """
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.metrics.k8s.io}
spec:
  group: metrics.k8s.io
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  insecureSkipTLSVerify: true
  service: {name: metrics, namespace: kube-system}
""",
}
EXAMPLES: Mapping[str, Mapping[str, Any]] = {kind: yaml.safe_load(text) for kind, text in _TEXTS.items()}


def changed(kind: str, path: str, value: object) -> dict[str, Any]:
    """The example of a kind with another value at a path, as in `object_changes`."""
    return object_changes.changed(EXAMPLES[kind], path, value)


def findings(*bodies: Mapping[str, Any], minor: int = 33) -> list[Finding]:
    """The findings about objects of Kubernetes' own kinds."""
    provenance = Provenance(component=ComponentName("web"), origin="templates/web.yaml")
    manifests = [Manifest.of(body, provenance) for body in bodies]
    return list(kubernetes_schema.findings(checked_stack(manifests, minor=minor)))
