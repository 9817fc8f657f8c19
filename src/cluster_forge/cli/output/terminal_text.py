"""Text that is safe to show: no credentials, and no characters that a terminal obeys instead of showing them.

Messages quote charts, indexes, servers, file names and other people's processes. An escape sequence in one of these could
rewrite the screen, the title or the clipboard; a mark for the direction of writing could make a line say something else.
"""

from __future__ import annotations

import re
from typing import Any, Final

import click

from cluster_forge.foundation.addresses import masked

_UNSAFE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but not tab and newline
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # invisible, or direction of writing
    "\ud800-\udfff\U000e0000-\U000e007f]"  # halves of characters, invisible tags
)


class Styled(str):
    """A text that is safe already, and has our own colors."""

    __slots__ = ()


def shown(text: str) -> Styled:
    """The text as it may be printed: credentials cut, and `printable`."""
    return text if isinstance(text, Styled) else Styled(printable(masked(text)))


def printable(text: str) -> str:
    """The text with each unsafe character as JSON writes it: backslash, ``u``, four digits. Credentials stay."""
    return _UNSAFE.sub(_escaped, text.replace("\r\n", "\n"))


def one_line(text: str) -> Styled:
    """The text as it may be printed within a line."""
    return shown(" ".join(text.split()))


def styled(*parts: str | tuple[str, dict[str, Any]]) -> Styled:
    """Parts one after the other, each `shown`; ``(text, {"fg": "red"})`` with the style that `click.style` makes of it."""
    return Styled(
        "".join(
            shown(part) if isinstance(part, str) else click.style(shown(part[0]), **part[1]) for part in parts if part
        )
    )


def _escaped(match: re.Match[str]) -> str:
    number = ord(match[0])
    if number <= 0xFFFF:
        return f"\\u{number:04x}"
    high, low = divmod(number - 0x10000, 0x400)  # as JSON writes them
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
