"""The Secrets that the stack expects are there, with their keys. Keys are looked at, never values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster_forge.gitops import requirements
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.stack import secret_command
from cluster_forge.stack.model import ExpectedSecret
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation

LOOKS_AT: Final = "the Secrets that the stack expects"
IS_NEEDED: Final = True


def problems(situation: Situation) -> Iterator[Problem]:
    context = situation.cluster.about().context
    for secret, there in missing(situation):
        message = (
            f"a Secret that the stack expects: {secret.purpose}" if secret.purpose else "the stack expects this Secret"
        )
        if there is None:
            lacks, commands = "it is not there", [secret_command.create(secret, context)]
            if secret.namespace not in situation.namespaces:
                commands.insert(0, secret_command.create_namespace(secret.namespace, context))
        else:
            keys = [key for key in requirements.keys(secret) if key not in there]
            lacks, commands = f"it lacks {', '.join(keys)}", [secret_command.add(secret, keys, context)]
        yield Problem(
            code="missing-secret",
            message=f"{message}; {lacks}",
            where=str(_id(secret)),
            fix="\n".join(["make it, or give its values with --secrets FILE:", *commands]),
            option="--allow-missing-secrets",
        )


def missing(situation: Situation) -> Iterator[tuple[ExpectedSecret, frozenset[str] | None]]:
    """Each expected Secret that is not there (None), or lacks keys (those that it has)."""
    expected = situation.plan.secrets
    found = situation.tools.workers.map(lambda secret: situation.cluster.get(_id(secret)), expected)
    for secret, body in zip(expected, found, strict=True):
        there = frozenset(body.get("data") or ()) if body else None
        if there is None or not there.issuperset(requirements.keys(secret)):
            yield secret, there


def _id(secret: ExpectedSecret) -> ObjectId:
    return ObjectId(group="", kind="Secret", namespace=secret.namespace, name=secret.name)
