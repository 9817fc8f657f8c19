"""A network that fails, by seed, for tests: `server` (files with faults), `certificates` and `proxy`. All on 127.0.0.1."""
