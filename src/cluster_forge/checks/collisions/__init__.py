"""Objects that cannot be in one cluster together, or undo each other's work: two owners of one thing, two that want one place."""
