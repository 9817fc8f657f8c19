"""What evaluating an expression may cost at most, before any value is known: as API servers estimate it."""
