"""The path of a field, as text: ``spec.template.spec.containers[name="web"].args[0]``, ``data["app.conf"]``.

Entries of lists with keys are named by them, as in the conflicts of server-side apply (structured-merge-diff, ``fieldpath``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, TypeAlias

EntryKey: TypeAlias = tuple[tuple[str, str], ...]
"""The keys of an entry with their values: ``(("containerPort", "80"), ("protocol", "TCP"))``; those of text in quotes."""
Step: TypeAlias = str | int | EntryKey
"""A member of a mapping, the place in a list, or the keys of an entry."""

_PLAIN: Final = re.compile(r"[\w-]+")


def text(steps: Iterable[Step]) -> str:
    """The steps as one text; empty for the object itself."""
    return "".join(map(_step, steps)).removeprefix(".")


def _step(step: Step) -> str:
    match step:
        case int():
            return f"[{step}]"
        case str():
            return f".{step}" if _PLAIN.fullmatch(step) else f'["{step}"]'
        case _:
            return f"[{','.join(f'{name}={value}' for name, value in step)}]"
