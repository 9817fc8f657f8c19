"""The candidates for TAB: click's verbs, options and choices, and the names of the workspace, which are not validated.

It runs at every TAB: it is quick, writes nothing, takes no lock, and never prints an error.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import (
    CompletionItem,
    ShellComplete,
    _resolve_context,
    _resolve_incomplete,
    split_arg_string,
)

if TYPE_CHECKING:
    from cluster_forge.stack.name_scan import Names

VARIABLE: Final = "_CLUSTER_FORGE_COMPLETE"
_LINE: Final = "COMP_WORDS"
_SAFE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
"""A name that is safe on a command line without quotes: a description may be written by others."""
_SAFE_OBJECT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/~-]*\Z")
"""An object or its path: without colons, at which bash begins another word."""

Item = CompletionItem[str]
Candidates = Callable[[click.Context], Iterator[Item]]


def print_candidates() -> int:
    """Print the candidates for the line that the shell gives; the exit code is always 0."""
    try:
        from cluster_forge.cli.app import cluster_forge

        sys.stdout.write(Completion(cluster_forge, {}, "cluster-forge", VARIABLE).complete())
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt):  # noqa: BLE001 - a message would appear in the middle of the user's line
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 0


class Completion(ShellComplete):
    """One TAB. The output has a line for each candidate: kind (plain, file, dir), value and help, separated by tabs."""

    name = "cluster-forge"

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the cursor's, and the beginning of that one."""
        *words, last = split_arg_string(os.environ[_LINE] + "_")
        return words[1:], last[:-1]

    def get_completions(self, args: list[str], incomplete: str) -> list[Item]:
        context = _resolve_context(self.cli, self.ctx_args, self.prog_name, args)
        target, incomplete = _resolve_incomplete(context, args, incomplete)
        candidates = _candidates_for(target, context) if isinstance(target, click.Parameter) else None
        if candidates:
            return [item for item in candidates(context) if item.type != "plain" or item.value.startswith(incomplete)]
        if target is self.cli and not incomplete.startswith("-"):
            return [item for item in _verbs(context) if item.value.startswith(incomplete)]
        return target.shell_complete(context, incomplete)

    def format_completion(self, item: Item) -> str:
        return "\t".join((item.type, item.value, _one_line(item.help or "")))

    def complete(self) -> str:
        return "".join(f"{line}\n" for line in super().complete().splitlines())


def _one_line(text: str) -> str:
    from cluster_forge.cli.output.terminal_text import one_line

    return one_line(text) if text else ""


def _candidates_for(parameter: click.Parameter, context: click.Context) -> Candidates | None:
    """By the name of a parameter, else by what its metavar says that it takes."""
    if parameter.name == "names" and context.command_path.split()[-2:-1] == ["customize"]:
        return _edits
    return _BY_NAME.get(parameter.name or "") or _BY_METAVAR.get((parameter.metavar or "").strip("[]"))


def _verbs(_: click.Context) -> Iterator[Item]:
    from cluster_forge.cli.app import VERBS

    return (CompletionItem(verb, help=summary) for verb, summary in VERBS.items())


def _topics(context: click.Context) -> Iterator[Item]:
    yield CompletionItem("errors", help="The exit codes.")
    yield from _verbs(context)


def _names(context: click.Context) -> Iterator[Item]:
    """Components and collections of the stack, without those that the line has already."""
    from cluster_forge.cli.prompts.labels import component

    resolved = _description(context).resolved
    typed = {*(context.params.get("names") or ()), *(context.params.get("skip") or ())}
    items = [CompletionItem(name, help=component(resolved.known[name].merged)) for name in resolved.stack]
    items += [
        CompletionItem(name, help=f"collection of {len(members)}")
        for name, members in resolved.collections.items()
        if members and set(members) <= set(resolved.stack)
    ]
    return (item for item in items if item.value not in typed and _SAFE.match(item.value))


