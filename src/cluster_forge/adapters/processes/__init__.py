"""What processes that do a part of the work have in common, on both sides of the pipe."""
