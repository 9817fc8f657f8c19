"""Fixes that fit the verb: one that does not fetch sources has no ``--mirror``, and no mirror would help it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Final

from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import ForgeError

_MIRROR: Final = re.compile(r"[,;] or (?:use )?a mirror(?: that has \w+(?: \w+)?)?: --mirror DIR")
"""How the fixes of failed downloads end, or go on."""


@contextlib.contextmanager
def without_mirrors() -> Iterator[None]:
    """Errors that leave the block do not advise a mirror."""
    try:
        yield
    except (ForgeError, ExceptionGroup) as error:
        for inner in leaves(error):
            if isinstance(inner, ForgeError) and inner.fix:
                inner.fix = _MIRROR.sub("", inner.fix)
        raise
