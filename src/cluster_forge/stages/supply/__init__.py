"""Where a stack's parts come from, and with which login."""
