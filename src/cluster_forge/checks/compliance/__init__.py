"""What controls of others say of a stack, as far as its objects show it."""
