"""The command line as it was typed, and without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import click

_KEY = "cluster_forge.arguments"
_ADDRESS = re.compile(r"(--[a-z-]+=)?[A-Za-z][\w+.-]+://")
_SECRET = re.compile(r"--[a-z-]*(password|token|secret)[a-z-]*")


def remember(context: click.Context, arguments: Sequence[str]) -> None:
    """Keep the arguments for every verb below the context."""
    context.meta[_KEY] = tuple(arguments)


def typed(context: click.Context) -> tuple[str, ...]:
    """The arguments that `remember` kept."""
    remembered: tuple[str, ...] = context.meta.get(_KEY, ())
    return remembered


def without_secrets(arguments: Sequence[str]) -> list[str]:
    """Arguments that may be written to a file: no credentials in addresses, no values of options for secrets."""
    return list(_redacted(arguments))


def _redacted(arguments: Sequence[str]) -> Iterator[str]:
    from cluster_forge.foundation.addresses import masked, without_credentials

    is_secret = is_variable = False
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        variable = argument.removeprefix("--set=") if name == "--set" else argument
        if (is_variable or name == "--set") and equals and _names_secret(variable):
            yield f"{argument[: -len(variable)]}{variable.partition('=')[0]}=…"
        elif is_secret and not argument.startswith("--"):
            yield "…"
        elif equals and _SECRET.fullmatch(name):
            yield f"{name}=…"
        else:
            yield without_credentials(argument) if _ADDRESS.match(argument) else masked(argument)
        is_secret = bool(_SECRET.fullmatch(argument))
        is_variable = argument == "--set"


def _names_secret(variable: str) -> bool:
    """Whether the name in ``NAME=VALUE`` says that the value is a password or a key."""
    from cluster_forge.manifests.comparison import masking

    return masking.names_secret(variable.partition("=")[0])
