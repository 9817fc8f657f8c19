"""Policies: those of the stack and those of the workspace, applied to the stack's objects."""
