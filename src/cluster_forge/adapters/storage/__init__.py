"""The store of sources, the cache of what was derived from them, and housekeeping for both."""
