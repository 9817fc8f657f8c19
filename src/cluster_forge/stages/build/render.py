"""From pinned sources and files to the objects of every component: what `mine` and `smelt` have in common.

Charts are rendered as a cluster that holds the whole stack would have them rendered: the API versions that the stack's
own CRDs define are announced to every chart, and one that asks for an API that another component brings is rendered
once more. What `mine` wrote is read back instead as long as its fingerprint holds, so that a chart that invents
passwords invents them once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import ArchiveError, ForgeError, LockError, leaves, raise_all
from cluster_forge.foundation.names import ComponentName, counted
from cluster_forge.manifests import kubernetes_apis, scope
from cluster_forge.ports.rendering import RenderJob, RenderRequest
from cluster_forge.ports.progress import Reporter
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import Component, Stack
from cluster_forge.stages.build import render_jobs, sourced_tree
from cluster_forge.stages.build.render_jobs import ObjectGroup
from cluster_forge.stages.toolbox import Pins, Toolbox, has_sources, is_url, not_mined, stored
from cluster_forge.stages.build.sourced_tree import RenderedComponent

STAGE = "render"
_ASKING = ".APIVersions"

_ROUNDS = 7
"""How often a chart may bring CRDs that make another come out otherwise, before it is left at that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentObjects:
    """Everything that a component brings: what its sources came to, and its own entries of ``manifests``."""

    component: Component
    made: RenderedComponent | None
    own: tuple[ObjectGroup, ...]

    @property
    def groups(self) -> tuple[ObjectGroup, ...]:
        return (*(self.made.groups if self.made else ()), *self.own)

    @property
    def is_reused(self) -> bool:
        """Whether nothing was rendered for it."""
        return bool(self.made and (self.made.kept or self.made.is_cached))


def render(
    stack: Stack, pins: Mapping[ComponentName, Pins], lock: Lock, toolbox: Toolbox, reporter: Reporter
) -> dict[ComponentName, ComponentObjects]:
    """The objects of every component, in the order of the stack.

    Raises:
        ForgeError, ExceptionGroup: every component's errors: RenderError, ArchiveError, ManifestError, LockError.
    """
    making = _Making(stack, pins, lock, toolbox, reporter)
    own = making.own()
    made = making.everything(own)
    making.finished()
    return {
        each.name: ComponentObjects(component=each, made=made.get(each.name), own=own[each.name]) for each in stack.components
    }


