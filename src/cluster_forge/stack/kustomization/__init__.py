"""Kustomizations: what they refer to, and which files kustomize reads for one."""
