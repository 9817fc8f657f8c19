"""Workspaces in memory: files by their path, read and listed as `InputFiles` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.model import FindingPolicy, Stack
from cluster_forge.stack.parse import ParsedDescription, parse_description
from cluster_forge.stack.selection import Selection

HEAD = "apiVersion: cluster-forge/v1\nkind: Stack\nname: platform\n"


class Workspace:
    """``files`` are texts by their path in the workspace."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files

    def read(self, path: str) -> bytes | None:
        text = self.files.get(path)
        return None if text is None else text.encode()

    def list_files(self, path: str) -> Sequence[str] | None:
        return [file for file in self.files if file == path or file.startswith(f"{path}/")] or None

    def load(self, **selection: Any) -> ParsedDescription:
        return parse_description(InputFiles(self.read, self.list_files), Selection(**selection))

    def errors(self, **selection: Any) -> list[str]:
        """The errors, each as ``where: message``; fails if there is none."""
        return messages(lambda: self.load(**selection))


def messages(call: Callable[[], object]) -> list[str]:
    try:
        call()
    except (ForgeError, ExceptionGroup) as error:
        return [str(leaf) for leaf in leaves(error)]
    pytest.fail("no error was raised")


@pytest.fixture
def errors_of() -> Callable[[Callable[[], object]], list[str]]:
    return messages


@pytest.fixture
def native() -> Callable[..., Workspace]:
    """A workspace with a native description (its three first lines are there) and other files of ``input/``."""

    def make(description: str, files: Mapping[str, str] | None = None) -> Workspace:
        others = {f"input/{path}": dedent(text) for path, text in (files or {}).items()}
        return Workspace({"input/config.yaml": HEAD + dedent(description), **others})

    return make


@pytest.fixture
def legacy() -> Callable[..., Workspace]:
    """A workspace with a list in the legacy format and other files of ``input/``."""

    def make(description: str, files: Mapping[str, str] | None = None) -> Workspace:
        others = {f"input/{path}": dedent(text) for path, text in (files or {}).items()}
        return Workspace({"input/config.yaml": dedent(description), **others})

    return make


class OnDisk(Workspace):
    """A workspace whose ``input/`` is a folder somewhere."""

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        super().__init__(files)
        self._folder = folder

    def read(self, path: str) -> bytes | None:
        place = self._folder / path.removeprefix("input/")
        return super().read(path) or (place.read_bytes() if place.is_file() else None)

    def list_files(self, path: str) -> Sequence[str] | None:
        place = self._folder / path.removeprefix("input/")
        if place.is_file():
            return [path]
        return [str(file) for file in place.rglob("*") if file.is_file()] if place.is_dir() else None

    def replacing(self, description: str) -> OnDisk:
        return OnDisk(self._folder, {"input/config.yaml": description})


@pytest.fixture
def on_disk() -> Callable[[Path], OnDisk]:
    return lambda folder: OnDisk(folder, {})


@pytest.fixture
def placeless() -> Callable[[Stack], Stack]:
    """A stack without the places that it was described at."""

    def strip(stack: Stack) -> Stack:
        return replace(
            stack,
            components=tuple(replace(component, where="") for component in stack.components),
            finding_policy=FindingPolicy(
                ignores=tuple(replace(ignore, where="") for ignore in stack.finding_policy.ignores),
                errors=dict.fromkeys(stack.finding_policy.errors, ""),
            ),
        )

    return strip
