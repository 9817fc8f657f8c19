"""The graph of a stack's objects: which names which, who makes what, and the order that follows."""
