"""Checks of Kubernetes objects, one module for each; each yields findings, and `registry` lists and runs them."""
