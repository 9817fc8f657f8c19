"""Kustomizations of the shapes that public projects have, and of each key that kustomize documents, with the program."""
