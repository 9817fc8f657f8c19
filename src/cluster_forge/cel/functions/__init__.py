"""Functions of expressions: those of CEL, of its extensions, and of Kubernetes."""
