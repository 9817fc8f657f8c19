"""Kubernetes objects: how they are told apart, read, completed, ordered and written."""
