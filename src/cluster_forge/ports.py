"""The few Protocols between the stages and the outside world."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding
from cluster_forge.stack.model import HelmSource, KubernetesVersion, Values

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A source as it was found: resolved version (empty for manifests and folders) and the digest of its bytes."""

    address: str
    version: str
    digest: Digest


class Store(Protocol):
    """Content-addressed bytes. Safe for several processes at once; what it returns always matches the digest."""

    def get(self, digest: Digest) -> bytes | None:
        """The bytes, or None when they are not there. A corrupt entry is thrown away and counts as not there.

        Raises:
            StoreError: if the store cannot be read.
        """

    def put(self, content: bytes) -> Digest:
        """Keep ``content``: written aside, fsynced, renamed.

        Raises:
            StoreError: if the store cannot be written.
        """


class Cache(Protocol):
    """What was made of content-addressed input, by a key over all of it. Safe for several processes at once.

    Nothing depends on it: an entry that is not there, damaged, or cannot be written costs time only.
    """

    def get(self, kind: str, key: Digest) -> bytes | None:
        """What was put there; None where nothing is, or where it is not whole. ``kind`` is a word: ``objects``."""

    def put(self, kind: str, key: Digest, content: bytes) -> None:
        """Keep ``content`` for whoever has the same key, if that can be done."""


class Sources(Protocol):
    """Where charts and manifests come from: mirrors first, then the network; folders and files of ``input/``.

    Every method leaves the bytes in the store.
    """

    def chart(self, source: HelmSource, locked: Pinned | None) -> Pinned:
        """Resolve a chart's version and fetch its archive. ``locked`` is fetched as it is, never resolved anew.

        A local folder is packed into a reproducible archive.

        Raises:
            FetchError, OfflineError, ArchiveError, DescriptionError (no such folder, no version in range)
            LockError: if what is found has another digest than ``locked``; both are shown.
        """

    def manifest(self, url: str, locked: Pinned | None) -> Pinned:
        """Fetch a manifest from a URL.

        Raises:
            FetchError, OfflineError, LockError: as for charts.
        """


class Charts(Protocol):
    """What is known about chart archives without rendering them."""

    def described(self, data: bytes, name: str) -> Mapping[str, str]:
        """``Chart.yaml`` and ``values.yaml`` of a chart and of the charts in it, by their paths below its folder.

        Raises:
            ArchiveError: if it is no chart, or unsafe; ``name`` is what the message calls it.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderRequest:
    """What Helm is asked to render: an archive (``.tgz`` bytes), values, release, namespace and Capabilities."""

    chart: bytes
    values: Values
    release: str
    namespace: str
    kubernetes: KubernetesVersion
    api_versions: Sequence[str]
    skip_schema: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What Helm made of it.

    ``templates`` holds the text of each template by its path, in Helm's order, ``NOTES.txt`` left out; ``crds`` the
    files of ``crds/`` folders, those of switched-off dependencies left out.
    """

    templates: Mapping[str, str]
    crds: Sequence[tuple[str, str]]
    notes: str


class HelmEngine(Protocol):
    """Helm's own rendering."""

    @property
    def version(self) -> str:
        """The engine and its version: part of every fingerprint."""

    def render(self, request: RenderRequest) -> Rendered:
        """Render one chart; safe to call from several threads.

        Raises:
            RenderError: the chart's own complaint: template, values schema, ``kubeVersion``.
            ArchiveError: if the archive is no chart.
        """

    def asks(self, chart: bytes) -> frozenset[str] | None:
        """The API versions that a chart's templates ask the cluster for; None where they cannot be told.

        Raises:
            ArchiveError: if it is no archive.
        """

    def newest_in_range(self, constraint: str, versions: Sequence[str]) -> str | None:
        """The newest of ``versions`` that fits ``constraint`` as Helm reads it (pre-releases only when asked for).

        Raises:
            DescriptionError: if ``constraint`` is no version range.
        """


