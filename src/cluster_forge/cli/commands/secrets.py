"""secrets list: the Secrets that the stack expects, and the commands that create them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from cluster_forge.checks.secret_references import PULL_KEY, TLS_KEYS
from cluster_forge.cli import help_page
from cluster_forge.cli.output.terminal_text import one_line
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import SELECTS, verb

if TYPE_CHECKING:
    from cluster_forge.composition import Services
    from cluster_forge.stack.model import ExpectedSecret, Stack
    from cluster_forge.stages.build.expected_secrets import ListedSecret, SecretList

command = help_page.group(
    "secrets",
    """List the Secrets that the stack expects.

    Examples:
        cluster-forge secrets list
    """,
)


@verb(*SELECTS)
@click.option(
    "--external", metavar="STORE", help="Print ExternalSecrets for this ClusterSecretStore instead of commands."
)
def list_secrets(session: Session, external: str | None) -> None:
    """List the Secrets that the stack expects, each with the kubectl command that creates it.

    The list has what the objects in working/ refer to, or those that `mine` rendered; before that, what the description
    lists. No secret value is read or written: fill in the placeholders yourself.

    Examples:
        cluster-forge secrets list
        cluster-forge secrets list grafana --external vault > secrets.yaml
    """
    stack, secrets, is_stale = _expected(session)
    for line in _heading(secrets, is_stale=is_stale):
        session.print(f"# {one_line(line)}")
    for listed in secrets.secrets:
        for line in _lines(listed, external):
            session.print(line)
        session.print("")
    if not secrets.secrets:
        session.print(f"{'# ' if external else ''}the stack expects no Secrets")
    session.print_json(
        "secrets list",
        stack=stack.name,
        basis=secrets.basis,
        stale=is_stale,
        notRendered=secrets.not_rendered,
        secrets=[
            {
                "component": listed.component,
                "name": listed.secret.name,
                "namespace": listed.secret.namespace,
                "keys": dict(listed.secret.keys),
                "purpose": listed.secret.purpose,
                "fromStore": listed.from_store,
                "command": "\n".join(_command(listed.secret)),
            }
            for listed in secrets.secrets
        ],
    )


def _expected(session: Session) -> tuple[Stack, SecretList, bool]:
    """The stack, its Secrets, and whether the description has changed since `smelt` wrote what they are read from."""
    from cluster_forge.cli import description
    from cluster_forge.stages.build import expected_secrets
    from cluster_forge.stages.build.expected_secrets import Basis, RunTimeSecrets
    from cluster_forge.stages.catalog import run_time_objects

    stack = description.loaded(session).stack
    basis = expected_secrets.basis_of(stack, session.files())
    if basis is Basis.DESCRIPTION:
        return stack, expected_secrets.from_description(stack), False
    library = description.catalog_of(session, may_be_empty=True)
    with session.services(offline=True, renders=False) as services:
        secrets = expected_secrets.from_objects(
            stack,
            services.toolbox,
            RunTimeSecrets(
                operated=run_time_objects.kinds_in(stack, library),
                created=run_time_objects.secrets_in(stack, library),
                replaceable=run_time_objects.named_in_values(stack, library),
            ),
        )
        return stack, secrets, basis is Basis.WORKING and _is_stale(session, services)


def _is_stale(session: Session, services: Services) -> bool:
    """Whether `working/` is out of date. Not known, and not asked, for a part of the stack."""
    from cluster_forge.cli.description import describe
    from cluster_forge.foundation.errors import ForgeError
    from cluster_forge.stages.build import input_fingerprint, locking, working_tree

    selection = session.selection
    if selection.names or selection.select or selection.skip:
        return False
    try:
        now = describe(services, selection)
        sources = locking.look_up(now.stack.components, now.lock, services.sources)
        inputs = input_fingerprint.fingerprint(now.stack, sources, now.lock, services.toolbox)
    except (ForgeError, ExceptionGroup):
        return True
    working = working_tree.load(services.files)
    return working is None or working.record.inputs != inputs


def _heading(secrets: SecretList, *, is_stale: bool) -> Iterator[str]:
    """What the list is made from."""
    if secrets.basis == "description":
        yield "from the description: nothing is rendered yet, and values may change what is needed (`cluster-forge forge`)"
        return
    place = "working/" if secrets.basis == "working" else "input/: run `cluster-forge smelt` for working/"
    yield f"from what the objects in {place} refer to"
    if is_stale:
        yield "working/ is out of date: run `cluster-forge smelt` first"
    if secrets.not_rendered:
        yield f"from the description, as they are not rendered: {', '.join(secrets.not_rendered)}"


def _lines(listed: ListedSecret, external: str | None) -> Iterator[str]:
    """The lines about a Secret. Texts of others are comments of one line: people paste this into a shell."""
    secret = listed.secret
    yield f"# {one_line(f'{listed.component}: {secret.purpose or secret.name}')}"
    if listed.from_store:
        yield f"#   External Secrets creates {one_line(f'{secret.namespace}/{secret.name}')} from the store:"
        yield f"#   its entry {one_line(repr(secret.name))} must have {one_line(', '.join(secret.keys))}"
        return
    yield from _external(secret, external) if external else _command(secret)


def _command(secret: ExpectedSecret) -> Iterator[str]:
    for key, meaning in secret.keys.items():
        yield f"#   {one_line(f'{key}: {meaning}')}"
    if not secret.keys:
        yield "#   its keys are not known: they are those that the program reads"
    if set(secret.keys) == {PULL_KEY}:
        start = ["kubectl", "create", "secret", "docker-registry", secret.name, "--namespace", secret.namespace]
        values = ["--docker-server=…", "--docker-username=…", "--docker-password=…"]
    elif set(secret.keys) == set(TLS_KEYS):
        start = ["kubectl", "create", "secret", "tls", secret.name, "--namespace", secret.namespace]
        values = ["--cert=…", "--key=…"]
    else:
        start = ["kubectl", "create", "secret", "generic", secret.name, "--namespace", secret.namespace]
        values = [f"--from-literal={_quoted(f'{key}=…')}" for key in secret.keys or ["KEY"]]
    yield " \\\n".join([" ".join(map(_quoted, start)), *(f"  {value}" for value in values)])


def _quoted(text: str) -> str:
    """A word of a shell's command, on one line: a name with a line break is not one that Kubernetes takes."""
    return shlex.quote(one_line(text))


def _external(secret: ExpectedSecret, store: str) -> Iterator[str]:
    from cluster_forge.yaml import document_writer

    keys: list[dict[str, Any]] = [
        {"secretKey": key, "remoteRef": {"key": secret.name, "property": key}} for key in secret.keys
    ]
    kind = {frozenset({PULL_KEY}): "dockerconfigjson", frozenset(TLS_KEYS): "tls"}.get(frozenset(secret.keys))
    target = {"name": secret.name, **({"template": {"type": f"kubernetes.io/{kind}"}} if kind else {})}
    body = {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": secret.name, "namespace": secret.namespace},
        "spec": {
            "refreshInterval": "1h",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": store},
            "target": target,
            **({"data": keys} if keys else {"dataFrom": [{"extract": {"key": secret.name}}]}),
        },
    }
    yield "---"
    yield from document_writer.mapping(body, "")


command.add_command(list_secrets, "list")
