"""The command line as it was typed, and as it may be kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import click

_KEY = "cluster_forge.arguments"
_SECRET = re.compile(r"--[a-z-]*(password|token|secret)[a-z-]*")


def remember(context: click.Context, arguments: Sequence[str]) -> None:
    """Keep them for every verb below the context."""
    context.meta[_KEY] = tuple(arguments)


def typed(context: click.Context) -> tuple[str, ...]:
    found: tuple[str, ...] = context.meta.get(_KEY, ())
    return found


def without_secrets(arguments: Sequence[str]) -> list[str]:
    """As files may keep them: no logins in addresses, no values of options that are called like secrets."""
    return list(_harmless(arguments))


def _harmless(arguments: Sequence[str]) -> Iterator[str]:
    from cluster_forge.foundation.addresses import without_credentials

    is_secret = False
    for each in arguments:
        name, equals, _ = each.partition("=")
        if is_secret and not each.startswith("--"):
            yield "…"
        elif equals and _SECRET.fullmatch(name):
            yield f"{name}=…"
        else:
            yield without_credentials(each) if "://" in each else each
        is_secret = bool(_SECRET.fullmatch(each))
