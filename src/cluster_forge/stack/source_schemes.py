"""The schemes of addresses: those that this program reads, and those that are left to source plug-ins."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Final

BUILT_IN: Final = ("https", "http", "file", "oci", "git+https", "git+ssh", "git+file", "git+http")
_OF_OTHERS: Final = ("ftp", "git", "ssh", "docker", "helm")
"""What people write where this program has another form: an error with that form, and not the name of a plug-in."""
_ADDRESS: Final = re.compile(r"([a-z][a-z0-9]*(?:[-.][a-z0-9]+)*)://[^/\s]")
_ALIKE: Final = 0.85
"""How much of two words must be the same for one to be the other misspelt: ``htps``."""


def of_plugin(address: str) -> str:
    """The scheme of an address that a source plug-in may read, ``s3`` of ``s3://bucket/charts``; empty for all others."""
    match = _ADDRESS.match(address)
    if not match or match[1] in (*BUILT_IN, *_OF_OTHERS) or get_close_matches(match[1], BUILT_IN, cutoff=_ALIKE):
        return ""
    return match[1]
