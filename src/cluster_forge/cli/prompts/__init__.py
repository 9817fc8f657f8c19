"""Questions asked on a terminal."""
