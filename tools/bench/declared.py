"""Changes of rendered objects that a description declares: of every object, of images, and of the objects that patches mean."""

from __future__ import annotations

CASE = "everything, declared changes"
CHANGES = """\
labels: {bench.example.com/team: one}
annotations: {bench.example.com/contact: team@example.com}
images:
  quay.io/jetstack/cert-manager-controller: {name: registry.example.com/jetstack/cert-manager-controller}
  docker.io/grafana/grafana: {name: registry.example.com/grafana/grafana}
priorityClassName: system-cluster-critical
patches:
- target: {kind: ServiceAccount}
  patch: [{op: add, path: /automountServiceAccountToken, value: false}]
- target: {kind: Deployment, name: ".*"}
  patch: {spec: {revisionHistoryLimit: 2}}
- target: {kind: Service}
  patch: {spec: {sessionAffinity: None}}
"""
"""What is added to a description at its top level."""

CHANGED = ("team: one", "team: two")
"""A text in it and its replacement, which changes every object."""
