"""Cluster-Forge: from a short stack description to a complete, deployable Kubernetes platform."""

__version__ = "0.1.0"
