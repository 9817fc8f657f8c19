"""The tokens of known services, by their shape."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from cluster_forge.checks.security.secret_shape_table import SHAPES

_LONGEST: Final = 512
_MOST_TRIES: Final = 1_000
"""Places in one text where a token is looked for."""


def tokens_in(text: str) -> Iterator[str]:
    """What tokens a text holds: ``a GitHub token``."""
    hint, patterns = _shapes()
    for _, match in zip(range(_MOST_TRIES), hint.finditer(text), strict=False):
        window = text[match.start() : match.start() + _LONGEST]
        yield from (kind for kind, pattern in patterns if pattern.match(window))


@cache
def _shapes() -> tuple[re.Pattern[str], tuple[tuple[str, re.Pattern[str]], ...]]:
    """Where a token may begin, and the patterns of tokens: compiled when first needed."""
    prefixes = sorted({prefix for _, begins, _ in SHAPES for prefix in begins})
    hint = re.compile(f"(?<![A-Za-z0-9+/_-])(?:{'|'.join(map(re.escape, prefixes))})")
    return hint, tuple((kind, re.compile(pattern)) for kind, _, pattern in SHAPES)
