"""The catalog's components rendered from the mirror, as they are in a stack: what the tests of the catalog look at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cluster_forge.adapters.helm_engine import HelmEngineInProcess
from cluster_forge.adapters.makers import DirectMaker
from cluster_forge.adapters.mirrors import Mirror
from cluster_forge.adapters.yaml_fast import FastYaml
from cluster_forge.adapters.yaml_go import GoYaml
from cluster_forge.adapters.yaml_python import PythonYaml
from cluster_forge.catalog import wiring
from cluster_forge.catalog.format import CatalogComponent, Wiring
from cluster_forge.catalog.library import Library, packaged
from cluster_forge.catalog.wiring import Placed, Surroundings
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import batch, kubernetes_apis, normalize
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.scope import Scopes
from cluster_forge.ports import Order, RenderRequest
from cluster_forge.stack import merge
from cluster_forge.stack.model import KubernetesVersion, Size, Target
from cluster_forge.stack.traced import Traced

MINORS = (25, 28, 31, 33, 35)
Texts = tuple[str, ...]
"""What the sources of a component came to, one text for each template and file."""


@dataclass
class Matrix:
    """Renders components; equal texts are read once."""

    mirror: Path
    library: Library = field(default_factory=packaged)
    _read: dict[str, tuple[Manifest, ...]] = field(default_factory=dict)
    _texts: dict[str, Texts] = field(default_factory=dict)

    @cached_property
    def engine(self) -> HelmEngineInProcess:
        return HelmEngineInProcess()

    @cached_property
    def _maker(self) -> DirectMaker:
        return DirectMaker(self.engine, FastYaml(GoYaml(PythonYaml())))

    @cached_property
    def _index(self) -> Mirror:
        return Mirror(self.mirror)

    def placed(self, name: str, minor: int) -> Placed | None:
        """The component at a minor version of Kubernetes; None where it does not fit."""
        component = self.library.component(name)
        version = wiring.chosen_version(component, minor)
        if version is None:
            return None
        release = wiring.helm_of(component, version).get("release") or name
        return Placed(component=component, version=version, namespace=component.namespace, release=release)

    def around(self, names: Sequence[str], minor: int, size: str, *, domain: str = "") -> Surroundings:
        """A stack of just these components, without what they need."""
        placed = {name: found for name in names if (found := self.placed(name, minor))}
        target = Target(kubernetes=KubernetesVersion(1, minor), size=Size(size), domain=domain)
        return Surroundings(
            target=target,
            placed=placed,
            preference={name: each.providers for name, each in self.library.capabilities.items()},
        )

    def neighbours(self, component: CatalogComponent, size: str, minor: int) -> list[str]:
        """Who gives what a component needs at a size: its ``${…}`` are theirs."""
        needed = [need.name for need in component.needed if size in need.sizes]
        return [self._provider(name, minor) for name in needed]

    def _provider(self, name: str, minor: int) -> str:
        return next(each for each in self.library.providers(name) if self.placed(each, minor))

    def company(self, component: CatalogComponent, each: Wiring, size: str, minor: int) -> list[str] | None:
        """A stack in which a wiring applies; None if one of those that it is with does not fit."""
        try:
            names = [self._provider(name, minor) for name in each.all_of if name != wiring.DOMAIN]
        except StopIteration:
            return None
        return [component.name, *names, *self.neighbours(component, size, minor)]

    def alone(self, name: str, minor: int, size: str) -> tuple[Traced, ...]:
        """The component as it is where nothing is but what it needs."""
        component = self.library.component(name)
        around = self.around([name, *self.neighbours(component, size, minor)], minor, size)
        return wiring.layers(around.placed[name], around)

    def rendered(self, name: str, layers: Sequence[Traced], minor: int, apis: Sequence[str] = ()) -> Texts:
        """What a component's sources come to, as texts; ``objects`` has them read."""
        key = json.dumps([name, minor, apis, [layer.plain for layer in layers]], sort_keys=True)
        if key not in self._texts:
            self._texts[key] = self.rendered_anew(name, layers, minor, apis)
        return self._texts[key]

    def rendered_anew(self, name: str, layers: Sequence[Traced], minor: int, apis: Sequence[str] = ()) -> Texts:
        """The same, never from memory."""
        merged = merge.traced(*layers).plain
        values = merge.values(*(layer.plain.get("values") or {} for layer in layers))
        parts = [json.dumps(each, sort_keys=True) for each in merged.get("objects", ())]
        parts += [self._url(url).decode() for url in merged.get("manifests", ())]
        helm = merged.get("helm")
        if helm:
            request = RenderRequest(
                chart=self.chart(helm["repository"], helm["chart"], helm["version"]),
                values=values,
                release=helm.get("release", name),
                namespace=merged["namespace"],
                kubernetes=KubernetesVersion(1, minor),
                api_versions=(*kubernetes_apis.api_versions(minor), *apis),
            )
            made = self.engine.render(request)
            parts += [text for _, text in made.crds] + list(made.templates.values())
        return tuple(parts)

    def objects(self, name: str, namespace: str, texts: Texts, minor: int) -> tuple[Manifest, ...]:
        """The objects in texts, each in its namespace; equal texts are read once."""
        found = [each for text in texts for each in self._objects(name, text)]
        scopes = Scopes.of(minor, found)
        return tuple(normalize.placed(each, namespace, scopes) for each in found)

    def _objects(self, name: str, text: str) -> tuple[Manifest, ...]:
        if text not in self._read:
            packed = self._maker.make(Order(component=ComponentName(name), texts=[(name, text.encode())]))
            self._read[text] = batch.unpack(packed.content, ComponentName(name))
        return self._read[text]

    def chart(self, repository: str, name: str, version: str) -> bytes:
        assert version in self._index.versions(repository, name), f"{repository} {name} {version} is not in the mirror"
        return self._index.chart(repository, name, version)

    def _url(self, url: str) -> bytes:
        content = self._index.manifest(url)
        assert content is not None, f"{url} is not in the mirror"
        return content


def newest(component: CatalogComponent) -> int:
    """The newest minor version of Kubernetes, of those that are tried, that a component is for."""
    return max(minor for minor in MINORS if wiring.chosen_version(component, minor))