def _edits(context: click.Context) -> Iterator[Item]:
    """The edited objects, and the components; after ``--saved`` the components and the saved files."""
    from cluster_forge.cli.completion import objects
    from cluster_forge.stack.input_files import INPUT

    workspace = _workspace(context)
    typed = context.params.get("names") or ()
    if context.params.get("saved"):
        files = sorted(file for kind in ("patches", "objects") for file in (workspace / INPUT).glob(f"*/{kind}/*"))
        edits = [str(file.relative_to(workspace)) for file in files]
    else:
        edits = list(objects.edited(workspace))
    yield from (CompletionItem(edit) for edit in edits if edit not in typed and _SAFE_OBJECT.match(edit))
    yield from _names(context)


def _objects(context: click.Context) -> Iterator[Item]:
    """The objects that can be explained, and the other words after the verb."""
    from cluster_forge.cli.completion import objects
    from cluster_forge.cli.help_page import words_of

    words = words_of(context.command)
    yield from _plain(words.commands if words else ())
    names = sorted(set(objects.smelted(_workspace(context))))
    yield from (CompletionItem(name) for name in names if _SAFE_OBJECT.match(name))


def _stacks(context: click.Context) -> Iterator[Item]:
    """The stacks that were cast."""
    return _plain(sorted(path.parent.name for path in (_workspace(context) / "stacks").glob("*/stack.json")))


def _environments(context: click.Context) -> Iterator[Item]:
    return _plain(_description(context).environments)


def _codes(_: click.Context) -> Iterator[Item]:
    from cluster_forge.manifests.finding import CODES

    return _plain(sorted(CODES))


def _option_files(context: click.Context) -> Iterator[Item]:
    yield from _plain(sorted(path.stem for path in (_workspace(context) / "options").glob("*.yaml")))
    yield CompletionItem("", type="file")


def _selections(context: click.Context) -> Iterator[Item]:
    yield from _plain(sorted(path.name for path in (_workspace(context) / "input").glob("*.yaml")))
    yield CompletionItem("", type="file")


def _components_to_start_with(_: click.Context) -> Iterator[Item]:
    from cluster_forge.catalog import starter
    from cluster_forge.catalog.name_index import NameIndex

    return _plain(dict.fromkeys((*starter.names().components, *NameIndex().names())))


def _collections_to_start_with(_: click.Context) -> Iterator[Item]:
    from cluster_forge.catalog import starter
    from cluster_forge.catalog.name_index import NameIndex

    return _plain(dict.fromkeys((*starter.names().resolved.collections, *NameIndex().collections())))


def _catalog_names(_: click.Context) -> Iterator[Item]:
    from cluster_forge.catalog.name_index import NameIndex

    catalog = NameIndex()
    return _plain((*catalog.names(), *catalog.collections()))


def _files(_: click.Context) -> Iterator[Item]:
    yield CompletionItem("", type="file")


def _folders(_: click.Context) -> Iterator[Item]:
    yield CompletionItem("", type="dir")


def _plain(values: Iterable[str]) -> Iterator[Item]:
    return (CompletionItem(value) for value in values if _SAFE.match(value))


def _workspace(context: click.Context) -> Path:
    """The folder after ``-C``; the shell has not expanded it yet."""
    return Path(os.path.expandvars(context.find_root().params.get("workspace") or ".")).expanduser()


def _description(context: click.Context) -> Names:
    from cluster_forge.catalog.name_index import NameIndex
    from cluster_forge.stack import name_scan

    workspace = _workspace(context)

    def read(path: str) -> bytes | None:
        file = workspace / path
        return file.read_bytes() if file.is_file() else None

    return name_scan.read(read, context.params.get("environment"), catalog=NameIndex())


_BY_NAME: Final[dict[str, Candidates]] = {
    "names": _names,
    "skip": _names,
    "select": _selections,
    "environment": _environments,
    "allow": _codes,
    "options": _option_files,
    "components": _components_to_start_with,
    "collections": _collections_to_start_with,
    "name": _catalog_names,
    "stack": _stacks,
    "stacks": _stacks,
    "topic": _topics,
    "what": _objects,
}
_BY_METAVAR: Final[dict[str, Candidates]] = {"FILE": _files, "DIR": _folders, "WORKSPACE": _folders}
