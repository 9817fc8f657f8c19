"""Whether a cluster can run a stack: one module for each check, all of them before the first change (ADR 0040)."""
