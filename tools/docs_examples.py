"""Runs the examples of a page of the documentation, and sees whether what the page shows still comes out.

Run: python tools/docs_examples.py [--renew] [--mirror DIR] PAGE…        (needs the package; a test runs it)

In a ``console`` block the lines after ``$`` are run, in order, by a shell that begins in an empty folder; `cd` lasts.
Each line shown below a command has to be in its output, numbers and digests apart (``--renew`` writes those anew), and
``…`` stands for anything. A command must succeed, unless the page shows an error (a line that begins with ``error``).
A YAML block with a title is a file: it is written there.

Every page has a folder of its own; the store is one for all of them, and several pages run at once. What a page shows
must not depend on whether another one has rendered a chart before. ``--mirror`` lets the verbs that fetch take
everything from that folder, offline, so that a page may show commands as a user with a network types them.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click

from cluster_forge.cli.app import VERBS, cluster_forge

_BLOCK: Final = re.compile(r'^```(console|yaml title="([^"]+)")\n(.*?)^```$', re.MULTILINE | re.DOTALL)
_VARIES: Final = re.compile(r"\b[0-9a-f]{12,}\b|\d+")
_INSTEAD: Final = {
    "make forge": "mkdir -p build/starter && cluster-forge -C build/starter init --yes >/dev/null"
    " && cluster-forge -C build/starter forge --offline"
}
"""What stands for a command that needs the project's own folder."""


@dataclass(slots=True)
class Run:
    """One command: what the page shows below it, what came out, and what is wrong with that."""

    command: str
    shown: list[str]
    code: int = 0
    output: str = ""
    faults: list[str] = field(default_factory=list)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Run the examples of pages.")
    parser.add_argument("--renew", action="store_true", help="write numbers and digests anew")
    parser.add_argument("--mirror", type=Path, metavar="DIR", help="fetch from here, offline")
    parser.add_argument("pages", nargs="+", type=Path, metavar="PAGE")
    asked = parser.parse_args(arguments)
    broken = 0
    with tempfile.TemporaryDirectory() as store, ThreadPoolExecutor(os.cpu_count()) as several:
        settings = environment(Path(store), asked.mirror)
        for page, runs in zip(
            asked.pages, several.map(lambda page: list(run(page, settings)), asked.pages), strict=True
        ):
            if asked.renew:
                page.write_text(renewed(page.read_text(encoding="utf-8"), runs), encoding="utf-8")
            for each in runs:
                broken += bool(each.faults)
                for fault in each.faults:
                    print(f"{page.name}: $ {each.command}\n    {fault}")
            print(f"{page.name}: {len(runs)} commands")
    return 1 if broken else 0


def environment(store: Path, mirror: Path | None) -> dict[str, str]:
    """What the commands see: nothing of the user's own settings, a store, and the mirror for every verb that takes one."""
    settings = {key: value for key, value in os.environ.items() if not key.startswith("CLUSTER_FORGE_")}
    settings |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "XDG_CACHE_HOME": str(store),
        "NO_COLOR": "1",
        "LC_ALL": "C.UTF-8",
    }
    if mirror:
        for verb in _fetching():
            settings[f"CLUSTER_FORGE_{verb}_MIRROR"] = str(mirror.resolve(strict=True))
            settings[f"CLUSTER_FORGE_{verb}_OFFLINE"] = "1"
            settings[f"CLUSTER_FORGE_{verb}_JOBS"] = "1"  # several pages keep the cores busy as it is
    return settings


def run(page: Path, settings: Mapping[str, str]) -> Iterator[Run]:
    """Run the page's commands one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        for block in _BLOCK.finditer(page.read_text(encoding="utf-8")):
            title, content = block[2], block[3]
            if title:
                (here / title).parent.mkdir(parents=True, exist_ok=True)
                (here / title).write_text(content, encoding="utf-8")
                continue
            for each in _commands(content):
                if each.command.startswith("cd "):
                    here = here / each.command.removeprefix("cd ").strip()
                else:
                    _do(each, here, settings)
                yield each


def renewed(text: str, runs: list[Run]) -> str:
    """The page with the numbers and digests that came out now."""
    for each in runs:
        lines = each.output.splitlines()
        now = {_masked(line): line for line in lines} | {line: line for line in lines}
        for line in each.shown:
            text = text.replace(f"\n{line}\n", f"\n{now.get(line) or now.get(_masked(line), line)}\n")
    return text


def _commands(block: str) -> Iterator[Run]:
    current: Run | None = None
    for line in block.splitlines():
        if line.startswith("$ "):
            if current:
                yield current
            current = Run(command=line[2:].partition("  #")[0].strip(), shown=[])
        elif current and line.strip() and line.strip() != "…":
            current.shown.append(line)
    if current:
        yield current


def _fetching() -> Iterator[str]:
    """The verbs that have the option ``--mirror``, as their variables begin: ``FORGE``, ``CATALOG_TEST``."""
    context = click.Context(cluster_forge)
    for verb in VERBS:
        command = cluster_forge.get_command(context, verb)
        inner = command.commands if isinstance(command, click.Group) else {"": command}
        for name, each in inner.items():
            if each and any(option.name == "mirror" for option in each.params):
                yield "_".join(filter(None, (verb, name))).upper()


def _do(each: Run, folder: Path, settings: Mapping[str, str]) -> None:
    done = subprocess.run(
        ["sh", "-c", _INSTEAD.get(each.command, each.command)],
        cwd=folder,
        env=dict(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    each.code, each.output = done.returncode, done.stdout
    fails = any(line.startswith("error") for line in each.shown)
    if fails != bool(each.code):
        each.faults.append(f"exit code {each.code}: {each.output}")
    found = {_masked(line) for line in each.output.splitlines()}
    each.faults += [f"does not print: {line}" for line in each.shown if not _is_in(line, found)]


def _is_in(line: str, found: set[str]) -> bool:
    start, cut, _ = _masked(line).partition("…")
    return any(each.startswith(start) for each in found) if cut else _masked(line) in found


def _masked(line: str) -> str:
    return _VARIES.sub("#", line.rstrip())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
