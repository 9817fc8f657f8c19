"""The lock as values: which bytes each component is built from, so that the same description gives the same stack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from cluster_forge.foundation.addresses import as_key
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.git_addresses import GitAddress, is_git
from cluster_forge.foundation.names import ComponentName
from cluster_forge.oci.reference import ImageReference
from cluster_forge.stack.catalog_addresses import CatalogAddress
from cluster_forge.stack.component import HelmSource, KustomizeSource

FILE: Final = "cluster-forge.lock"
"""Its path in the workspace; `lock_file` reads and writes it."""


def chart_address(source: HelmSource) -> str:
    """How the lock names a chart: ``https://charts.example.com shop``, or the path of a local one."""
    if is_git(source.repository):
        return f"{GitAddress.parse(source.repository).key} {source.chart}"
    return f"{as_key(source.repository)} {source.chart}" if source.repository else source.chart


def kustomization_address(source: KustomizeSource) -> str:
    """How the lock names a kustomization: by its folder, relative to ``input/``, or by its address in Git without REF."""
    return source.git.key if source.git else source.path


def chart_source(locked: LockedSource) -> HelmSource:
    """The chart of a repository that the lock names, as a description would; the inverse of `chart_address`."""
    repository, _, chart = locked.address.rpartition(" ")
    return HelmSource(repository=repository, chart=chart, version=locked.asked, release=chart)


def manifest_address(url: str) -> str:
    """How the lock names a manifest by URL; one in Git without its REF, which is what was `asked` for."""
    return GitAddress.parse(url).key if is_git(url) else as_key(url)


def chart_asked(source: HelmSource) -> str:
    """What the description asks for of a chart: a version range, or a REF in Git."""
    return source.git.ref if source.git else source.version


def kustomization_asked(source: KustomizeSource) -> str:
    """What the description asks for of a kustomization: a REF in Git, else nothing."""
    return source.git.ref if source.git else ""


def manifest_asked(url: str) -> str:
    """What the description asks for of a manifest by URL: a REF in Git, else nothing."""
    return GitAddress.parse(url).ref if is_git(url) else ""


def image_address(reference: ImageReference) -> str:
    """How the lock names a base image: ``docker.io/library/alpine:3.22``."""
    return str(reference)


def image_platforms(architectures: Iterable[str]) -> str:
    """What the lock has as asked for, of a base image: ``amd64 arm64``."""
    return " ".join(architectures)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LockedSource:
    """One source and the bytes it was resolved to.

    ``address`` is a URL without credentials, a repository and the chart's name separated by a space, or a path relative
    to ``input/``. ``asked`` is the version range in the description, or the REF of a Git repository; ``version`` is what it
    was resolved to: a version, or a commit. Both are empty for a source without versions. Of a base image, ``asked`` are the
    architectures and ``version`` is its own digest; of a catalog in a registry, ``asked`` is the tag and ``version`` the
    digest of the artifact.
    """

    address: str
    asked: str = ""
    version: str = ""
    digest: Digest

    @property
    def title(self) -> str:
        """What messages call it: address and version."""
        return f"{self.address} {self.version}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedComponent:
    """A component's sources, sorted, and the fingerprint of what was rendered from them.

    ``inputs`` is the fingerprint of everything that it was rendered with, this build included: while that is the same,
    ``rendered`` must be, too. Locks of earlier versions lack it.
    ``required_apis`` are the API versions that its chart asks the cluster for (``*``: any). ``remarks`` are findings about
    its chart that the rendered objects do not show.
    """

    name: ComponentName
    sources: tuple[LockedSource, ...] = ()
    rendered: Digest | None = None
    inputs: Digest | None = None
    required_apis: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "sources", tuple(sorted(self.sources)))

    def source(self, address: str, asked: str = "") -> LockedSource | None:
        """The locked source for an address and a version range."""
        return next((source for source in self.sources if (source.address, source.asked) == (address, asked)), None)


@dataclass(frozen=True, slots=True)
class Lock:
    """The locked components by name, the base of the stack's image, if it has one, and the catalogs elsewhere, sorted."""

    components: Mapping[str, LockedComponent] = field(default_factory=dict)
    base: LockedSource | None = None
    catalogs: tuple[LockedSource, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "catalogs", tuple(sorted(set(self.catalogs))))
        object.__setattr__(self, "components", MappingProxyType(dict(sorted(self.components.items()))))

    def catalog(self, address: CatalogAddress) -> LockedSource | None:
        """The locked catalog at an address; None if it is not locked, or locked for another REF or tag."""
        wanted = (address.key, address.ref)
        return next((locked for locked in self.catalogs if (locked.address, locked.asked) == wanted), None)

    def component(self, name: str) -> LockedComponent | None:
        return self.components.get(name)

    def source(self, component: str, address: str, asked: str = "") -> LockedSource | None:
        """The locked source of a component; None if it is not locked, or locked for another version range."""
        locked = self.components.get(component)
        return locked.source(address, asked) if locked else None

    def having(self, components: Iterable[LockedComponent]) -> Lock:
        """The lock with these components added or replaced."""
        return replace(self, components={**self.components, **{component.name: component for component in components}})

    def only(self, names: Iterable[str]) -> Lock:
        """The lock reduced to these components."""
        kept = set(names)
        return replace(
            self, components={name: component for name, component in self.components.items() if name in kept}
        )


def moved(before: Lock, after: Lock) -> Iterator[tuple[ComponentName, LockedSource, LockedSource]]:
    """The fetched sources that stand for other bytes in ``after`` than in ``before``, by component."""
    for name, component in after.components.items():
        for source in component.sources:
            old = before.source(name, source.address, source.asked)
            if old and old.digest != source.digest and "://" in source.address:
                yield component.name, old, source