class YamlReader(Protocol):
    """YAML as Kubernetes reads it (``sigs.k8s.io/yaml``): one document in, JSON out."""

    def read(self, document: str) -> Any:
        """The document's value; None for an empty one. Integers are exact.

        Raises:
            ManifestError: if it is not YAML; the message has the line within the document.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Objects to be made for a component: of a chart, or of ``texts``, each with the file or URL that it stands in.

    ``where`` is the component's place in the description.
    """

    component: ComponentName
    where: str = ""
    chart: RenderRequest | None = None
    texts: Sequence[tuple[str, bytes]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """Objects as bytes (`cluster_forge.manifests.batch`); ``is_kept`` where they did not have to be made."""

    content: bytes
    is_kept: bool = False


class Maker(Protocol):
    """Makes objects of charts and texts. Safe to call from several threads."""

    @property
    def version(self) -> str:
        """The engine that renders and its version: part of every fingerprint."""

    def make(self, order: Order) -> Packed:
        """Render the chart, or read the texts.

        Raises:
            RenderError: the chart's own complaint; or it takes more time or memory than it may have.
            ArchiveError: if the archive is no chart.
            ManifestError, ExceptionGroup: one for each document that is not YAML or no Kubernetes object.
        """

    def asks(self, chart: bytes) -> frozenset[str] | None:
        """The API versions that a chart's templates ask the cluster for; None where they cannot be told.

        Raises:
            ArchiveError: if it is no archive.
        """


class Workers(Protocol):
    """Runs many calls at once."""

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], *, weight: Callable[[Item], int] | None = None
    ) -> list[Result]:
        """Results in the order of ``items``, whatever order they finished in.

        The items of most ``weight`` are begun first: or the largest would keep the others waiting at the end.

        Raises:
            ExceptionGroup: every ForgeError that a call raised (all calls are finished first); a bug passes as it is.
        """


class StackFiles(Protocol):
    """The workspace's files, apart from the store."""

    def read(self, path: str) -> bytes | None:
        """A file relative to the workspace, or None when it is not there."""

    def read_tree(self, folder: str) -> FileTree | None:
        """All files of a folder, or None when there is no such folder. Hidden files are left out.

        Raises:
            WorkspaceError: if something in it cannot be read, or links out of the workspace.
        """

    def write(self, path: str, content: bytes) -> None:
        """Write a file aside and rename it.

        Raises:
            WorkspaceError: if it cannot be written; the old one is whole then.
        """

    def replace_trees(self, trees: Mapping[str, FileTree]) -> None:
        """Make each folder hold exactly that tree: written aside, then renamed.

        Raises:
            WorkspaceError: if it cannot be written; the old folders are whole then.
        """


class Reporter(Protocol):
    """What stages tell while they work. Every event may come from any thread."""

    def started(self, stage: str, total: int) -> None:
        """A stage begins; ``total`` items will be told by `advanced`."""

    def began(self, stage: str, item: str) -> None:
        """An item is being worked on from now on."""

    def advanced(self, stage: str, item: str, detail: str = "", **facts: str | float | bool) -> None:
        """One item is done: ``mine``, ``grafana``, ``12.11.1 from the mirror``.

        ``facts`` are for the record: ``seconds``, ``digest``, ``cached`` (nothing had to be made), ``objects``, ``bytes``.
        """

    def finished(self, stage: str, summary: str) -> None:
        """The stage is done; ``summary`` says in a few words with what."""

    def noticed(self, finding: Finding) -> None:
        """Something that the user should know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A bare Git repository as files, and the id of its one commit.

    ``skeleton`` is the same repository without the contents of the committed files, which whoever has the files can
    put back (`cluster_forge.oci.content`).
    """

    files: FileTree
    skeleton: FileTree
    commit: str


class Repositories(Protocol):
    """Makes Git repositories, and reads them."""

    def files(self, repository: FileTree) -> FileTree:
        """The files of the one commit of a bare repository that `bare` made.

        Raises:
            RepositoryError: if it is damaged, or none of ours.
        """

    def bare(self, tree: FileTree, *, message: str, time: int, tag: str = "") -> Repository:
        """A bare repository whose branch ``main`` (and ``tag``, if given) is one commit of ``tree``.

        ``time`` is in seconds since 1970. The same arguments give the same bytes.

        Raises:
            RepositoryError: if ``tree`` cannot be committed, or ``tag`` is no name for a tag.
        """
