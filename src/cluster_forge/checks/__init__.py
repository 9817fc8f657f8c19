"""Checks of Kubernetes objects, one module for each; each yields findings."""
