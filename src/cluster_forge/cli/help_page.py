"""The help text of the program and of each verb: purpose, usage, what it does, examples, options.

It is written as a docstring: a line of purpose, paragraphs, and a section ``Examples:`` with one command on each line.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from cluster_forge.cli.click_options import GroupedOption

EXAMPLES = "Examples:"


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpPage:
    """The parts of a help text that are written by hand."""

    purpose: str = ""
    paragraphs: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()

    @classmethod
    def parse(cls, docstring: str) -> HelpPage:
        """Read a docstring."""
        purpose, *sections = inspect.cleandoc(docstring).split("\n\n")
        examples: list[str] = []
        paragraphs: list[str] = []
        for section in sections:
            if section.startswith(EXAMPLES):
                examples += inspect.cleandoc(section.removeprefix(EXAMPLES)).splitlines()
            else:
                paragraphs.append(" ".join(section.split()))
        return cls(purpose=" ".join(purpose.split()), paragraphs=tuple(paragraphs), examples=tuple(examples))

    def write(self, command: click.Command, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the whole help text of a command."""
        formatter.write_text(self.purpose)
        formatter.write_paragraph()
        command.format_usage(context, formatter)
        for paragraph in self.paragraphs:
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(paragraph)
        if self.examples:
            with formatter.section(EXAMPLES.removesuffix(":")):
                for example in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{example}\n")
        group = command if isinstance(command, HelpGroup) else words_of(command)
        if group:
            group.format_commands(context, formatter)
        for title, rows in _sections(command.get_params(context), context):
            with formatter.section(title):
                formatter.write_dl(rows)
        command.format_epilog(context, formatter)


def _sections(
    parameters: Iterable[click.Parameter], context: click.Context
) -> Sequence[tuple[str, list[tuple[str, str]]]]:
    """The options by heading, those without one first."""
    sections: dict[str, list[tuple[str, str]]] = {GroupedOption.heading: []}
    for parameter in parameters:
        row = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
        if row:
            title = parameter.heading if isinstance(parameter, GroupedOption) else GroupedOption.heading
            sections.setdefault(title, []).append(row)
    return [(title, rows) for title, rows in sections.items() if rows]


class HelpCommand(click.Command):
    """A verb with a help page. ``words`` are verbs of their own where they stand right after it: ``fit`` of ``check fit``."""

    page = HelpPage()
    words: HelpGroup | None = None

    def add_word(self, name: str, command: click.Command) -> None:
        """Let ``name``, right after this verb, be a verb of its own."""
        self.words = self.words or HelpGroup(self.name)
        self.words.add_command(command, name)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if self.words and args and args[0] in self.words.commands:
            return self.words.make_context(info_name, args, parent, **extra)
        return super().make_context(info_name, args, parent, **extra)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.page.write(self, ctx, formatter)


class HelpGroup(click.Group):
    """A group of verbs with a help page."""

    page = HelpPage()

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.page.write(self, ctx, formatter)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        verbs = self.list_commands(ctx)
        if args and args[0] not in verbs and not args[0].startswith("-"):
            from cluster_forge.foundation.names import did_you_mean

            raise click.UsageError(f"unknown verb {args[0]!r}{did_you_mean(args[0], verbs)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(name, command.short_help or "") for name, command in self._verbs(ctx)])

    def _verbs(self, context: click.Context) -> list[tuple[str, click.Command]]:
        commands = [(name, self.get_command(context, name)) for name in self.list_commands(context)]
        return [(name, command) for name, command in commands if command]


def words_of(command: click.Command) -> HelpGroup | None:
    """The verbs of their own that a verb has beside what it does without them."""
    return command.words if isinstance(command, HelpCommand) else None


def add_word(command: click.Command, name: str, word: click.Command) -> None:
    """Let ``name``, right after a verb, be a verb of its own."""
    assert isinstance(command, HelpCommand)
    command.add_word(name, word)


def describe(command: click.Command, docstring: str) -> None:
    """Give a command the help page of a docstring, and its purpose where lists show it."""
    page = HelpPage.parse(docstring)
    assert isinstance(command, HelpCommand | HelpGroup)
    command.page = page
    command.short_help = page.purpose
    command.help = "\n\n".join((page.purpose, *page.paragraphs))


def group(name: str, docstring: str) -> HelpGroup:
    """A group of verbs below a verb: ``catalog`` of ``catalog list``."""
    command = HelpGroup(name, subcommand_metavar="VERB [OPTION]... [NAME]...", options_metavar="")
    describe(command, docstring)
    return command
