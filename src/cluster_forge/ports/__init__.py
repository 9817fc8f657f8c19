"""The Protocols between the stages and the outside world, at most five methods each."""
