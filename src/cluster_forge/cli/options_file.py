"""Files of defaults for options: ``options/<NAME>.yaml``, or any file named with ``--options``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cluster_forge.cli.app import VERBS, Verbs
from cluster_forge.foundation.errors import DescriptionError, raise_all
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.stack import located


def defaults(name: str, workspace: Path, command: click.Command) -> dict[str, Any]:
    """The defaults that the file gives for ``command``, by parameter.

    A key is an option of the verb (with or without leading hyphens), or a verb with a mapping of its options; what
    is there for other verbs is not looked at.

    Raises:
        DescriptionError: no such file, not YAML, or an option that the verb does not have.
    """
    path = _found(name, workspace)
    file = located.read(path.read_bytes(), str(path))
    content = file.value or {}
    if not isinstance(content, Mapping):
        raise DescriptionError("a file of options is a mapping", where=f"{path}:1", fix="write `option: value` lines")
    own = content.get(command.name or "") or {}
    known = _options(command)
    others = (key for key in content if key not in VERBS and key not in known)
    errors = [_unknown(command, key, known, file.where((command.name or "", key))) for key in own if key not in known]
    errors += [_unknown(command, key, known, file.where((key,))) for key in others if key not in _of_any_verb()]
    raise_all(errors)
    return {known[key]: value for key, value in {**content, **own}.items() if key in known}


def _unknown(command: click.Command, key: str, known: Mapping[str, str], where: str) -> DescriptionError:
    return DescriptionError(f"`{command.name}` has no option {key!r}{did_you_mean(key, known)}", where=where)


def _options(command: click.Command) -> dict[str, str]:
    """What the verb's options may be called, and their parameters."""
    return {
        name.lstrip("-"): parameter.name
        for parameter in command.params
        if isinstance(parameter, click.Option) and parameter.name
        for name in (*parameter.opts, parameter.name)
    }


def _of_any_verb() -> set[str]:
    """The names of all options that there are: a file for several verbs may hold what one of them does not have."""
    group = Verbs(name="all")
    context = click.Context(group)
    commands = [group.get_command(context, verb) for verb in VERBS]
    return {name for command in commands if command for name in _options(command)}


def _found(name: str, workspace: Path) -> Path:
    tried = [Path(name), workspace / name, workspace / "options" / f"{name}.yaml"]
    for path in tried:
        if path.is_file():
            return path
    raise DescriptionError(
        f"no file of options {name!r}",
        where=", ".join(map(str, tried)),
        fix="name a file, or write options/<NAME>.yaml in the workspace",
    )
