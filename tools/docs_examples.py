"""Run the examples of documentation pages, and compare what the pages show with what the commands print.

Run: python tools/docs_examples.py [--renew] [--cluster] [--mirror DIR] [--cache DIR] PAGE…        (needs the package; a test runs it)

In a ``console`` block the lines after ``$`` are run, in order, by a shell that starts in an empty folder; `cd` lasts.
The lines shown below a command must be its output, but for empty lines, numbers and digests (``--renew`` updates those): a line
``…`` stands for any lines, a ``…`` in a line for its rest. A command must succeed, unless the page shows an error (a line that begins with ``error``);
`diff`, `status` and `check` may have exit code 1.
A YAML block with a title is a file: it is written there. A text block with a title is the tree of that folder: it must be
what the commands before it have written (`docs_trees`).

A ``console`` block with the title "On a cluster" is run with ``--cluster`` only: KUBECONFIG must name one for tests.

Each page has a folder of its own. All pages share the store, and several run at a time, so a page must not show whether a
chart was rendered before. ``--mirror`` makes the verbs that fetch take everything from that folder, offline, so that a
page can show commands as a user with a network types them. ``--cache`` keeps the store for later runs.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import click
from tools import docs_trees

from cluster_forge.cli.app import VERBS, cluster_forge
from cluster_forge.cli.help_page import words_of

_BLOCK: Final = re.compile(
    r'^```(console(?: title="On a cluster")?|(?:yaml|text) title="([^"]+)")\n(.*?)^```$', re.MULTILINE | re.DOTALL
)
_VARIES: Final = re.compile(r"\b[0-9a-f]{12,}\b|\d+")
_INSTEAD: Final = {
    "make forge": "mkdir -p build/starter && cluster-forge -C build/starter init --yes >/dev/null"
    " && cluster-forge -C build/starter forge --offline"
}
"""What is run for a command that needs the project's own folder."""
GAP: Final = "…"
"""A line of a page that stands for any lines, also for none."""
_COMPARES: Final = re.compile(
    r"^cluster-forge (?:-C \S+ )?(?:(?:customize )?(?:diff|status)\b|check\b|config show .*--diff )"
)
"""These have exit code 1 where something differs, is not healthy, or is an error of the stack."""


@dataclass(slots=True)
class Example:
    """A command of a page: the lines shown below it, with `GAP` for others, its exit code and output, and how these differ."""

    command: str
    shown: list[str]
    code: int = 0
    output: str = ""
    problems: list[str] = field(default_factory=list)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Run the examples of pages.")
    parser.add_argument("--renew", action="store_true", help="update numbers and digests")
    parser.add_argument("--cluster", action="store_true", help="run what needs a cluster, too")
    parser.add_argument("--mirror", type=Path, metavar="DIR", help="fetch from here, offline")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep the store in DIR/cluster-forge")
    parser.add_argument("pages", nargs="+", type=Path, metavar="PAGE")
    options = parser.parse_args(arguments)
    failed = 0
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(os.cpu_count()) as pool:
        settings = environment(options.cache or Path(temporary), options.mirror)
        pages: list[Path] = options.pages
        for page, examples in zip(
            pages, pool.map(lambda page: list(run(page, settings, is_on_cluster=options.cluster)), pages), strict=True
        ):
            if options.renew:
                page.write_text(renewed(page.read_text(encoding="utf-8"), examples), encoding="utf-8")
            failed += sum(bool(example.problems) for example in examples)
            report(page, examples)
    return 1 if failed else 0


def report(page: Path, examples: list[Example]) -> None:
    for example in examples:
        for problem in example.problems:
            print(f"{page.name}: $ {example.command}\n    {problem}")
    print(f"{page.name}: {len(examples)} commands")


def environment(cache: Path, mirror: Path | None) -> dict[str, str]:
    """The environment of the commands: none of the user's settings, a store, and the mirror for each verb that takes one."""
    settings = {key: value for key, value in os.environ.items() if not key.startswith("CLUSTER_FORGE_")}
    settings |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "XDG_CACHE_HOME": str(cache),
        "NO_COLOR": "1",
        "LC_ALL": "C.UTF-8",
    }
    if mirror:
        for verb in _fetching():
            settings[f"CLUSTER_FORGE_{verb}_MIRROR"] = str(mirror.resolve(strict=True))
            settings[f"CLUSTER_FORGE_{verb}_OFFLINE"] = "1"
            settings[f"CLUSTER_FORGE_{verb}_JOBS"] = "1"  # several pages at a time keep the cores busy
    return settings


