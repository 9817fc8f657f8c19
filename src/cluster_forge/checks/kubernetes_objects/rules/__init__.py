"""What Kubernetes' validation refuses beyond the types of fields, one module for each part of its API."""
