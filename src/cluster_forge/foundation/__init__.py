"""Errors, digests, names and file trees: what every other room stands on."""
