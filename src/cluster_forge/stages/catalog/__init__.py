"""catalog new and catalog test, and what they share."""
