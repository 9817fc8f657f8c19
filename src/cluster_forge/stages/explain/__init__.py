"""Where the parts of a stack come from."""
