"""A harness in memory: real engine and reader, and fakes of the other ports that meet their contracts."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO, TypeVar

import pytest
from tests.archives import archive

from cluster_forge.adapters.helm.sdk import HelmSdk
from cluster_forge.adapters.kustomize.program import KustomizeProgram
from cluster_forge.adapters.plugins.allowed_functions import AllowedFunctions
from cluster_forge.adapters.plugins.functions import FunctionPrograms
from cluster_forge.adapters.plugins.process import Limits
from cluster_forge.adapters.plugins.python_plugins import InstalledPlugins
from cluster_forge.adapters.rendering.in_process import InProcessRenderer
from cluster_forge.adapters.storage.cache import NoCache
from cluster_forge.adapters.yaml.fast import FastYaml
from cluster_forge.adapters.yaml.go import GoYaml
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.foundation import tree_archives
from cluster_forge.foundation.chart_archives import ChartArchive
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.error_groups import gathered, leaves
from cluster_forge.foundation.errors import DescriptionError, FetchError, ForgeError, LockError, WorkspaceError
from cluster_forge.foundation.file_tree import FileTree, TreeDigests
from cluster_forge.foundation.git_addresses import GitAddress
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding
from cluster_forge.oci.artifact_address import ArtifactAddress
from cluster_forge.oci.reference import ImageReference
from cluster_forge.ports.kustomize import Kustomize
from cluster_forge.ports.rendering import HelmEngine, RenderedBatch, RenderedChart, Renderer, RenderJob, RenderRequest
from cluster_forge.ports.workers import Queue
from cluster_forge.stack import lock_file
from cluster_forge.stack.chart_dependencies import ChartDependency
from cluster_forge.stack.component import Component, HelmSource, KustomizeSource
from cluster_forge.stack.lock import Lock, LockedSource, chart_address, kustomization_address, manifest_address
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build import input_fingerprint, locking, working_tree
from cluster_forge.stages.build.hand_edits import edited_objects
from cluster_forge.stages.build.mine import MineRequest, MineResult, mine
from cluster_forge.stages.build.smelt import SmeltRequest, SmeltResult, smelt
from cluster_forge.stages.build.working_tree import WorkingTree
from cluster_forge.stages.toolbox import Toolbox

Item = TypeVar("Item")
Result = TypeVar("Result")
REPOSITORY = "https://charts.example.com"


class MemoryStore:
    """`ports.Store` in a dict; tests may damage its `entries`."""

    def __init__(self) -> None:
        self.entries: dict[Digest, bytes] = {}

    def get(self, digest: Digest) -> bytes | None:
        content = self.entries.get(digest)
        if content is not None and Digest.of(content) != digest:
            del self.entries[digest]
            return None
        return content

    def put(self, content: bytes) -> Digest:
        digest = Digest.of(content)
        self.entries[digest] = content
        return digest


class MemoryCache:
    """`ports.Cache` in a dict; tests may empty its `entries`."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, Digest], bytes] = {}

    def get(self, kind: str, key: Digest) -> bytes | None:
        return self.entries.get((kind, key))

    def put(self, kind: str, key: Digest, content: bytes) -> None:
        self.entries[kind, key] = content


