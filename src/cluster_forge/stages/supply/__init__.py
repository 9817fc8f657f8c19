"""What a stack is made from: what is newer, whether it is still the same, and a copy of it."""
