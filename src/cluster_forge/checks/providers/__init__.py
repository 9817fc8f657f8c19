"""What objects need in the cluster to become ready: capabilities of the stack or of the target."""
