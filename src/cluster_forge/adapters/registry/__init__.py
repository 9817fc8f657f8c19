"""OCI registries by the OCI distribution spec: reading (`reader`) and writing (`uploads`), on the shared HTTP client."""
