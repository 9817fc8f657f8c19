"""Declared options (`foundation.option_fields`) as click's parameters, and click's values as the declared groups."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from cluster_forge.foundation.option_fields import OptionField, declared

Group = TypeVar("Group")


class GroupedOption(click.Option):
    """An option that knows the heading below which a help text lists it."""

    heading: str = "Options"


def parameters(group: type) -> list[click.Parameter]:
    """The options and arguments that the fields of a group declare, in their order."""
    return [_parameter(name, default, field, heading(group)) for name, (default, field) in declared(group).items()]


def add_choices(command: click.Command, name: str, choices: Mapping[str, str]) -> None:
    """Let one option of a command take more values: ``choices`` say what each is for."""
    for option in command.params:
        if option.name == name and isinstance(option, click.Option) and isinstance(option.type, click.Choice):
            option.type = click.Choice([*option.type.choices, *choices])
            head, _, tail = (option.help or "").partition(" [")
            added = "".join(f"; {choice}: {purpose}" for choice, purpose in choices.items())
            option.help = f"{head.removesuffix('.')}{added}{'.' if head.endswith('.') else ''} [{tail}"


def reword(command: click.Command, name: str, before: str, after: str) -> None:
    """Put ``after`` in the place of ``before`` in the help text of one option of a command."""
    for option in command.params:
        if option.name == name and isinstance(option, click.Option):
            option.help = (option.help or "").replace(before, after)


def heading(group: type) -> str:
    """The heading that a group names, or its own: ``Output options`` for ``OutputOptions``."""
    return str(getattr(group, "HEADING", f"{re.sub('Options$', '', group.__name__)} options"))


def taken(group: type[Group], values: dict[str, Any]) -> Group:
    """The group with its values, which are taken out of ``values``."""
    return group(**{name: values.pop(name) for name in declared(group)})


def checked(check: Callable[[str], object]) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """A callback that hands each text of a value to ``check`` and turns its ValueError into a usage error."""

    def callback(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        try:
            for text in value if isinstance(value, tuple) else () if value is None else (value,):
                check(text)
        except ValueError as error:
            raise click.BadParameter(str(error), context, parameter) from error
        return value

    return callback


def refuse_empty(context: click.Context) -> None:
    """Refuse an option or argument that is given, but empty: where a script does not set the variable, ``--context "$CONTEXT"``
    must not mean the current context, nor ``remove "$NAME"`` the whole stack. `deploy.sh` says the same.

    Raises:
        click.UsageError: for the first one.
    """
    for parameter in context.command.params:
        name = parameter.name or ""
        value = context.params.get(name)
        texts = value if isinstance(value, tuple) else (value,)
        is_empty = any(isinstance(text, str) and not text.strip() for text in texts)
        if is_empty and context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            is_option = isinstance(parameter, click.Option)
            shown = parameter.opts[-1] if is_option else parameter.make_metavar(context).strip("[].")
            raise click.UsageError(
                f"{shown} is empty: give it a value (is a variable unset?), or leave it out", context
            )


class Amount(click.FloatRange):
    """A number in a range. ``nan`` is below and above nothing, so click lets it pass."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        return self.fail(f"{value!r} is not a number.", param, ctx) if math.isnan(number) else number


class _Path(click.Path):
    """A path. An address from the environment is not taken apart at its colons: its password would become a path."""

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        return [rv] if "://" in rv else super().split_envvar_value(rv)


def _parameter(name: str, default: Any, field: OptionField, title: str) -> click.Parameter:
    if not field.flags:
        return click.Argument([name], nargs=-1, metavar=field.metavar)
    is_switch = isinstance(default, bool)
    option = GroupedOption(
        [*field.flags, name],
        type=None if is_switch else _type(field),
        is_flag=is_switch,
        multiple=isinstance(default, tuple),
        default=default if is_switch or default else None,
        show_default=field.shown_default,
        metavar=field.metavar or ("N" if field.limits else None),
        callback=checked(field.check) if field.check else None,
        help=field.help,
    )
    option.heading = title
    return option


def _type(field: OptionField) -> click.ParamType[Any]:
    if field.choices:
        return click.Choice(field.choices)
    if field.limits is None:
        return _Path() if field.is_path else click.STRING
    least, most = field.limits
    if isinstance(least, float) or isinstance(most, float):
        return Amount(least, most)
    return click.IntRange(least, most)
