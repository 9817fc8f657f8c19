"""Variables from the command line, over those of the description: ``--vars-file FILE``, then ``--set NAME=VALUE``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.stack import merge
from cluster_forge.stack.variables.options import GivenVariables
from cluster_forge.yaml import positioned_reader
from cluster_forge.yaml.positioned import Positioned


def over(
    declared: Mapping[str, Positioned],
    cluster: Mapping[str, Positioned],
    given: Iterable[GivenVariables],
    errors: list[ForgeError],
) -> Mapping[str, Positioned]:
    """The variables of the description with those of a cluster and the given ones over them, later ones over earlier ones.

    What cannot be read and what the description does not declare goes into ``errors``.
    """
    variables = dict(declared)
    for name in cluster.keys() & declared.keys():
        variables[name] = merge.positioned(variables[name], cluster[name])
    for source in given:
        for name, part in _read(source, errors):
            if name not in declared:
                errors.append(undeclared(name, part, declared))
                continue
            variables[name] = merge.positioned(variables[name], part)
    return variables


def _read(source: GivenVariables, errors: list[ForgeError]) -> Iterator[tuple[str, Positioned]]:
    try:
        root = positioned_reader.read(source.text.encode(), source.place).root
    except (DescriptionError, ExceptionGroup) as error:
        errors += [_readable(leaf, source) for leaf in leaves(error) if isinstance(leaf, ForgeError)]
        return
    if source.name:
        is_empty = not source.text.strip()
        yield source.name, replace(root, line=0, content="" if is_empty else root.content)
    elif isinstance(root.content, Mapping) or root.content is None:
        yield from root.mapping.items()
    else:
        errors.append(
            DescriptionError("a file of variables must be a mapping", where=root.where, fix="write `name: value` lines")
        )


def _readable(error: ForgeError, source: GivenVariables) -> ForgeError:
    if not source.name:
        return error
    fix = f"the value is read as YAML; put text with special characters into quotes: --set '{source.name}=\"…\"'"
    return type(error)(error.message, where=source.place, fix=fix)


def undeclared(name: str, part: Positioned, declared: Iterable[str]) -> ForgeError:
    """The error for a value of an unknown variable."""
    near = did_you_mean(name, declared)
    return DescriptionError(
        f"the description declares no variable {name!r}{near}",
        where=part.where,
        fix="correct the name" if near else f"declare it in input/config.yaml: `vars: {{{name}: …}}`",
    )
