"""Workspaces with the real charts and descriptions of ``../shared``, forged once for all tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests import shared_store
from tests.corpus.catalog_trials import trials

from cluster_forge.adapters.rendering.caching import CachingRenderer
from cluster_forge.catalog.dependencies import StackCatalog
from cluster_forge.catalog.library import packaged
from cluster_forge.catalog.new_description import new_stack
from cluster_forge.composition import Services, Settings, services, workspace_files
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.ports.rendering import Renderer
from cluster_forge.service_options import MirrorOptions, NetworkOptions, StoreOptions
from cluster_forge.stack.component import Component
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import KubernetesVersion, Size, Stack, Target
from cluster_forge.stack.parse import ParsedDescription, parse_description
from cluster_forge.stack.selection import Selection
from cluster_forge.stages.build.mine import MineRequest, mine
from cluster_forge.stages.build.rendering.rendered_component import RenderedComponent
from cluster_forge.stages.build.smelt import SmeltRequest, SmeltResult, smelt
from cluster_forge.stages.catalog.trial_stack import TrialStacks


class Silent:
    """`ports.Reporter` that reports nothing."""

    def stage_started(self, stage: str, total: int) -> None: ...
    def item_started(self, stage: str, item: str) -> None: ...
    def item_finished(self, stage: str, item: str, detail: str = "", **facts: str | float | bool) -> None: ...
    def stage_finished(self, stage: str, summary: str) -> None: ...
    def finding_reported(self, finding: Finding) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Forged:
    """A forged workspace, and the results of the stages."""

    folder: Path
    stack: Stack
    contents: Mapping[ComponentName, RenderedComponent]
    smelted: SmeltResult

    def component(self, name: str) -> Component:
        return self.stack.component(name)

    @property
    def manifests(self) -> list[Manifest]:
        """The objects of all parts, each with its component and file."""
        return [
            Manifest.of(known.body, Provenance(component=part.name, origin=known.path))
            for part in self.smelted.record.parts
            for known in part.objects
        ]

    def text(self, path: str) -> str:
        """A file of ``working/``."""
        return (self.folder / "working" / path).read_text()


class Workspaces:
    """Workspaces that share a store: what was rendered for one is not rendered again for the next, nor for another process's."""

    def __init__(self, folder: Path, shared: Path) -> None:
        self._folder = folder
        self._shared = shared
        self._number = 0

    def make(self, source: str, edit: Callable[[str], str] = lambda text: text) -> Path:
        """A workspace whose ``input/`` is that of ``source`` (below ``../shared``), its description edited."""
        self._number += 1
        folder = self._folder / f"workspace{self._number}"
        given = self._shared / source
        folder.mkdir()
        if (given / "input").is_dir():
            shutil.copytree(given / "input", folder / "input", copy_function=shutil.copyfile)
        else:
            shutil.copytree(given, folder / "input", copy_function=shutil.copyfile)
        for path in (folder, *filter(Path.is_dir, folder.rglob("*"))):
            path.chmod(0o755)
        description = folder / "input" / "config.yaml"
        description.write_text(edit(description.read_text()))
        return folder

    def begin(self, *names: str, size: str = "small", minor: int = 33, domain: str = "") -> Path:
        """A workspace with a stack of the catalog's components and collections, as `init` writes it."""
        self._number += 1
        folder = self._folder / f"workspace{self._number}"
        (folder / "input").mkdir(parents=True)
        target = Target(kubernetes=KubernetesVersion(1, minor), size=Size(size), domain=domain)
        text = new_stack(packaged(), "platform", names, target).text
        (folder / "input" / "config.yaml").write_text(text)
        return folder

    def services(self, folder: Path) -> Services:
        settings = Settings(
            workspace=folder,
            store=StoreOptions(store=str(shared_store.root())),
            mirrors=MirrorOptions(mirror=(str(self._shared / "mirror"),)),
            network=NetworkOptions(offline=True),
            jobs=2,
        )
        return services(settings)

    def load(self, folder: Path, **options: Any) -> ParsedDescription:
        files = workspace_files(folder)
        return parse_description(InputFiles(files.read, files.list_files), Selection(**options))

    def forge(
        self, folder: Path, *, allow: Sequence[str] = (), renderer: Renderer | None = None, **options: Any
    ) -> Forged:
        """Mine and smelt, as `forge` does; with ``renderer`` that renders, instead of processes that must start first."""
        with self.services(folder) as shop:
            toolbox = (
                replace(shop.toolbox, renderer=CachingRenderer(renderer, shop.toolbox.cache))
                if renderer
                else shop.toolbox
            )
            catalog = StackCatalog(packaged())
            files = InputFiles(shop.files.read, shop.files.list_files)
            stack = parse_description(files, Selection(**options), catalog).stack
            request = MineRequest(stack=stack, lock=Lock(), whole=True, upstream=False)
            mined = mine(request, toolbox, shop.sources, Silent())
            assert mined.rendered is not None
            smelted = smelt(
                SmeltRequest(
                    stack=stack,
                    sources=mined.sources,
                    lock=mined.lock,
                    rendered=mined.rendered,
                    allow=frozenset(allow),
                    discard_edits=True,
                    ignore_cache=True,
                ),
                toolbox,
                Silent(),
            )
        return Forged(folder=folder, stack=stack, contents=mined.rendered, smelted=smelted)


@pytest.fixture(scope="session")
def workspaces(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Workspaces:
    return Workspaces(tmp_path_factory.mktemp("corpus"), corpus)


@pytest.fixture(scope="session")
def everything(workspaces: Workspaces) -> Forged:
    return workspaces.forge(workspaces.make("stacks/everything"))


@pytest.fixture(scope="session")
def prd(workspaces: Workspaces) -> Forged:
    return workspaces.forge(workspaces.make("stacks/prd"))


@pytest.fixture(scope="session")
def small_stacks(corpus: Path) -> TrialStacks:
    return TrialStacks(trials(corpus, shared_store.path()))
