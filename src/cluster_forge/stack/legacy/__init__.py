"""The legacy format, that of the first implementation, as a native description."""
