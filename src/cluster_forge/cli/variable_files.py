"""Files of variables, as they are named on the command line: in the workspace or anywhere else."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from cluster_forge.foundation.error_groups import gathered
from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.stack.variables.options import GivenVariables, VariableOptions

_LARGEST: Final = 5 << 20
"""Bytes of a file, as of a description."""


def given(options: VariableOptions) -> tuple[GivenVariables, ...]:
    """The variables of all options, those that win last.

    Raises:
        DescriptionError, ExceptionGroup: for each file that cannot be read.
    """
    files = gathered(partial(_file, name) for name in options.vars_file)
    return (*files, *options.settings)


def _file(name: str) -> GivenVariables:
    path = Path(name)
    try:
        with path.open("rb") as file:  # a pipe, too: --vars-file <(…)
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise DescriptionError(
            f"the file of variables cannot be read: {error.strerror}",
            where=name,
            fix="correct the path of --vars-file; it is relative to the current directory",
        ) from error
    if len(content) > _LARGEST:
        raise DescriptionError(f"the file is larger than {_LARGEST >> 20} MiB", where=name, fix="name another file")
    try:
        return GivenVariables(place=name, text=content.decode())
    except UnicodeDecodeError as error:
        raise DescriptionError("the file is not UTF-8 text", where=name, fix="save the file as UTF-8") from error
