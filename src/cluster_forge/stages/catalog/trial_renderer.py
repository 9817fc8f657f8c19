"""A catalog's components made as they would be in small stacks, for those who look at what each comes to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from cluster_forge.catalog.trial_plan import TrialPlans
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import StoreError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import batch, kubernetes_apis, normalize
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.scope import Scopes, custom_kinds
from cluster_forge.ports.rendering import Renderer, RenderJob, RenderRequest, YamlReader
from cluster_forge.ports.sources import Charts, Sources
from cluster_forge.ports.storage import Store
from cluster_forge.stack import merge
from cluster_forge.stack.lock import LockedSource
from cluster_forge.stack.model import HelmSource, KubernetesVersion
from cluster_forge.yaml.positioned import Positioned


@dataclass(frozen=True)
class TrialRenderer:
    """Makes components, and keeps in mind what it made. Safe to use from several threads."""

    companies: TrialPlans
    sources: Sources
    store: Store
    renderer: Renderer
    charts: Charts
    reader: YamlReader
    _made: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict, init=False, repr=False)
    _pins: dict[object, LockedSource] = field(default_factory=dict, init=False, repr=False)
    _apis: dict[tuple[str, int, str], frozenset[str]] = field(default_factory=dict, init=False, repr=False)

    def alone(self, name: str, minor: int, size: str) -> tuple[Manifest, ...]:
        """The objects of the component where nothing is but what it needs, each in its namespace.

        Raises:
            ForgeError, ExceptionGroup: as for `made`; UnknownNameError if nobody gives what it needs.
        """
        layers = self.companies.alone(name, minor, size)
        namespace = merge.positioned(*layers).plain["namespace"]
        return placed(self.made(name, layers, minor), namespace, minor)

    def made(
        self, name: str, layers: Sequence[Positioned], minor: int, apis: Sequence[str] = ()
    ) -> tuple[Manifest, ...]:
        """What a component's layers come to, in the order of its sources; ``apis`` are those that others bring.

        Raises:
            FetchError, OfflineError, ArchiveError, DescriptionError: if a source cannot be had.
            RenderError, ManifestError, ExceptionGroup: if something is wrong with what it comes to.
        """
        key = orjson.dumps([name, minor, list(apis), [layer.plain for layer in layers]], option=orjson.OPT_SORT_KEYS)
        if key not in self._made:
            self._made[key] = self._make(name, layers, minor, apis)
        return self._unpacked(name, self._made[key])

    def made_anew(
        self, name: str, layers: Sequence[Positioned], minor: int, apis: Sequence[str] = ()
    ) -> tuple[Manifest, ...]:
        """The same, never from memory."""
        return self._unpacked(name, self._make(name, layers, minor, apis))

    def apis(self, names: Sequence[str], minor: int, size: str) -> tuple[str, ...]:
        """The API versions that the CRDs of components define, sorted: what a cluster with them tells Helm besides.

        Raises:
            ForgeError, ExceptionGroup: as for `alone`.
        """
        return tuple(sorted({api for name in names for api in self._apis_of(name, minor, size)}))

    def _apis_of(self, name: str, minor: int, size: str) -> frozenset[str]:
        if (name, minor, size) not in self._apis:
            kinds = custom_kinds(self.made(name, self.companies.alone(name, minor, size), minor))
            self._apis[name, minor, size] = frozenset(api for kind in kinds for api in kind.api_versions)
        return self._apis[name, minor, size]

    def chart(self, helm: dict[str, str]) -> bytes:
        """The archive of a chart, by ``helm`` as a description has it.

        Raises:
            FetchError, OfflineError, ArchiveError, DescriptionError: if it cannot be had.
        """
        source = HelmSource(
            chart=helm["chart"],
            release=helm.get("release", ""),
            repository=helm.get("repository", ""),
            version=helm.get("version", ""),
        )
        return self._stored(self._pins.get(source) or self._pins.setdefault(source, self.sources.chart(source, None)))

    def described(self, helm: dict[str, str]) -> tuple[Mapping[str, Any], dict[str, Any]]:
        """What ``Chart.yaml`` says, and the default values: those of the charts in it below their names, as Helm has them.

        Raises:
            FetchError, OfflineError, ArchiveError, DescriptionError, ManifestError: if it cannot be had or read.
        """
        files = self.charts.described(self.chart(helm), f"{helm.get('repository', '')} {helm['chart']}".strip())
        chart = mapping(self.reader.read(files["Chart.yaml"]))
        return chart, self._defaults(files, chart)

    def _defaults(self, files: Mapping[str, str], chart: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        listed = [mapping(each) for each in chart.get("dependencies") or ()]
        aliases = {str(each.get("name")): str(each.get("alias") or each.get("name")) for each in listed}
        for name in sorted({path.split("/")[1] for path in files if path.startswith("charts/")}):
            start = f"charts/{name}/"
            below = {path.removeprefix(start): text for path, text in files.items() if path.startswith(start)}
            inner = mapping(self.reader.read(below.get("Chart.yaml", "")))
            found[aliases.get(name, name)] = self._defaults(below, inner)
        return merge.values(found, mapping(self.reader.read(files.get("values.yaml", ""))))

    def _manifest(self, url: str) -> bytes:
        return self._stored(self._pins.get(url) or self._pins.setdefault(url, self.sources.manifest(url, None)))

    def _stored(self, pin: LockedSource) -> bytes:
        content = self.store.get(pin.digest)
        if content is None:
            raise StoreError(f"{pin.address} {pin.version} went out of the store", fix="run it again")
        return content

    def _make(self, name: str, layers: Sequence[Positioned], minor: int, apis: Sequence[str]) -> tuple[bytes, ...]:
        return tuple(self.renderer.render(each).content for each in self._orders(name, layers, minor, apis))

    def _orders(self, name: str, layers: Sequence[Positioned], minor: int, apis: Sequence[str]) -> Iterator[RenderJob]:
        merged: dict[str, Any] = merge.positioned(*layers).plain
        component, where = ComponentName(name), f"catalog:{name}"
        texts = [(f"{where} objects[{i}]", orjson.dumps(each)) for i, each in enumerate(merged.get("objects", ()))]
        texts += [(url, self._manifest(url)) for url in merged.get("manifests", ())]
        if texts:
            yield RenderJob(component=component, where=where, texts=texts)
        helm = merged.get("helm")
        if helm:
            request = RenderRequest(
                chart=self.chart(helm),
                values=merge.values(*(layer.plain.get("values") or {} for layer in layers)),
                release=helm.get("release", name),
                namespace=merged["namespace"],
                kubernetes=KubernetesVersion(1, minor),
                api_versions=(*kubernetes_apis.api_versions(minor), *apis),
            )
            yield RenderJob(component=component, where=where, chart=request)

    def _unpacked(self, name: str, made: Sequence[bytes]) -> tuple[Manifest, ...]:
        return tuple(each for packed in made for each in batch.unpack(packed, ComponentName(name)))


def mapping(value: Any) -> Mapping[str, Any]:
    """What should be a mapping: in a chart, nobody sees to it."""
    return value if isinstance(value, Mapping) else {}


def placed(manifests: Sequence[Manifest], namespace: str, minor: int) -> tuple[Manifest, ...]:
    """The objects, each with the namespace that it lies in."""
    scopes = Scopes.of(minor, manifests)
    return tuple(normalize.placed(each, namespace, scopes) for each in manifests)


def differing(one: Sequence[Manifest], other: Sequence[Manifest]) -> frozenset[ObjectId]:
    """The objects that do not say the same in both."""
    said = {(each.id, each.document.json) for each in one} ^ {(each.id, each.document.json) for each in other}
    return frozenset(identity for identity, _ in said)


def contents(manifests: Sequence[Manifest], apart: Collection[ObjectId] = ()) -> Digest:
    """What the objects say but for some: the same for the same objects, wherever in a source they stand."""
    said = sorted(b"\0".join((str(each.id).encode(), each.document.json)) for each in manifests if each.id not in apart)
    return Digest.of(b"\n".join(said))
