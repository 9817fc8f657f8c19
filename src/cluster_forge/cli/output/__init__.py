"""Results and errors as text and JSON."""
