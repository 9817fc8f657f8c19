"""What a stack is made from, and where it goes: what is newer, whether it is still the same, copies, logins, push and pull."""
