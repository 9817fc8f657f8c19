"""Progress of the stages on stderr."""