class MemoryFiles:
    """`ports.Workspace` and `ports.FolderReader` in a dict: file contents by their path in the workspace."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.writes = 0

    def read(self, path: str) -> bytes | None:
        return self.files.get(_inside(path))

    def open(self, path: str) -> BinaryIO:
        return io.BytesIO(self.files[_inside(path)])

    def read_tree(self, folder: str) -> FileTree | None:
        start = f"{_inside(folder)}/"
        files = {path.removeprefix(start): content for path, content in self.files.items() if path.startswith(start)}
        shown = {
            path: content for path, content in files.items() if not any(p.startswith(".") for p in path.split("/"))
        }
        return FileTree(shown) if files else None

    def names(self, folder: str) -> Sequence[str]:
        start = f"{_inside(folder)}/"
        return sorted(path.removeprefix(start) for path in self.files if path.startswith(start))

    def write(self, path: str, content: bytes) -> None:
        self.files[_inside(path)] = content
        self.writes += 1

    def replace_trees(self, trees: Mapping[str, FileTree]) -> None:
        for folder, tree in trees.items():
            start = f"{_inside(folder)}/"
            for path in [path for path in self.files if path.startswith(start)]:
                del self.files[path]
            self.files.update({f"{start}{path}": content for path, content in tree.files.items()})
        self.writes += 1


class MemoryDigests:
    """`ports.FolderDigests` of `MemoryFiles`."""

    def __init__(self, files: MemoryFiles) -> None:
        self.files = files

    def of(self, folders: Sequence[str]) -> Mapping[str, TreeDigests]:
        trees = {folder: self.files.read_tree(folder) for folder in folders}
        return {folder: tree.digests for folder, tree in trees.items() if tree is not None}


class MemoryEdits:
    """`ports.KeptEdits` in a list: the files of each copy, and its listing."""

    def __init__(self) -> None:
        self.copies: list[tuple[FileTree, str]] = []

    def keep(self, files: FileTree, listing: str) -> str:
        self.copies.append((files, listing))
        return f".cluster-forge/discarded/{len(self.copies)}"


def _inside(path: str) -> str:
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts or path.startswith("/"):
        raise WorkspaceError(f"{path} lies outside of the workspace")
    return "/".join(parts)


class OneByOne:
    """`ports.Workers` and its `Queue`, one call after the other: each when its result is needed."""

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], *, weight: Callable[[Item], int] | None = None
    ) -> list[Result]:
        return gathered(self.add(function, items, weight=weight))

    def queue(self) -> AbstractContextManager[Queue]:
        return nullcontext(self)

    def add(
        self, function: Callable[[Item], Result], items: Iterable[Item], *, weight: Callable[[Item], int] | None = None
    ) -> list[Callable[[], Result]]:
        return [partial(function, item) for item in items]


class FakeSources:
    """`ports.Sources` with charts by name and version, folders by path, manifests by URL, and images by reference, each
    with its digest and its archive; `asked` lists what was fetched.

    Kustomizations are those in ``files``.
    """

    def __init__(self, store: MemoryStore, files: MemoryFiles, engine: HelmEngine) -> None:
        self._store = store
        self._files = files
        self._engine = engine
        self.charts: dict[tuple[str, str], bytes] = {}
        self.urls: dict[str, bytes] = {}
        self.images: dict[str, tuple[Digest, bytes]] = {}
        self.asked: list[str] = []

    def chart(self, source: HelmSource, locked: LockedSource | None) -> LockedSource:
        if source.is_local:
            return self._locked(source.chart, source.version, "", self.charts[source.chart, ""])
        if locked and self._store.get(locked.digest) is not None:
            return locked
        versions = [version for name, version in self.charts if name == source.chart]
        self.asked.append(source.chart)
        if not versions:
            raise FetchError(f"{source.repository} has no chart {source.chart!r}", fix="see the repository")
        version = locked.version if locked else self._engine.newest_in_range(source.version or "*", versions)
        if version is None:
            raise DescriptionError(f"no version of {source.chart} is in {source.version!r}")
        content = self.charts[source.chart, version]
        return self._locked(chart_address(source), source.version, version, content, locked)

    def kustomization(self, source: KustomizeSource) -> LockedSource:
        files = {path.removeprefix("input/"): self._files.files[path] for path in source.files}
        return self._locked(kustomization_address(source), "", "", tree_archives.packed(FileTree(files)))

    def manifest(self, url: str, locked: LockedSource | None) -> LockedSource:
        if locked and self._store.get(locked.digest) is not None:
            return locked
        self.asked.append(url)
        if url not in self.urls:
            raise FetchError(f"{url}: HTTP status 404")
        return self._locked(manifest_address(url), "", "", self.urls[url], locked)

    def dependencies(self, source: HelmSource, chart: LockedSource) -> Sequence[ChartDependency]:
        return ()

    def image(
        self, reference: ImageReference, architectures: Sequence[str], locked: LockedSource | None
    ) -> LockedSource:
        if locked and self._store.get(locked.digest) is not None:
            return locked
        self.asked.append(str(reference))
        if str(reference) not in self.images:
            raise FetchError(f"{reference.address}: the registry has no repository {reference.repository!r}")
        digest, content = self.images[str(reference)]
        version = locked.version if locked else str(digest)
        return self._locked(str(reference), " ".join(architectures), version, content, locked)

    def tree(self, address: GitAddress | ArtifactAddress, locked: LockedSource | None) -> LockedSource:
        raise FetchError(f"{address}: no such repository")

    def _locked(
        self, address: str, asked: str, version: str, content: bytes, locked: LockedSource | None = None
    ) -> LockedSource:
        digest = Digest.of(content)
        if locked and locked.digest != digest:
            raise LockError(f"{address} has changed: the lock has {locked.digest}, the source has {digest}")
        return LockedSource(address=address, asked=asked, version=version, digest=self._store.put(content))


class CountingEngine:
    """A `ports.HelmEngine` that counts its requests."""

    def __init__(self, engine: HelmEngine) -> None:
        self._engine = engine
        self.version = engine.version
        self.requests: list[RenderRequest] = []

    def render(self, request: RenderRequest, chart: ChartArchive | None = None) -> RenderedChart:
        self.requests.append(request)
        return self._engine.render(request, chart)

    def required_apis(self, chart: bytes) -> frozenset[str] | None:
        return self._engine.required_apis(chart)

    def newest_in_range(self, constraint: str, versions: Any) -> str | None:
        return self._engine.newest_in_range(constraint, versions)

    def renders_of(self, release: str) -> int:
        return sum(request.release == release for request in self.requests)


class CountingRenderer:
    """A `ports.Renderer` that counts its jobs."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self.jobs: list[RenderJob] = []
        self.jobs_before_close: list[int] = []

    @property
    def version(self) -> str:
        return self._renderer.version

    def render(self, job: RenderJob) -> RenderedBatch:
        self.jobs.append(job)
        return self._renderer.render(job)

    def required_apis(self, chart: bytes) -> frozenset[str] | None:
        return self._renderer.required_apis(chart)

    def release(self) -> None:
        self.jobs_before_close.append(len(self.jobs))
        self._renderer.release()

    @property
    def rendered(self) -> list[str]:
        """The component of every job."""
        return [job.component for job in self.jobs]


