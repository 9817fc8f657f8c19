"""The verb check: what is wrong with a stack, and with what cast would take."""
