"""What a stack is made from: what is newer, whether it is still the same, a copy of it, and which logins it takes."""