def run(page: Path, settings: Mapping[str, str], *, is_on_cluster: bool = False) -> Iterator[Example]:
    """Run the page's commands one after the other; ``is_on_cluster``: those that need a cluster, too."""
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        for block in _BLOCK.finditer(page.read_text(encoding="utf-8")):
            title, content = block[2], block[3]
            if block[1].startswith("console title") and not is_on_cluster:
                continue
            if title and block[1].startswith("text"):
                yield Example(f"tree {title}", [], problems=list(docs_trees.problems(content, folder / title)))
                continue
            if title:
                (folder / title).parent.mkdir(parents=True, exist_ok=True)
                (folder / title).write_text(content, encoding="utf-8")
                continue
            for example in _examples(content):
                if example.command.startswith("cd "):
                    folder = folder / example.command.removeprefix("cd ").strip()
                else:
                    _run(example, folder, settings)
                yield example


def renewed(text: str, examples: list[Example]) -> str:
    """The page with the numbers and digests that the commands print now."""
    for example in examples:
        lines = example.output.splitlines()
        present = {_masked(line): line for line in lines} | {line: line for line in lines}
        for line in example.shown:
            text = text.replace(f"\n{line}\n", f"\n{present.get(line) or present.get(_masked(line), line)}\n")
    return text


def _examples(block: str) -> Iterator[Example]:
    current: Example | None = None
    for line in block.splitlines():
        if line.startswith("$ "):
            if current:
                yield current
            current = Example(command=line[2:].partition("  #")[0].strip(), shown=[])
        elif current and line.strip():
            current.shown.append(line)
    if current:
        yield current


def _fetching() -> Iterator[str]:
    """The verbs that have the option ``--mirror``, as their variables begin: ``FORGE``, ``CATALOG_TEST``."""
    context = click.Context(cluster_forge)
    for verb in VERBS:
        command = cluster_forge.get_command(context, verb)
        words = words_of(command) if command else None
        subcommands = (
            command.commands if isinstance(command, click.Group) else {"": command, **(words.commands if words else {})}
        )
        for name, subcommand in subcommands.items():
            if subcommand and any(option.name == "mirror" for option in subcommand.params):
                yield "_".join(filter(None, (verb, name))).upper()


def _run(example: Example, folder: Path, settings: Mapping[str, str]) -> None:
    finished = subprocess.run(
        ["sh", "-c", _INSTEAD.get(example.command, example.command)],
        cwd=folder,
        env=dict(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    example.code, example.output = finished.returncode, finished.stdout
    should_fail = any(line.startswith("error") for line in example.shown)
    if should_fail != bool(example.code) and not (example.code == 1 and _COMPARES.search(example.command)):
        example.problems.append(f"exit code {example.code}: {example.output}")
    example.problems += differences(example.shown, example.output)


def differences(shown: Sequence[str], output: str) -> Iterator[str]:
    """How a page differs from what its command prints: lines that are not there, and lines left out without a `GAP`.

    A page that shows nothing promises nothing.
    """
    printed = [_masked(line) for line in output.splitlines() if line.strip()]
    at, is_gap = 0, not shown
    for line in shown:
        if line.strip() == GAP:
            is_gap = True
            continue
        found = next((place for place in range(at, len(printed)) if _is_shown(line, printed[place])), None)
        if found is None:
            elsewhere = any(_is_shown(line, text) for text in printed)
            yield f"prints before: {line}" if elsewhere else f"does not print: {line}"
            continue
        if found > at and not is_gap:
            yield f"prints {printed[at]!r} before: {line}"
        at, is_gap = found + 1, False
    if at < len(printed) and not is_gap:
        yield f"prints at the end: {printed[at]}"


def _is_shown(line: str, printed: str) -> bool:
    start, ellipsis, _ = _masked(line).partition(GAP)
    return printed.startswith(start) if ellipsis else start == printed


def _masked(line: str) -> str:
    return _VARIES.sub("#", line.rstrip())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
