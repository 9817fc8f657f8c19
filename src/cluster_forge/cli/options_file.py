"""Files of defaults for options: ``options/<NAME>.yaml``, or any file named with ``--options``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

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
    from cluster_forge.cli.app import VERBS

    general = {key: value for key, value in content.items() if key not in VERBS}
    own = content.get(command.name or "", {}) or {}
    known = {option.lstrip("-"): each for each in command.params for option in (each.name or "", *each.opts)}
    errors, found = [], {}
    for key, value in {**general, **own}.items():
        parameter = known.get(str(key).lstrip("-"))
        if parameter is None or parameter.name is None:
            line = file.line((command.name, key) if key in own else (key,))
            message = f"`{command.name}` has no option {key!r}{did_you_mean(str(key), known)}"
            errors.append(DescriptionError(message, where=f"{path}:{line}"))
        else:
            found[parameter.name] = value
    raise_all(errors)
    return found


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