class _Making:
    """What the sources of one stack come to."""

    def __init__(
        self, stack: Stack, pins: Mapping[ComponentName, Pins], lock: Lock, toolbox: Toolbox, reporter: Reporter
    ) -> None:
        self._stack = stack
        self._pins = pins
        self._lock = lock
        self._toolbox = toolbox
        self._reporter = reporter
        self._built_in = kubernetes_apis.api_versions(stack.target.kubernetes.minor)
        self._sourced = [each for each in stack.components if has_sources(each)]
        self._asked: dict[ComponentName, frozenset[str] | None] = {}
        self._counts: Counter[str] = Counter()
        self._archives: dict[ComponentName, bytes] = {}

    def own(self) -> dict[ComponentName, tuple[ObjectGroup, ...]]:
        """The objects in the components' own files and folders, one group for each entry."""
        entries = [
            (each, entry)
            for each in self._stack.components
            for entry in (*(entry for entry in each.manifests if not is_url(entry)), *([""] if each.objects else []))
        ]
        self._reporter.stage_started(STAGE, len(entries) + len(self._sourced))
        groups = self._toolbox.workers.map(lambda each: self._own(*each), entries)
        own: dict[ComponentName, tuple[ObjectGroup, ...]] = {each.name: () for each in self._stack.components}
        for (component, _), group in zip(entries, groups, strict=True):
            own[component.name] += (group,)
        return own

    def everything(self, own: Mapping[ComponentName, Sequence[ObjectGroup]]) -> dict[ComponentName, RenderedComponent]:
        """Read back or make what every component's sources come to, until none would come out otherwise.

        Charts that ask for APIs which Kubernetes itself does not have are rendered when it is known which of them the
        others bring; those that may ask for any, at last.
        """
        made = {each.component: each for each in self._toolbox.workers.map(self._read, self._sourced) if each}
        due = [each for each in self._sourced if each.name not in made]
        self._asked = dict(zip((each.name for each in due), self._toolbox.workers.map(self._asks, due), strict=True))
        tiers = [[each for each in due if self._patience(each) == patience] for patience in (1, 2)]
        due = [each for each in due if self._patience(each) == 0]
        brought = announced = self._announced(own, made)
        denied: frozenset[str] = frozenset()
        for _ in range(_ROUNDS):
            for new in self._made(due, announced, tiers):
                made[new.component] = new
            before, brought = brought, self._announced(own, made)
            denied |= before - brought  # what a chart brings only where nobody has it
            announced = brought - denied
            known = [each for each in self._sourced if each.name in made]
            stale = [each for each in known if not self._holds(each, made[each.name], announced)]
            due = (tiers.pop(0) if tiers else []) + stale
            if not due and not any(tiers):
                break
        return made

    def _made(
        self, due: Sequence[Component], announced: frozenset[str], later: Sequence[Sequence[Component]]
    ) -> list[RenderedComponent]:
        """What components come to; if one fails, the errors of those that are due later are told with its own."""
        errors: list[ForgeError] = []
        made: list[RenderedComponent] = []
        for tier in (due, *later):
            try:
                made += self._toolbox.workers.map(partial(self._make, announced=announced), tier, weight=self._weight)
            except (ForgeError, ExceptionGroup) as error:
                errors += [each for each in leaves(error) if isinstance(each, ForgeError)]
            if not errors:
                break
        raise_all(errors)
        return made

    def finished(self) -> None:
        """Tell how much had to be done."""
        told = ", ".join(f"{number} {what}" for what, number in self._counts.items() if number)
        self._reporter.stage_finished(STAGE, told or "nothing to do")

    def _own(self, component: Component, entry: str) -> ObjectGroup:
        """The objects of an entry of ``manifests``, or without one those that the description holds."""
        with self._told(component) as facts:
            files = self._toolbox.files
            order = render_jobs.own(entry, component, files) if entry else render_jobs.written_out(component)
            found, facts["cached"] = render_jobs.made(order, self._toolbox.renderer)
            facts["objects"] = len(found)
        return ObjectGroup(origin=entry or "objects", manifests=found)

    def _announced(
        self, own: Mapping[ComponentName, Sequence[ObjectGroup]], made: Mapping[ComponentName, RenderedComponent]
    ) -> frozenset[str]:
        """The API versions that the CRDs among all objects add to a cluster."""
        manifests = (
            manifest
            for each in self._stack.components
            for group in (*own[each.name], *(made[each.name].groups if each.name in made else ()))
            for manifest in group.manifests
            if manifest.facts.defines and not sourced_tree.is_excluded(manifest, each)
        )
        return frozenset(api for kind in scope.custom_kinds(manifests) for api in kind.api_versions)

    def _read(self, component: Component) -> RenderedComponent | None:
        locked = self._lock.component(component.name)
        if locked is None or locked.rendered is None:
            return None
        made = sourced_tree.read(component, locked, self._toolbox)
        if made:
            with self._told(component, "read back") as facts:
                facts["cached"], facts["objects"] = made.is_cached, made.objects
        return made

    def _holds(self, component: Component, made: RenderedComponent, announced: Collection[str]) -> bool:
        """Whether it is what would be made with these API versions announced."""
        heard = made.heard(announced)
        if made.kept is None:
            return heard == made.announced
        locked = self._lock.component(component.name)
        pins = self._pins.get(component.name, Pins())
        expected = sourced_tree.fingerprint(
            component, pins=pins, announced=heard, stack=self._stack, toolbox=self._toolbox, content=made.kept
        )
        return locked is not None and locked.rendered == expected

    def _asks(self, component: Component) -> frozenset[str] | None:
        """The API versions that a component's chart asks for; None: it may ask for any."""
        if component.name in self._asked:
            return self._asked[component.name]
        if not component.helm:
            return frozenset()
        if _ASKING in str(component.values):  # values may be templates, too
            return None
        try:
            return self._toolbox.renderer.required_apis(self._archive(component))
        except (LockError, ArchiveError):
            return frozenset()  # `_make` tells it, together with what is wrong with the others

    def _weight(self, component: Component) -> int:
        """About how much work a component is: the size of its chart."""
        return len(self._archives.get(component.name, b""))

    def _patience(self, component: Component) -> int:
        """How long it waits: 0 if it asks for no more than Kubernetes itself has, 2 if it may ask for anything."""
        asked = self._asks(component)
        if asked is None:
            return 2
        return 0 if asked <= frozenset(self._built_in) else 1

    def _archive(self, component: Component) -> bytes:
        """Its chart, read from the store once: it is asked about before it is rendered."""
        if component.name in self._archives:
            return self._archives[component.name]
        assert component.helm is not None
        pin = self._pins.get(component.name, Pins()).chart
        if pin is None:
            raise not_mined(component, component.helm.chart)
        archive = self._archives[component.name] = stored(component, pin, self._toolbox.store)
        return archive

    def _make(self, component: Component, announced: frozenset[str]) -> RenderedComponent:
        asks = self._asks(component)
        heard = announced if asks is None else asks & announced
        groups = []
        with self._told(component) as facts:
            kept = []
            for origin, order in self._orders(component, heard):
                found, is_kept = render_jobs.made(order, self._toolbox.renderer)
                groups.append(ObjectGroup(origin=origin, manifests=found))
                kept.append(is_kept)
            facts["cached"] = all(kept)
            facts["objects"] = sum(len(group.manifests) for group in groups)
        return RenderedComponent(
            component=component.name, groups=tuple(groups), required_apis=asks, announced=heard, is_cached=bool(facts["cached"])
        )

    def _orders(self, component: Component, heard: frozenset[str]) -> Iterator[tuple[str, RenderJob]]:
        """What has to be made of the component's sources, each with where it comes from."""
        pins = self._pins.get(component.name, Pins())
        if component.helm:
            request = RenderRequest(
                chart=self._archive(component),
                values=component.values,
                release=component.helm.release,
                namespace=component.namespace or "default",
                kubernetes=self._stack.target.kubernetes,
                api_versions=(*self._built_in, *sorted(heard)),
                skip_schema=component.helm.skip_schema,
            )
            address = pins.chart.address if pins.chart else ""
            yield address, RenderJob(component=component.name, where=component.where, chart=request)
        for url in filter(is_url, component.manifests):
            shown = without_credentials(url)
            if url not in pins.manifests:
                raise not_mined(component, shown)
            content = stored(component, pins.manifests[url], self._toolbox.store)
            yield shown, RenderJob(component=component.name, where=component.where, texts=[(shown, content)])

    @contextmanager
    def _told(self, component: Component, how: str = "") -> Iterator[dict[str, bool | int]]:
        """Tell that a component is worked on, and how that ended."""
        self._reporter.item_started(STAGE, component.name)
        facts: dict[str, bool | int] = {"cached": False, "objects": 0}
        yield facts
        detail = f"{counted(facts['objects'], 'object')}{' (cached)' if facts['cached'] else ''}"
        self._counts["cached" if facts["cached"] else how or "made"] += 1
        self._reporter.item_finished(STAGE, component.name, detail, **facts)
