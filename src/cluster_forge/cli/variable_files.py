"""Files of variables, as they are named on the command line: in the workspace or anywhere else."""

from __future__ import annotations

from functools import partial
from typing import Final

from cluster_forge.cli import file_arguments
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
    content = file_arguments.content(
        name,
        "the file of variables",
        most=_LARGEST,
        path="the path of --vars-file",
        smaller="name another file",
    )
    try:
        return GivenVariables(place=name, text=content.decode())
    except UnicodeDecodeError as error:
        raise DescriptionError("the file is not UTF-8 text", where=name, fix="save the file as UTF-8") from error
