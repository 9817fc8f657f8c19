"""How conflicts between hand edits and changes are decided in a run: by an option, or by the user, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, TypeVar

import click

if TYPE_CHECKING:
    from cluster_forge.cli.session import Session
    from cluster_forge.stages.build.hand_edits.file_merge import Conflict, Decide
    from cluster_forge.stages.build.smelt import SmeltResult

Result = TypeVar("Result")

OURS: Final = "ours"
THEIRS: Final = "theirs"
ASK: Final = "ask"


def decision(merge: str | None) -> Decide:
    """What ``--merge`` says without questions; None: conflicts stay."""
    from cluster_forge.stages.build.hand_edits.edit_merge import MergeChoice, always
    from cluster_forge.stages.build.hand_edits.file_merge import undecided

    return undecided if merge is None else always(MergeChoice(merge))


def decided(
    session: Session, merge: str | None, run: Callable[[Decide], Result], smelted: Callable[[Result], SmeltResult]
) -> Result:
    """The result of ``run`` with the decisions that ``--merge`` makes. To ask, it runs again with the answers.

    Raises:
        UsageError: if there is a conflict, and no terminal to ask on.
    """
    if merge != ASK:
        return run(decision(merge))
    answers: dict[Conflict, bool] = {}
    result = run(answers.get)
    while unanswered := [one for one in _conflicts(smelted(result)) if one not in answers]:
        answers |= {conflict: _answer(session, conflict) for conflict in unanswered}
        result = run(answers.get)
    return result


def _conflicts(smelted: SmeltResult) -> Iterable[Conflict]:
    return (conflict for file in smelted.merged.values() for conflict in file.conflicts)


def _answer(session: Session, conflict: Conflict) -> bool:
    """Whether the user keeps the edit."""
    from cluster_forge.cli.output.streams import to_stderr
    from cluster_forge.cli.prompts import questions

    if not questions.may_ask(session):
        raise click.UsageError(f"--merge {ASK}: not a terminal: pass --merge {OURS} or --merge {THEIRS}")
    to_stderr(f"{conflict.path}{f': {conflict.field}' if conflict.field else ''}")
    if conflict.reason:
        to_stderr(f"  {conflict.reason}")
    else:
        to_stderr(f"  {OURS}: {conflict.mine}\n  {THEIRS}: {conflict.theirs}\n  before: {conflict.base}")
    choice = click.Choice((THEIRS,) if conflict.is_final else (OURS, THEIRS))
    return bool(click.prompt("take", type=choice, err=True) == OURS)
