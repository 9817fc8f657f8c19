"""The outside world, one adapter for each part of it."""
