"""Flux's objects: the source, the root Kustomization, and the Kustomizations of the components (ADR 0042)."""
