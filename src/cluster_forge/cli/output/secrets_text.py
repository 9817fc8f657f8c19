"""The Secrets that a stack expects: as commands that create them, as ExternalSecrets, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cluster_forge.catalog.external_secret import external_secret
from cluster_forge.cli.output.terminal_text import one_line
from cluster_forge.stack import secret_command
from cluster_forge.stack.component import ExpectedSecret
from cluster_forge.stages.build.expected_secrets import ListedSecret, SecretList
from cluster_forge.yaml import document_writer


def heading(secrets: SecretList, *, is_stale: bool) -> Iterator[str]:
    """What the list is made from."""
    if secrets.basis == "description":
        yield "# from the description: nothing is rendered yet, and values may change what is needed (`cluster-forge forge`)"
        return
    is_smelted = secrets.basis == "working"
    yield f"# from what the objects in {'working/' if is_smelted else 'input/'} refer to"
    if not is_smelted:
        yield "# working/ does not hold this stack: run `cluster-forge smelt`"
    if is_stale:
        yield "# working/ is out of date: run `cluster-forge smelt` first"
    if secrets.not_rendered:
        yield f"# from the description, as they are not rendered: {one_line(', '.join(secrets.not_rendered))}"


def lines(listed: ListedSecret, store: str | None) -> Iterator[str]:
    """The lines about a Secret. Texts of others are comments of one line: people paste this into a shell."""
    secret = listed.secret
    yield f"# {one_line(f'{listed.component}: {secret.purpose or secret.name}')}"
    if listed.from_store:
        yield f"#   External Secrets creates {one_line(f'{secret.namespace}/{secret.name}')} from the store:"
        yield f"#   its entry {one_line(repr(secret.name))} must have {one_line(', '.join(secret.keys))}"
    elif store:
        yield "---"
        yield from document_writer.mapping(external_secret(secret.name, secret.namespace, secret.keys, store))
    else:
        yield from _command(secret)
    yield ""


def json(listed: ListedSecret) -> dict[str, Any]:
    secret = listed.secret
    return {
        "component": listed.component,
        "name": secret.name,
        "namespace": secret.namespace,
        "keys": dict(secret.keys),
        "purpose": secret.purpose,
        "fromStore": listed.from_store,
        "command": "\n".join(_command(secret)),
    }


def _command(secret: ExpectedSecret) -> Iterator[str]:
    for key, meaning in secret.keys.items():
        yield f"#   {one_line(f'{key}: {meaning}')}"
    if not secret.keys:
        yield "#   its keys are not known: they are those that the program reads"
    yield secret_command.create(secret)
