"""Direct delivery: objects applied, watched and awaited by this program itself."""