class RecordingReporter:
    """`ports.DeliveryReporter` and `ports.Transfers` that keeps every event."""

    def __init__(self) -> None:
        self.events: list[tuple[str, ...]] = []
        self.begun: list[tuple[str, str]] = []
        self.findings: list[Finding] = []

    def stage_started(self, stage: str, total: int) -> None:
        self.events.append(("started", stage, str(total)))

    def item_started(self, stage: str, item: str) -> None:
        self.begun.append((stage, item))

    def item_waiting(self, stage: str, item: str, reason: str) -> None:
        self.events.append(("waits", stage, item, reason))

    def item_finished(self, stage: str, item: str, detail: str = "", **facts: str | float | bool) -> None:
        self.events.append(("advanced", stage, item, detail))

    def stage_finished(self, stage: str, summary: str) -> None:
        self.events.append(("finished", stage, summary))

    def finding_reported(self, finding: Finding) -> None:
        self.findings.append(finding)

    def received(self, host: str, count: int) -> None:
        self.events.append(("received", host, str(count)))

    def waiting(self, host: str, seconds: float, reason: str) -> None:
        self.events.append(("waiting", host, f"{seconds:g}", reason))


class Harness:
    """A workspace, its lock and the stages; `forge` is mine and smelt in one run."""

    def __init__(self) -> None:
        self.store, self.files, self.reporter = MemoryStore(), MemoryFiles(), RecordingReporter()
        self.engine = CountingEngine(HelmSdk())
        self.sources = FakeSources(self.store, self.files, self.engine)
        self.kept_edits = MemoryEdits()
        self.bases = MemoryCache()
        self.lock = Lock()
        reader = FastYaml(GoYaml(PurePythonYaml()))
        self.renderer = CountingRenderer(InProcessRenderer(self.engine, reader))
        self.toolbox = Toolbox(
            store=self.store,
            files=self.files,
            digests=MemoryDigests(self.files),
            renderer=self.renderer,
            kustomize=KustomizeProgram(),
            reader=reader,
            workers=OneByOne(),
            fetchers=OneByOne(),
            cache=NoCache(),
            bases=self.bases,
            kept_edits=self.kept_edits,
            plugins=InstalledPlugins(path=()),
            functions=AllowedFunctions(FunctionPrograms(reader, Limits()), frozenset),
        )

    def use_kustomize(self, engine: Kustomize) -> None:
        self.toolbox = replace(self.toolbox, kustomize=engine)

    def chart(self, name: str, templates: Mapping[str, str], *, version: str = "1.0.0", **files: str) -> HelmSource:
        """Publish a chart; ``files`` are ``values``, ``schema`` and more of ``Chart.yaml`` as ``about``."""
        about = f"apiVersion: v2\nname: {name}\nversion: {version}\n" + files.get("about", "")
        content = {"Chart.yaml": about, "values.yaml": files.get("values", "{}")}
        content |= {"values.schema.json": files["schema"]} if "schema" in files else {}
        content |= {path if "/" in path else f"templates/{path}": text for path, text in templates.items()}
        self.sources.charts[name, version] = archive(name, content)
        return HelmSource(chart=name, release=name, repository=REPOSITORY, version=version)

    def url(self, url: str, *documents: str) -> str:
        self.sources.urls[url] = "---\n".join(documents).encode()
        return url

    def input(self, path: str, *documents: str) -> str:
        """Write a file below ``input/``."""
        self.files.files[f"input/{path}"] = "---\n".join(documents).encode()
        return path

    def mine(self, stack: Stack, **options: Any) -> MineResult:
        mined = mine(MineRequest(stack=stack, lock=self.lock, **options), self.toolbox, self.sources, self.reporter)
        self.lock = mined.lock
        return mined

    def smelt(self, stack: Stack, mined: MineResult | None = None, **options: Any) -> SmeltResult:
        """From the lock, as the verb does it, or directly from the result of mine."""
        sources = mined.sources if mined else locking.look_up(stack.components, self.lock, self.sources)
        request = SmeltRequest(
            stack=stack,
            sources=sources,
            lock=self.lock,
            rendered=mined.rendered if mined else None,
            **options,
        )
        return smelt(request, self.toolbox, self.reporter)

    def forge(self, stack: Stack, **options: Any) -> SmeltResult:
        return self.smelt(stack, self.mine(stack, whole=True, upstream=False), **options)

    def fingerprint(self, stack: Stack) -> Digest:
        """Of everything that the smelted stack depends on, from the lock."""
        sources = locking.look_up(stack.components, self.lock, self.sources)
        return input_fingerprint.fingerprint(stack, sources, self.lock, self.toolbox)

    def edited(self) -> WorkingTree | None:
        """`working/` with its hand edits in the record, as cast reads it; None if smelt did not write it."""
        working = working_tree.load(self.files)
        return edited_objects.with_edits(working, self.renderer) if working and working.is_smelted else None

    @staticmethod
    def component(name: str, **changes: Any) -> Component:
        """A component; ``namespace`` is ``name`` by default."""
        changes["needs"] = tuple(map(ComponentName, changes.get("needs", ())))
        described = Component(name=ComponentName(name), namespace=name, where=f"input/config.yaml:{name}")
        return replace(described, **changes)

    @staticmethod
    def stack(*components: Component, **changes: Any) -> Stack:
        return replace(Stack(name="platform", components=components), **changes)

    @staticmethod
    def config_map(name: str, data: str = "a: b", *, namespace: str = "", annotations: str = "") -> str:
        metadata = f"  name: {name}\n"
        metadata += f"  namespace: {namespace}\n" if namespace else ""
        metadata += f"  annotations: {{{annotations}}}\n" if annotations else ""
        return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n{metadata}data: {{{data}}}\n"

    @staticmethod
    def container(name: str, image: str = "") -> str:
        """A container with the resources that production asks for; its image is ``example.com/<name>:1`` by default."""
        resources = "{requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 64Mi}}"
        return f"{{name: {name}, image: {image or f'example.com/{name}:1'}, resources: {resources}}}"

    @staticmethod
    def crd(kind: str, group: str = "example.com", *, scope: str = "Namespaced") -> str:
        plural = kind.lower() + "s"
        return (
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
            f"metadata: {{name: {plural}.{group}}}\n"
            f"spec:\n  group: {group}\n  scope: {scope}\n  names: {{kind: {kind}, plural: {plural}}}\n"
            "  versions:\n  - {name: v1, served: true, storage: true,\n"
            "     schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}\n"
        )

    @staticmethod
    def errors(call: Callable[[], object]) -> list[ForgeError]:
        """The errors that a call raises; fails if there is none."""
        try:
            call()
        except (ForgeError, ExceptionGroup) as error:
            return [leaf for leaf in leaves(error) if isinstance(leaf, ForgeError)]
        pytest.fail("no error was raised")

    def again(self) -> Harness:
        """The same workspace, lock and sources in a new process: the renderer has no jobs yet."""
        other = Harness()
        other.store.entries = dict(self.store.entries)
        other.files.files = dict(self.files.files)
        other.sources.charts, other.sources.urls = dict(self.sources.charts), dict(self.sources.urls)
        other.sources.images = dict(self.sources.images)
        other.lock = lock_file.parse(lock_file.emit(self.lock))
        return other

    def below(self, folder: str) -> dict[str, str]:
        """The texts of the files in a folder of the workspace."""
        tree = self.files.read_tree(folder)
        return {path: content.decode() for path, content in tree.files.items()} if tree else {}

    @property
    def working(self) -> dict[str, str]:
        return self.below("working")


@pytest.fixture
def harness() -> Harness:
    return Harness()


@pytest.fixture
def memory_store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def memory_cache() -> MemoryCache:
    return MemoryCache()


@pytest.fixture
def memory_files() -> MemoryFiles:
    return MemoryFiles()
