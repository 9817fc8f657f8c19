"""Kyverno's own policies (``kyverno.io``, ClusterPolicy and Policy): matching, patterns, conditions."""
