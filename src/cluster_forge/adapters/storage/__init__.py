"""The store, the cache beside it, and the administration of both."""
