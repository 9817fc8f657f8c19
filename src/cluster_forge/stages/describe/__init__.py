"""Reading and checking the description."""
