"""What `cast` reads, builds and replaces."""
