"""The Secrets that a stack expects: the values that the user gives, and making them."""
