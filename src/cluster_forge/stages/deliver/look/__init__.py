"""How the components of a stack are in a cluster."""
