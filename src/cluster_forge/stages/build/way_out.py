"""What to type where `working/` cannot be cast or written: how its content is cast as it is, and how hand edits are given up."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from cluster_forge.foundation import build
from cluster_forge.foundation.digest import Digest
from cluster_forge.record import Record
from cluster_forge.stack import variant


class CommandLine(Protocol):
    """The whole command line for a verb and its options, as ``cast --stale``, with the workspace of this run."""

    def __call__(self, verb: str, selection: Sequence[str] | None = None, /) -> str:
        """``selection`` has names and options of the stack's part and environment; None: those of this run."""


CHANGED: Final = "description, lock, input/ or selection changed since the last smelt"
_AS_SMELTED: Final = "cast that with the name, the selection and the --environment that it was smelted with"
_COPY: Final = "a copy stays in .cluster-forge/discarded/"


def plain_command(verb: str, selection: Sequence[str] | None = None, /) -> str:
    """The command line without a workspace, and without the selection of a run."""
    return " ".join(("cluster-forge", verb, *map(shlex.quote, selection or ())))


def is_current(record: Record, folder: str, inputs: Digest | None) -> bool:
    """Whether this build wrote `working/` for this folder of `stacks/`, from these inputs."""
    return (record.inputs, record.holds, record.tool) == (inputs, folder, build.identity())


@dataclass(frozen=True, slots=True, kw_only=True)
class WayOut:
    """Of a run of ``verb`` (`smelt` or `forge`) for ``folder`` (`stack.variant`)."""

    verb: str
    folder: str
    command: CommandLine = plain_command

    @property
    def discarding(self) -> str:
        """How the edits are given up."""
        return f"`{self.command(f'{self.verb} --discard-edits')}` ({_COPY})"

    def of_other_stack(self, record: Record) -> str:
        """How to continue where the edits are of another stack, environment or selection than ``folder``."""
        keep = _as_smelted(self.command, record, self.folder)
        return f"working/ holds the stack {record.holds!r}: {keep}; or discard the edits: {self.discarding}"


def stale_fix(command: CommandLine) -> str:
    """How to continue where `cast` finds `working/` out of date."""
    return f"run `{command('smelt')}`, which keeps hand edits, or cast it as it is: `{command('cast --stale')}`"


def other_stack_fix(command: CommandLine, record: Record, folder: str, *, has_edits: bool) -> str:
    """How to continue where `working/` holds another stack than ``folder``, which `cast` was asked for."""
    as_smelted = _as_smelted(command, record, folder)
    if has_edits:
        return f"{as_smelted}; or discard the hand edits: `{command('smelt --discard-edits')}` ({_COPY})"
    return f"run `{command('smelt')}`, or {as_smelted}"


def _as_smelted(command: CommandLine, record: Record, folder: str) -> str:
    """How to cast what `working/` holds: the line to type, unless the stack was renamed or names are only known by a digest."""
    is_renamed = variant.stack_of(folder) != record.stack
    options = None if is_renamed else variant.options(record.holds)
    return _AS_SMELTED if options is None else f"cast that: `{command('cast', options)}`"
