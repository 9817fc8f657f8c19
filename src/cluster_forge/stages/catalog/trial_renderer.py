"""Rendering of catalog components as they would be in small stacks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from cluster_forge.catalog.trial_plan import TrialPlans
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import StoreError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests import batch, kubernetes_apis, normalize
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.scope import Scopes, custom_kinds
from cluster_forge.ports.rendering import Renderer, RenderJob, RenderRequest, YamlReader
from cluster_forge.ports.sources import Charts, Sources
from cluster_forge.ports.storage import Store
from cluster_forge.stack import merge
from cluster_forge.stack.component import HelmSource
from cluster_forge.stack.lock import LockedSource
from cluster_forge.stack.model import KubernetesVersion
from cluster_forge.yaml.positioned import Positioned


@dataclass(frozen=True)
class TrialRenderer:
    """Renders components, and remembers what it rendered. Safe to use from several threads."""

    plans: TrialPlans
    sources: Sources
    store: Store
    renderer: Renderer
    charts: Charts
    reader: YamlReader
    _rendered: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict, init=False, repr=False)
    _pins: dict[object, LockedSource] = field(default_factory=dict, init=False, repr=False)
    _apis: dict[tuple[str, int, str], frozenset[str]] = field(default_factory=dict, init=False, repr=False)

    def alone(self, name: str, minor: int, size: str) -> tuple[Manifest, ...]:
        """The objects of a component in a stack with nothing but what it needs, each in its namespace.

        Raises:
            ForgeError, ExceptionGroup: as for `rendered`; UnknownNameError if no component provides what it needs.
        """
        layers = self.plans.layers_alone(name, minor, size)
        namespace = merge.positioned(*layers).plain["namespace"]
        return in_namespace(self.rendered(name, layers, minor), namespace, minor)

    def rendered(
        self, name: str, layers: Sequence[Positioned], minor: int, apis: Sequence[str] = ()
    ) -> tuple[Manifest, ...]:
        """The objects of a component's layers, in the order of its sources; ``apis`` are those of other components.

        Raises:
            FetchError, OfflineError, ArchiveError, DescriptionError: if a source is not available.
            RenderError, ManifestError, ExceptionGroup: if a source does not render to valid objects.
        """
        key = orjson.dumps([name, minor, list(apis), [layer.plain for layer in layers]], option=orjson.OPT_SORT_KEYS)
        if key not in self._rendered:
            self._rendered[key] = self._render(name, layers, minor, apis)
        return _unpacked(name, self._rendered[key])

    def rendered_again(
        self, name: str, layers: Sequence[Positioned], minor: int, apis: Sequence[str] = ()
    ) -> tuple[Manifest, ...]:
        """The same as `rendered`, without the memory."""
        return _unpacked(name, self._render(name, layers, minor, apis))

    def apis(self, names: Sequence[str], minor: int, size: str) -> tuple[str, ...]:
        """The API versions that the CRDs of components define, sorted: Helm sees them besides Kubernetes' own.

        Raises:
            ForgeError, ExceptionGroup: as for `alone`.
        """
        return tuple(sorted({api for name in names for api in self._apis_of(name, minor, size)}))

    def _apis_of(self, name: str, minor: int, size: str) -> frozenset[str]:
        if (name, minor, size) not in self._apis:
            kinds = custom_kinds(self.rendered(name, self.plans.layers_alone(name, minor, size), minor))
            self._apis[name, minor, size] = frozenset(api for kind in kinds for api in kind.api_versions)
        return self._apis[name, minor, size]

    def chart(self, helm: dict[str, str]) -> bytes:
        """The archive of a chart; ``helm`` is as in a description.

        Raises:
            FetchError, OfflineError, ArchiveError, DescriptionError: if it is not available.
        """
        source = HelmSource(
            chart=helm["chart"],
            release=helm.get("release", ""),
            repository=helm.get("repository", ""),
            version=helm.get("version", ""),
        )
        return self._stored(self._pins.get(source) or self._pins.setdefault(source, self.sources.chart(source, None)))

    def chart_metadata(self, helm: dict[str, str]) -> tuple[Mapping[str, Any], dict[str, Any]]:
        """``Chart.yaml`` and the default values; as Helm does, those of subcharts are below the subcharts' names.

        Raises:
            FetchError, OfflineError, ArchiveError, DescriptionError, ManifestError: if the chart is not available or
                not readable.
        """
        files = self.charts.described(self.chart(helm), f"{helm.get('repository', '')} {helm['chart']}".strip())
        chart = mapping(self.reader.read(files["Chart.yaml"]))
        return chart, self._defaults(files, chart)

    def _defaults(self, files: Mapping[str, str], chart: Mapping[str, Any]) -> dict[str, Any]:
        subchart_values: dict[str, Any] = {}
        dependencies = [mapping(dependency) for dependency in chart.get("dependencies") or ()]
        aliases = {
            str(dependency.get("name")): str(dependency.get("alias") or dependency.get("name"))
            for dependency in dependencies
        }
        for name in sorted({path.split("/")[1] for path in files if path.startswith("charts/")}):
            start = f"charts/{name}/"
            below = {path.removeprefix(start): text for path, text in files.items() if path.startswith(start)}
            subchart = mapping(self.reader.read(below.get("Chart.yaml", "")))
            subchart_values[aliases.get(name, name)] = self._defaults(below, subchart)
        return merge.values(subchart_values, mapping(self.reader.read(files.get("values.yaml", ""))))

    def _manifest(self, url: str) -> bytes:
        return self._stored(self._pins.get(url) or self._pins.setdefault(url, self.sources.manifest(url, None)))

    def _stored(self, pin: LockedSource) -> bytes:
        content = self.store.get(pin.digest)
        if content is None:
            raise StoreError(
                f"{pin.address} {pin.version} was removed from the store during the run", fix="run it again"
            )
        return content

    def _render(self, name: str, layers: Sequence[Positioned], minor: int, apis: Sequence[str]) -> tuple[bytes, ...]:
        return tuple(self.renderer.render(job).content for job in self._render_jobs(name, layers, minor, apis))

    def _render_jobs(
        self, name: str, layers: Sequence[Positioned], minor: int, apis: Sequence[str]
    ) -> Iterator[RenderJob]:
        merged: dict[str, Any] = merge.positioned(*layers).plain
        component, where = ComponentName(name), f"catalog:{name}"
        texts = [(f"{where} objects[{i}]", orjson.dumps(body)) for i, body in enumerate(merged.get("objects", ()))]
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


def _unpacked(name: str, batches: Sequence[bytes]) -> tuple[Manifest, ...]:
    return tuple(manifest for packed in batches for manifest in batch.unpack(packed, ComponentName(name)))


def in_namespace(manifests: Sequence[Manifest], namespace: str, minor: int) -> tuple[Manifest, ...]:
    """The objects, each with its namespace; ``namespace`` is the default one."""
    scopes = Scopes.of(minor, manifests)
    return tuple(normalize.placed(manifest, namespace, scopes) for manifest in manifests)


def differing(first: Sequence[Manifest], second: Sequence[Manifest]) -> frozenset[ObjectId]:
    """The objects that differ between two renderings, or are in one of them only."""
    return frozenset(identity for identity, _ in _contents(first) ^ _contents(second))


def content_digest(manifests: Sequence[Manifest], without: Collection[ObjectId] = ()) -> Digest:
    """A digest of all objects but those in ``without``, regardless of their order."""
    contents = sorted(
        b"\0".join((str(identity).encode(), json)) for identity, json in _contents(manifests) if identity not in without
    )
    return Digest.of(b"\n".join(contents))


def _contents(manifests: Sequence[Manifest]) -> set[tuple[ObjectId, bytes]]:
    return {(manifest.id, manifest.document.json) for manifest in manifests}
