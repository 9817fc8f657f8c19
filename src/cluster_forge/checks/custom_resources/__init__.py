"""Custom resources, held against the CRDs of the same stack."""
