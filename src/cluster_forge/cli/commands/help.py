"""help: the exit codes, or the help of a verb."""

from __future__ import annotations

from collections.abc import Iterator

import click

from cluster_forge.cli import help_page

ExitCode = tuple[int, str, str]
"""The code, the type of the error (empty for other outcomes), and what it means."""


@click.command(cls=help_page.HelpCommand)
@click.argument("topic", nargs=-1, metavar="[errors | VERB...]")
@click.pass_context
def command(context: click.Context, topic: tuple[str, ...]) -> None:
    """Explain the exit codes, or a verb.

    `help errors` lists every exit code and the type of error that it stands for. `help VERB` prints what VERB --help
    does.

    Examples:
        cluster-forge help errors
        cluster-forge help catalog new
    """
    if topic == ("errors",):
        click.echo(errors_text(context), nl=False)
        return
    inner = context.find_root()
    verb = inner.command
    for word in topic:
        group = help_page.words_of(verb) or verb
        if not isinstance(group, click.Group):
            raise click.UsageError(f"`{' '.join(topic)}` is not a verb: `{verb.name}` has no verbs of its own", context)
        below = group.resolve_command(inner, [word])[1]
        assert below is not None
        verb, inner = below, click.Context(below, info_name=word, parent=inner)
    click.echo(verb.get_help(inner))


def errors_text(context: click.Context) -> str:
    """The table of exit codes, a section for each family."""
    formatter = context.make_formatter()
    for title, codes in exit_codes():
        with formatter.section(title):
            formatter.write_dl([(f"{code:>3}  {name}".rstrip(), meaning) for code, name, meaning in codes])
    return formatter.getvalue().lstrip("\n")


def exit_codes() -> Iterator[tuple[str, list[ExitCode]]]:
    """Every exit code by family; families without a type so far are left out."""
    from cluster_forge.foundation.errors import FAMILIES, types_of

    yield (
        "No error",
        [
            (0, "", "Done."),
            (1, "", "Check failed, or differences found: findings with the severity error, failed tests, a diff."),
            (2, "", "Usage: the verb does not have this option or argument."),
        ],
    )
    for family in FAMILIES:
        if codes := [(kind.exit_code, kind.__name__, kind.meaning) for kind in types_of(family)]:
            yield f"{family.meaning} ({family.__name__})", codes
    yield (
        "Ended early",
        [
            (70, "", "A bug of Cluster-Forge; the message names a file with a report."),
            (129, "", "Ended by SIGHUP: the terminal was closed."),
            (130, "", "Interrupted: Ctrl-C."),
            (143, "", "Ended by SIGTERM."),
        ],
    )


help_page.describe(command, command.callback.__doc__ or "")
