"""The date of everything that is cast (https://reproducible-builds.org/specs/source-date-epoch/)."""

from __future__ import annotations

import os

from cluster_forge.foundation.errors import DescriptionError

DEFAULT = 315_532_800
"""1980-01-01, the first day that a zip file can hold."""


def source_date() -> int:
    """Seconds since 1970: SOURCE_DATE_EPOCH, or the default.

    Raises:
        DescriptionError: if SOURCE_DATE_EPOCH is not a whole number.
    """
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return DEFAULT
    if not text.isascii() or not text.isdigit() or len(text) > 10:
        raise DescriptionError(
            f"SOURCE_DATE_EPOCH is {text!r}, not seconds since 1970",
            fix="unset it, or set it to a whole number: SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)",
        )
    return int(text)
