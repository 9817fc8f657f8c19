"""YAML text as values with positions, and values as YAML text."""
