"""A cast stack and registries: `push` and `pull`."""
