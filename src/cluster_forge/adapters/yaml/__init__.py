"""YAML as Kubernetes reads it: exact readers, and a fast one where its result is provably the same."""
