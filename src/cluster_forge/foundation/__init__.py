"""Errors, digests, names, versions and file trees: the base of all other packages."""
