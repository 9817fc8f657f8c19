"""mine, smelt, cast and forge, and what they share."""
