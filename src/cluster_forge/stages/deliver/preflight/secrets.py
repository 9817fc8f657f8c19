"""The Secrets that the stack expects are there, with their keys. Of values it is only said that they differ from those given."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from cluster_forge.gitops import requirements
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.stack import secret_command
from cluster_forge.stack.component import ExpectedSecret
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation
from cluster_forge.stages.deliver.secrets import expected as made_secrets

LOOKS_AT: Final = "the Secrets that the stack expects"
IS_NEEDED: Final = True
CODES: Final[Mapping[str, str]] = {
    "missing-secret": "A Secret that the stack expects is not there, or lacks keys (`--allow-missing-secrets`).",
    "secret-value": "`--secrets` gives another value than the cluster has.",
}
MISSING: Final = "missing-secret"
OTHER_VALUES: Final = "secret-value"


def problems(situation: Situation) -> Iterator[Problem]:
    expected = situation.plan.secrets
    present = situation.tools.workers.map(lambda secret: situation.cluster.get(_id(secret)), expected)
    for secret, live in zip(expected, present, strict=True):
        given = situation.given.of(secret)
        if replaced := made_secrets.replaced(given, live):
            yield _with_other_values(secret, replaced, situation)
        there = None if live is None else frozenset(live.get("data") or ())
        if not (live or given) or not {*(there or ()), *given}.issuperset(requirements.keys(secret)):
            yield _missing(secret, there, given, situation)


def _missing(
    secret: ExpectedSecret, there: Collection[str] | None, given: Collection[str], situation: Situation
) -> Problem:
    """``there`` are the keys that it has; None: it is not there. ``given`` are those that ``--secrets`` has for it."""
    context = situation.cluster.about().context
    if there is None:
        lacks, commands = "it is not there", [secret_command.create(secret, context)]
        if secret.namespace not in situation.namespaces:
            commands.insert(0, secret_command.create_namespace(secret.namespace, context))
    else:
        keys = [key for key in requirements.keys(secret) if key not in {*there, *given}]
        lacks, commands = f"it lacks {', '.join(keys)}", [secret_command.add(secret, keys, context)]
    if given:
        lacks += f"; --secrets has {', '.join(sorted(given))} for it"
    purpose = f" ({secret.purpose.rstrip('.')})" if secret.purpose else ""
    return Problem(
        code=MISSING,
        message=f"the stack expects this Secret{purpose}, and {lacks}",
        where=str(_id(secret)),
        fix="\n".join(["make it, or give its values with --secrets FILE:", *commands]),
        option="--allow-missing-secrets",
    )


def _with_other_values(secret: ExpectedSecret, keys: Sequence[str], situation: Situation) -> Problem:
    removal = secret_command.take_out(secret, keys, situation.cluster.about().context)
    return Problem(
        code=OTHER_VALUES,
        message=f"the cluster has other values for {', '.join(keys)} than --secrets gives, and they are not replaced",
        where=str(_id(secret)),
        fix=f"leave these keys out; or, if nothing uses the old values any more, remove them first:\n{removal}",
    )


def _id(secret: ExpectedSecret) -> ObjectId:
    return ObjectId(group="", kind="Secret", namespace=secret.namespace, name=secret.name)
