"""Kubernetes objects: identity, reading, completing, ordering, writing."""
