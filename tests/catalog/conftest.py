"""A catalog in memory, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import dedent
from typing import Any

import pytest
import yaml

from cluster_forge.catalog.dependencies import StackCatalog
from cluster_forge.catalog.library import Library
from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.stack.input_files import InputFiles, ListFiles
from cluster_forge.stack.parse import ParsedDescription, parse_description
from cluster_forge.stack.selection import Selection


@dataclass
class MemoryFolder:
    """`library.Folder` of files by path."""

    files: dict[str, str] = field(default_factory=dict)

    def names(self) -> Sequence[str]:
        start = "components/"
        return sorted(path[len(start) : -len(".yaml")] for path in self.files if path.startswith(start))

    def read(self, path: str) -> bytes | None:
        return self.files[path].encode() if path in self.files else None

    def place(self, path: str) -> str:
        return path


class Shelf:
    """Builds a catalog, and reads descriptions with it."""

    def __init__(self) -> None:
        self.folder = MemoryFolder()
        self.capabilities: dict[str, Any] = {}
        self.collections: dict[str, Any] = {}
        self.distributions: dict[str, Any] = {}

    def component(self, name: str, **changes: Any) -> Shelf:
        """A component with a chart of its own name; ``with_`` in a wiring is its ``with``."""
        body: dict[str, Any] = {
            "apiVersion": "cluster-forge/v1",
            "kind": "Component",
            "name": name,
            "title": name.title(),
            "description": f"Does what {name} does.",
            "category": "core",
            "homepage": "https://example.com",
            "license": "Apache-2.0",
            "namespace": name,
            "podSecurity": "restricted",
            "helm": {"repository": "https://charts.example.com", "chart": name},
            "versions": [{"version": "1.0.0", "kubernetes": "1.25+"}],
        }
        self.folder.files[f"components/{name}.yaml"] = yaml.safe_dump({**body, **changes}, sort_keys=False)
        for capability in changes.get("provides", {}):
            self.capabilities.setdefault(capability, {"title": capability, "providers": []})["providers"].append(name)
        return self

    def collection(self, name: str, *members: str) -> Shelf:
        self.collections[name] = {"title": name, "description": "Some.", "members": list(members)}
        return self

    def distribution(self, version: str, *provides: str) -> Shelf:
        self.distributions[version] = {"title": version, "version": version, "provides": list(provides)}
        return self

    @property
    def library(self) -> Library:
        self.folder.files["capabilities.yaml"] = yaml.safe_dump(self.capabilities, sort_keys=False)
        self.folder.files["collections.yaml"] = yaml.safe_dump(self.collections, sort_keys=False)
        self.folder.files["distributions.yaml"] = yaml.safe_dump(self.distributions, sort_keys=False)
        return Library((self.folder,))

    def load(
        self,
        description: str,
        files: Mapping[str, str] | None = None,
        *,
        list_files: ListFiles | None = None,
        **options: Any,
    ) -> ParsedDescription:
        head = "apiVersion: cluster-forge/v1\nkind: Stack\nname: demo\n"
        there = {"input/config.yaml": head + dedent(description), **(files or {})}
        source = InputFiles(lambda path: there[path].encode() if path in there else None, list_files)
        return parse_description(source, Selection(**options), StackCatalog(self.library))

    def errors(self, description: str, **options: Any) -> list[str]:
        """The errors, as ``where: message``."""
        return self.errors_with(description, {}, **options)

    def errors_with(self, description: str, files: Mapping[str, str], **options: Any) -> list[str]:
        """The same of a description with more files."""
        try:
            self.load(description, files, **options)
        except (ForgeError, ExceptionGroup) as error:
            return [f"{leaf.where}: {leaf.message}" for leaf in leaves(error) if isinstance(leaf, ForgeError)]
        pytest.fail("nothing was wrong")


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()
