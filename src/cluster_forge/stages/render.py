"""From pinned sources and files to the objects of every component: what `mine` and `smelt` have in common.

Charts are rendered as a cluster that holds the whole stack would have them rendered: the API versions that the stack's
own CRDs define are announced to every chart, and one that asks for an API that another component brings is rendered
once more. What `mine` wrote is read back instead as long as its fingerprint holds, so that a chart that invents
passwords invents them once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import kubernetes_apis, scope
from cluster_forge.ports import RenderRequest
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import Component, Stack
from cluster_forge.stages import documents, mined
from cluster_forge.stages.documents import Group
from cluster_forge.stages.means import Pins, Tools, has_sources, is_url, not_mined, stored
from cluster_forge.stages.mined import Made

_ROUNDS = 5
"""How often a chart may bring CRDs that make another come out otherwise, before it is left at that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Everything that a component brings: what its sources came to, and its own entries of ``manifests``."""

    component: Component
    made: Made | None
    own: tuple[Group, ...]

    @property
    def groups(self) -> tuple[Group, ...]:
        return (*(self.made.groups if self.made else ()), *self.own)

    @property
    def objects(self) -> int:
        return sum(len(group.manifests) for group in self.groups)


def render(
    stack: Stack,
    pins: Mapping[ComponentName, Pins],
    lock: Lock,
    tools: Tools,
    told: Callable[[Component, int], None] | None = None,
) -> dict[ComponentName, Content]:
    """The objects of every component, in the order of the stack. ``told`` hears of each component that is done.

    Raises:
        ForgeError, ExceptionGroup: every component's errors: RenderError, ArchiveError, ManifestError, LockError.
    """
    names = [each.name for each in stack.components]
    own = dict(zip(names, tools.workers.map(lambda each: documents.own(each, tools), stack.components), strict=True))
    made = _Making(stack, pins, lock, tools).everything(own)
    contents = {}
    for each in stack.components:
        content = Content(component=each, made=made.get(each.name), own=own[each.name])
        contents[each.name] = content
        if told:
            told(each, content.objects)
    return contents


class _Making:
    """What the sources of one stack come to."""

    def __init__(self, stack: Stack, pins: Mapping[ComponentName, Pins], lock: Lock, tools: Tools) -> None:
        self._stack = stack
        self._pins = pins
        self._lock = lock
        self._tools = tools
        self._built_in = kubernetes_apis.api_versions(stack.target.kubernetes.minor)

    def everything(self, own: Mapping[ComponentName, Sequence[Group]]) -> dict[ComponentName, Made]:
        """Read back or make what every component's sources come to, until none would come out otherwise."""
        sourced = [each for each in self._stack.components if has_sources(each)]
        made = {each.component: each for each in self._tools.workers.map(self._read, sourced) if each}
        due = [each for each in sourced if each.name not in made]
        brought = self._announced(own, made)
        announced = brought
        denied: frozenset[str] = frozenset()
        for _ in range(_ROUNDS):
            for new in self._tools.workers.map(partial(self._make, announced=announced), due):
                made[new.component] = new
            before, brought = brought, self._announced(own, made)
            denied |= before - brought  # what a chart brings only where nobody has it
            announced = brought - denied
            due = [each for each in sourced if not self._holds(each, made[each.name], announced)]
            if not due:
                break
        return made

    def _announced(
        self, own: Mapping[ComponentName, Sequence[Group]], made: Mapping[ComponentName, Made]
    ) -> frozenset[str]:
        """The API versions that the CRDs among all objects add to a cluster."""
        manifests = (
            manifest
            for each in self._stack.components
            for group in (*own[each.name], *(made[each.name].groups if each.name in made else ()))
            for manifest in group.manifests
            if not mined.is_excluded(manifest, each)
        )
        return frozenset(api for kind in scope.custom_kinds(manifests) for api in kind.api_versions)

    def _read(self, component: Component) -> Made | None:
        locked = self._lock.component(component.name)
        return mined.read(component, locked, self._tools) if locked and locked.rendered else None

    def _holds(self, component: Component, made: Made, announced: Collection[str]) -> bool:
        """Whether it is what would be made with these API versions announced."""
        heard = made.heard(announced)
        if made.kept is None:
            return heard == made.announced
        locked = self._lock.component(component.name)
        pins = self._pins.get(component.name, Pins())
        expected = mined.fingerprint(
            component, pins=pins, announced=heard, stack=self._stack, tools=self._tools, content=made.kept
        )
        return locked is not None and locked.rendered == expected

    def _make(self, component: Component, announced: frozenset[str]) -> Made:
        pins = self._pins.get(component.name, Pins())
        groups = []
        asks: frozenset[str] | None = frozenset()
        if component.helm:
            chart, asks = self._chart(component, pins, announced)
            groups.append(chart)
        groups += [self._fetched(component, url, pins) for url in component.manifests if is_url(url)]
        made = Made(component=component.name, groups=tuple(groups), asks=asks)
        return replace(made, announced=made.heard(announced))

    def _chart(
        self, component: Component, pins: Pins, announced: frozenset[str]
    ) -> tuple[Group, frozenset[str] | None]:
        assert component.helm is not None
        if pins.chart is None:
            raise not_mined(component, component.helm.chart)
        request = RenderRequest(
            chart=stored(component, pins.chart, self._tools.store),
            values=component.values,
            release=component.helm.release,
            namespace=component.namespace or "default",
            kubernetes=self._stack.target.kubernetes,
            api_versions=(*self._built_in, *sorted(announced)),
            skip_schema=component.helm.skip_schema,
        )
        try:
            output = self._tools.engine.render(request)
        except ForgeError as error:
            message = f"component {component.name}: {error.message}"
            raise type(error)(message, where=error.where or component.where, fix=error.fix) from error
        manifests = documents.read(documents.rendered(output), component.name, self._tools.reader)
        return Group(origin=pins.chart.address, manifests=manifests), output.asks_for

    def _fetched(self, component: Component, url: str, pins: Pins) -> Group:
        shown = without_credentials(url)
        if url not in pins.manifests:
            raise not_mined(component, shown)
        content = stored(component, pins.manifests[url], self._tools.store)
        texts = documents.written(content, shown)
        return Group(origin=shown, manifests=documents.read(texts, component.name, self._tools.reader))
