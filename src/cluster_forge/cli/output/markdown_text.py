"""Texts in Markdown for comments on pull requests."""

from __future__ import annotations

import html
from typing import Final

from cluster_forge.cli.output.terminal_text import one_line

LONGEST: Final = 60_000
"""Characters of a comment: GitHub takes 65,536."""


def code(text: str) -> str:
    """As code, in HTML: neither Markdown nor HTML in the text takes effect."""
    return f"<code>{html.escape(one_line(text)).replace('|', '&#124;').replace('`', '&#96;')}</code>" if text else ""
