"""Files of defaults for options: ``options/<NAME>.yaml``, or any file named with ``--options``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from cluster_forge.cli import help_page
from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.yaml import positioned_reader
from cluster_forge.yaml.positioned import Path as Place
from cluster_forge.yaml.positioned_reader import PositionedDocument

_ITSELF = "options"
_LARGEST = 64 << 20
"""Bytes of the file."""
_RUNS_PROGRAMS = "kubeconfig"
"""The option whose file says which programs are run."""
_ENTERS_THE_STACK = "vars_file"
"""The option whose files become a part of the stack."""
_AGREES = "allow_exec"
"""The option by which its user agrees to run a program of the workspace."""
_MOST_ERRORS = 100
"""More are not useful, and looking for the nearest name of each takes time."""


def defaults(name: str, workspace: Path, context: click.Context) -> dict[str, Any]:
    """The defaults that the file gives for the command of ``context``, by parameter.

    A key is an option (with or without leading hyphens), or a verb with a mapping of its options, which override those
    beside it; ``config`` holds ``show`` and ``validate`` in the same way. Mappings of other verbs are not read.

    Raises:
        DescriptionError, ExceptionGroup: no such file, not YAML, an option that the verb (or, outside of a verb's own
            mapping, any verb) does not have, a value that is not valid for it, a kubeconfig that comes with the file or
            a file elsewhere that would become a part of the stack (ADR 0016), or a workspace that agrees to its own functions (ADR 0056).
    """
    path = _path(name, workspace)
    file = positioned_reader.read(path.read_bytes(), str(path))
    own = _options(context.command)
    errors: list[DescriptionError] = []
    values: dict[str, Any] = {}
    for place, content, command in _layers(file, context):
        if not isinstance(content, Mapping):
            what = f"the options of `{' '.join(place)}`" if place else "an options file"
            errors.append(_wrong(f"{what} must be a mapping", file, place, "write lines `option: value`"))
            break
        for key, value in content.items():
            option = own.get(key.lstrip("-"))
            if option and option.name:
                try:
                    values[option.name] = _converted(option, _as_typed(value, file, (*place, key)), context)
                except click.BadParameter as error:
                    errors.append(_wrong(f"{key}: {error.message}", file, (*place, key)))
                    continue
                errors += [
                    _wrong(f"{key}: {what}", file, (*place, key), fix)
                    for what, fix in _refusals(option.name, values[option.name], workspace, path)
                ]
            elif len(errors) > _MOST_ERRORS:
                break
            elif key.lstrip("-") not in (known := set(_names(command, context))):
                errors.append(_no_option(key, known, file, place))
    raise_all(errors)
    return values


def _refusals(option: str, value: Any, workspace: Path, path: Path) -> Iterator[tuple[str, str]]:
    """What the options file at ``path`` may not say, and what to do instead: one in the workspace may be a stranger's."""
    if not _are_inside(workspace, path):
        return
    if option == _AGREES:
        yield (
            "a file of the workspace cannot agree to run its functions",
            "type it on the command line, or: cluster-forge plugins allow",
        )
    if option == _RUNS_PROGRAMS and _are_inside(workspace, value):
        yield (
            f"{value} is in the workspace, and a kubeconfig names programs that are run",
            "type it on the command line, or name a file elsewhere",
        )
    if option == _ENTERS_THE_STACK:
        for named in value:
            if not _are_inside(workspace, named):
                yield (
                    f"{named} is outside of the workspace, and would become a part of the stack",
                    "type it on the command line, or name a file in the workspace",
                )


def _no_option(key: str, known: set[str], file: PositionedDocument, place: tuple[str, ...]) -> DescriptionError:
    verb = " ".join(place)
    what = f"`{verb}` has no option" if verb else "unknown verb or option"
    return _wrong(f"{what} {key!r}{did_you_mean(key, known)}", file, (*place, key))


def _are_inside(workspace: Path, *paths: object) -> bool:
    """Whether all of them are in the workspace: who sent the one has sent the others, too."""
    root = workspace.resolve()
    return all(Path(str(path)).expanduser().resolve().is_relative_to(root) for path in paths)


def _layers(file: PositionedDocument, context: click.Context) -> Iterator[tuple[tuple[str, ...], Any, click.Command]]:
    """The whole file, its part for the verb, and for the verb's own verb: place, content, and the command it is for."""
    place: tuple[str, ...] = ()
    command, content = context.find_root().command, file.value or {}
    yield place, content, command
    for word in context.command_path.split()[1:]:
        content = content.get(word) if isinstance(content, Mapping) else None
        group = help_page.words_of(command) or command
        inner = group.get_command(context, word) if isinstance(group, click.Group) else None
        if content is None or inner is None:
            return
        command, place = inner, (*place, word)
        yield place, content, command


def _as_typed(value: Any, file: PositionedDocument, place: Place) -> Any:
    """The value, or the values of a list, as text on a command line: click converts numbers and switches itself.

    Raises:
        click.BadParameter: for a NUL character, which no command line can have.
    """
    if isinstance(value, list):
        return [_as_typed(item, file, (*place, index)) for index, item in enumerate(value)]
    if value is None or isinstance(value, Mapping):
        return value
    text = file.text(place)
    if "\0" in text:
        raise click.BadParameter("contains a NUL character")
    return text


def _converted(option: click.Option, value: Any, context: click.Context) -> Any:
    """The value as the command line would give it; a single value is enough for an option that may be repeated.

    Raises:
        click.BadParameter: if it is not valid for the option.
    """
    if value is None:
        return () if option.multiple else option.get_default(context)
    if option.multiple and not isinstance(value, list):
        value = [value]
    if any(isinstance(item, list | Mapping) for item in (value if option.multiple else [value])):
        raise click.BadParameter("takes one value" if not option.multiple else "takes a list of values")
    return option.type_cast_value(context, value)


def _options(command: click.Command) -> dict[str, click.Option]:
    """The command's options, by all of their names."""
    return {
        name.lstrip("-"): parameter
        for parameter in command.params
        if isinstance(parameter, click.Option) and parameter.name != _ITSELF
        for name in (*parameter.opts, parameter.name or "")
    }


def _names(command: click.Command, context: click.Context) -> Iterable[str]:
    """The options of a verb; of a group its verbs and their options."""
    if not isinstance(command, click.Group):
        yield from _options(command)
    group = help_page.words_of(command) or command
    if isinstance(group, click.Group):
        for name in group.list_commands(context):
            yield name
            if inner := group.get_command(context, name):
                yield from _names(inner, context)


def _wrong(message: str, file: PositionedDocument, place: tuple[str, ...], fix: str | None = None) -> DescriptionError:
    return DescriptionError(message, where=file.where(place), fix=fix)


def _path(name: str, workspace: Path) -> Path:
    candidates = [Path(name), workspace / name, workspace / "options" / f"{name}.yaml"]
    for path in candidates:
        if path.is_file():
            if path.stat().st_size > _LARGEST:
                raise DescriptionError(
                    f"the options file is larger than {_LARGEST >> 20} MiB", where=str(path), fix="name another file"
                )
            return path
    raise DescriptionError(
        f"there is no options file {name!r}: looked for {', '.join(dict.fromkeys(map(str, candidates)))}",
        fix="name a file, or write options/<NAME>.yaml in the workspace",
    )
