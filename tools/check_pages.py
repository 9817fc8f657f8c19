"""The pages about findings in docs/checks: runs their examples, and writes the findings that they show.

Run: python tools/check_pages.py [--check] [PAGE]...        (needs the package; a test runs it, too)

A section ``## Example`` is a workspace: blocks with a ``title`` are its files, commands in ``console`` blocks are run, and a
``text`` block has the findings with the code of the page: those of the last command, or of `check` (`--deep` for codes
that it alone has) where there is none. After
the files of the ``## Mending`` that follows there is none any more. A page whose finding no workspace alone has says so in a
paragraph that begins with `WITHOUT`.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click

from cluster_forge.cli.app import run
from cluster_forge.cli.output.error_text import finding_text
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.stages.build.finding_policy import DEEP

PAGES: Final = Path(__file__).resolve().parents[1] / "docs" / "checks"
WITHOUT: Final = "No example:"
_BLOCK: Final = re.compile(r'^```(\w+)(?: title="([^"\n]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
_COMMAND: Final = re.compile(r"^\$ cluster-forge (.+)$", re.MULTILINE)


def main() -> int:
    named = [Path(argument).resolve() for argument in sys.argv[1:] if not argument.startswith("-")]
    problems = []
    for path in named or pages():
        text = path.read_text(encoding="utf-8")
        page = Page(code=path.stem, text=text)
        if "--check" not in sys.argv and page.shown != text:
            path.write_text(page.shown, encoding="utf-8")
            page = Page(code=path.stem, text=page.shown)
        problems += [f"{path.name}: {problem}" for problem in page.problems()]
    print("\n".join(problems))
    return 1 if problems else 0


def pages() -> list[Path]:
    """A page for each code."""
    return sorted(path for path in PAGES.glob("*.md") if path.name != "index.md")


@dataclass(kw_only=True)
class Page:
    """A page, and what its examples print: the ``text`` as it should be is `shown`, what is wrong in `problems`."""

    code: str
    text: str
    left: list[str] = field(default_factory=list)
    has_run: bool = False
    _shown: str = ""

    @property
    def has_example(self) -> bool:
        return not re.search(rf"^{WITHOUT} \S", self.text, re.MULTILINE)

    @property
    def shown(self) -> str:
        """The page with the findings that its examples have."""
        if not self.has_run:
            self.has_run = True
            self._shown = self._run() if self.has_example else self.text
        return self._shown

    def problems(self) -> Iterator[str]:
        if not self.text.startswith(f"# {self.code}\n"):
            yield f"its title is not `# {self.code}`"
        if self.has_example and "\n## Mending" not in self.text:
            yield "has no section Mending"
        shown = self.shown
        if shown != self.text:
            yield f"is not what is printed; run `python tools/check_pages.py docs/checks/{self.code}.md`"
        if self.has_example and f"[{self.code}]: " not in shown:
            yield "its example has no such finding"
        yield from self.left

    def _run(self) -> str:
        head, *sections = re.split(r"(?m)^(?=## )", self.text)
        example: Example | None = None
        with contextlib.ExitStack() as stack:
            for number, section in enumerate(sections):
                if section.startswith("## Example"):
                    example = Example(code=self.code, folder=Path(stack.enter_context(tempfile.TemporaryDirectory())))
                    sections[number] = example.shown(section)
                elif section.startswith("## Mending") and example:
                    example.write(section)
                    if example.findings():
                        self.left.append(f"after the mending there is still:\n{example.findings()}")
        return head + "".join(sections)


@dataclass(kw_only=True)
class Example:
    """A workspace, and the command that prints the findings; None: `check`."""

    code: str
    folder: Path
    command: str | None = None
    printed: str = ""

    def shown(self, section: str) -> str:
        """The section with the findings in its ``text`` blocks."""

        def follow(block: re.Match[str]) -> str:
            language, title, content = block.groups()
            if title:
                self._write(title, content)
            elif language == "console":
                self._run_all(content)
            elif language == "text":
                return f"```text\n{self._last()}```"
            return block[0]

        return _BLOCK.sub(follow, section)

    def write(self, section: str) -> None:
        """Write the files of a section, and run its commands, or else the last one again."""
        commands = []
        for language, title, content in _BLOCK.findall(section):
            if title:
                self._write(title, content)
            elif language == "console":
                commands += self._run_all(content)
        if self.command and not commands:
            self._run(self.command)

    def findings(self) -> str:
        """The findings with the code, as they are printed."""
        return self._last()

    def _last(self) -> str:
        if self.command is None:
            return self._checked()
        lines = self.printed.splitlines()
        first = re.compile(rf"(error|warning|notice)\[{self.code}\]: ")
        kept: list[str] = []
        is_in = False
        for line in lines:
            is_in = bool(first.match(line)) or (is_in and line.startswith("  "))
            kept += [line] if is_in else []
        return "".join(f"{line}\n" for line in kept)

    def _checked(self) -> str:
        deep = ["--deep"] if self.code in DEEP else []
        printed = _run(self.folder, ["check", *deep, "--only", self.code, "--format", "json", "--jobs", "1"])[0]
        document = json.loads(printed)
        if "findings" not in document:
            return printed
        return "".join(f"{click.unstyle(finding_text(_read(finding)))}\n" for finding in document["findings"])

    def _run_all(self, content: str) -> list[str]:
        commands = _COMMAND.findall(content)
        for command in commands:
            self._run(command)
        return commands

    def _run(self, command: str) -> None:
        self.command = command
        self.printed = "".join(_run(self.folder, shlex.split(command)))

    def _write(self, title: str, content: str) -> None:
        path = self.folder / title
        if not content:
            path.unlink()
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def _read(finding: Mapping[str, str]) -> Finding:
    """A finding of the JSON document, as it is printed: with its object and field as one text."""
    component = finding.get("component")
    return Finding(
        code=finding["code"],
        severity=Severity(finding["severity"]),
        message=finding["message"],
        component=ComponentName(component) if component else None,
        where=finding.get("where", ""),
        field=" ".join(filter(None, (finding.get("object"), finding.get("field")))),
        fix=finding.get("fix", ""),
    )


def _run(folder: Path, arguments: list[str]) -> tuple[str, str]:
    """What a command line prints in a folder, without colors."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        run(arguments)
    return click.unstyle(out.getvalue()), click.unstyle(err.getvalue())


if __name__ == "__main__":
    sys.exit(main())
