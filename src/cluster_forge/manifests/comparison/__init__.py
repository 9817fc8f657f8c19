"""What differs between two states of the same objects, field by field, without the values of Secrets."""
