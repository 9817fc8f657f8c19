"""What the user asked for: the description, read, merged, resolved and locked."""
