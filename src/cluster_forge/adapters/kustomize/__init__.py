"""kustomize as an engine."""
