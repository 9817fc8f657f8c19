"""What only rendering again shows: random output, and values without an effect."""
