"""Delivery through Argo CD."""
