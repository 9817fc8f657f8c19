"""A synthetic stack for `check fit`: 50,000 Pods of 2,000 Deployments on 1,000 nodes, with taints, zones and Pods that keep apart."""

from __future__ import annotations

from pathlib import Path

DEPLOYMENTS = 2000
REPLICAS = 25
NODES = 1000
CHANGED = (f"replicas: {REPLICAS}", f"replicas: {REPLICAS - 1}")
"""A text in ``web.yaml`` and its replacement."""

_ZONES = 4
_DESCRIPTION = """\
apiVersion: cluster-forge/v1
kind: Stack
name: pods
target:
  kubernetes: "1.33"
  nodes:
NODES
gitops: {engine: none}
components:
- name: web
  namespace: web
  manifests: [web.yaml]
"""
_NODE = (
    "  - {{count: {count}, cpu: 16, memory: 64Gi, pods: 110, labels: {{topology.kubernetes.io/zone: zone-{zone}}}}}\n"
)
_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-{number}
spec:
  replicas: {replicas}
  selector:
    matchLabels: {{app: web-{number}}}
  template:
    metadata:
      labels: {{app: web-{number}}}
    spec:
{constraint}      containers:
      - name: web
        image: registry.example.com/team/web:1.0
        resources:
          requests: {{cpu: {cpu}m, memory: {memory}Mi}}
"""
_SPREAD = """\
      topologySpreadConstraints:
      - maxSkew: 1
        topologyKey: topology.kubernetes.io/zone
        whenUnsatisfiable: DoNotSchedule
        labelSelector:
          matchLabels: {{app: web-{number}}}
"""
_APART = """\
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
          - topologyKey: kubernetes.io/hostname
            labelSelector:
              matchLabels: {{app: web-{number}}}
"""
_CONSTRAINTS = ("", _SPREAD, _APART)


def write(folder: Path) -> None:
    """Write ``config.yaml`` and the manifests into a new folder."""
    folder.mkdir()
    nodes = "".join(_NODE.format(count=NODES // _ZONES, zone=zone) for zone in range(_ZONES))
    (folder / "config.yaml").write_text(_DESCRIPTION.replace("NODES\n", nodes), encoding="utf-8")
    documents = (
        _DEPLOYMENT.format(
            number=number,
            replicas=REPLICAS,
            constraint=_CONSTRAINTS[number % len(_CONSTRAINTS)].format(number=number),
            cpu=100 + 10 * (number % 20),
            memory=128 + 32 * (number % 10),
        )
        for number in range(DEPLOYMENTS)
    )
    (folder / "web.yaml").write_text("---\n".join(documents), encoding="utf-8")
