"""Rendering one component: its own entries, its sourced tree, or its sources."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace

from cluster_forge.foundation import chart_archives
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.error_groups import leaves, raise_all
from cluster_forge.foundation.errors import ArchiveError, ForgeError, LockError, ManifestError
from cluster_forge.foundation.names import ComponentName, counted
from cluster_forge.manifests import kubernetes_apis
from cluster_forge.ports.kustomize import KustomizeRequest
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.rendering import RenderJob, RenderRequest
from cluster_forge.stack.component import Component, KustomizeSource
from cluster_forge.stack.lock import Lock, LockedSource, kustomization_address
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build.rendering import render_jobs, sourced_tree, substitution
from cluster_forge.stages.build.rendering.component_sources import (
    ComponentSources,
    is_url,
    not_locked,
    sourced_folder,
    stored_content,
)
from cluster_forge.stages.build.rendering.render_jobs import ObjectGroup
from cluster_forge.stages.build.rendering.rendered_component import RenderedComponent, visible_to
from cluster_forge.stages.toolbox import Toolbox

STAGE = "render"
_MAY_ASK = re.compile(r"APIVersions|\{\{[^}]*\b(?:include|template)\b")
"""A template that asks for API versions, or calls one of the chart's own."""


class ComponentRenderer:
    """Renders the components of one stack, one at a time, and reports each. Safe to use from several threads.

    ``sources`` may still be filled: those of a component must be there before it is asked about.
    ``regenerates``: sourced trees that cannot be reused are written again, so a damaged one is not an error.
    """

    def __init__(  # noqa: PLR0913 - what a stage has, and which one it is
        self,
        stack: Stack,
        sources: Mapping[ComponentName, ComponentSources],
        lock: Lock,
        toolbox: Toolbox,
        reporter: Reporter,
        *,
        regenerates: bool = False,
    ) -> None:
        self._regenerates = regenerates
        self._target = stack.target
        self._sources = sources
        self._lock = lock
        self._toolbox = toolbox
        self._reporter = reporter
        self._built_in = kubernetes_apis.api_versions(stack.target.kubernetes.minor)
        self._required: dict[ComponentName, frozenset[str] | None] = {}
        self._contents: dict[Digest, bytes] = {}
        self._counts: Counter[str] = Counter()
        self._sourced: set[ComponentName] = set()

    @property
    def summary(self) -> str:
        """``3 rendered, 40 cached, 2 reused``."""
        return ", ".join(f"{number} {how}" for how, number in self._counts.items()) or "nothing to do"

    def render_entry(self, component: Component, entry: str) -> ObjectGroup:
        """The objects of an entry of ``manifests`` in ``input/``; of what the description itself has if ``entry`` is empty.

        Raises:
            ManifestError, ExceptionGroup: if the entry does not exist or does not hold Kubernetes objects, or refers to a
                variable that has no value.
        """
        with self._reported(component) as facts:
            files = self._toolbox.files
            job = (
                render_jobs.of_entry(entry, component, files) if entry else render_jobs.of_description(component, files)
            )
            group = render_jobs.run(job, self._toolbox.renderer)
            if entry and component.names:
                manifests = substitution.substituted(group.manifests, component.names, files.read)
                group = replace(group, manifests=manifests)
            facts |= {"cached": group.is_cached, "objects": len(group.manifests)}
        return group

    def was_mined(self, component: Component) -> bool:
        """Whether `mine` ever wrote a sourced tree of the component; it may be missing now."""
        locked = self._lock.component(component.name)
        return locked is not None and locked.rendered is not None

    def load_sourced_tree(self, component: Component) -> RenderedComponent | None:
        """The component's sourced tree, whether it `is_current` or not; None if `mine` never wrote one.

        Raises:
            ManifestError, ExceptionGroup: for files that do not hold Kubernetes objects, unless the tree is written again.
        """
        locked = self._lock.component(component.name)
        if locked is None or not self.was_mined(component):
            return None
        try:
            rendered = sourced_tree.load(component, locked, self._toolbox.files, self._toolbox.renderer)
        except (ManifestError, ExceptionGroup) as error:
            if not all(isinstance(leaf, ManifestError) for leaf in leaves(error)):
                raise
            if self._regenerates:
                return None
            raise sourced_tree.damaged(component, error) from error
        if rendered:
            with self._reported(component, "reused", is_sourced=True) as facts:
                facts |= {"cached": rendered.is_cached, "objects": rendered.sourced_count}
        return rendered

    def is_current(self, component: Component, rendered: RenderedComponent, visible_apis: Collection[str]) -> bool:
        """Whether rendering with ``visible_apis`` would have the same result."""
        visible = visible_to(rendered.required_apis, visible_apis)
        if rendered.reused_tree is None:
            return visible == rendered.visible_apis
        locked = self._lock.component(component.name)
        expected = sourced_tree.fingerprint(
            component,
            self._sources.get(component.name, ComponentSources()),
            visible_apis=visible,
            target=self._target,
            engine=sourced_tree.engine(component, self._toolbox),
            tree=rendered.reused_tree,
        )
        return locked is not None and locked.rendered == expected

    def check_result(self, rendered: RenderedComponent) -> None:
        """Compare what was rendered with the lock: the same sources, rendered by the same build, have the same result.

        Raises:
            LockError: if the result differs.
        """
        component = rendered.component
        locked = self._lock.component(component.name)
        if rendered.reused_tree is not None or locked is None or locked.rendered is None or locked.inputs is None:
            return
        sources = self._sources.get(component.name, ComponentSources())
        engine = sourced_tree.engine(component, self._toolbox)
        if sourced_tree.inputs(component, sources, rendered.visible_apis, self._target, engine) != locked.inputs:
            return
        folder = f"input/{sourced_folder(component)}"
        tree, _ = sourced_tree.build_tree(rendered)
        result = sourced_tree.fingerprint(
            component,
            sources,
            visible_apis=rendered.visible_apis,
            target=self._target,
            engine=engine,
            tree=tree.digest,
        )
        if result != locked.rendered:
            raise LockError(
                f"component {component.name}: the same sources were rendered to something else: the lock has "
                f"{locked.rendered}, the result is {result}",
                where=component.where,
                fix=f"a chart that draws random values: restore {folder}/ from Git, or accept new ones: "
                f"cluster-forge mine --update {component.name}; a cache that others write: --no-cache",
            )

    def required_apis(self, component: Component) -> frozenset[str] | None:
        """The API versions that the component's chart asks for; None: any."""
        if component.name not in self._required:
            self._required[component.name] = self._find_required_apis(component)
        return self._required[component.name]

    def requires_only_built_in(self, component: Component) -> bool:
        """Whether the chart asks for no API versions but those of Kubernetes itself."""
        required = self.required_apis(component)
        return required is not None and required <= frozenset(self._built_in)

    def weight(self, component: Component) -> int:
        """Roughly how much work a component is: the size of its sources in bytes, 0 where one cannot be read."""
        sources = self._sources.get(component.name, ComponentSources())
        with suppress(ForgeError):  # `render` raises it
            return sum(len(self._content(component, source)) for source in sources.locked)
        return 0

    def render(self, component: Component, visible_apis: Collection[str]) -> RenderedComponent:
        """The objects of the component's sources, rendered with the API versions that the stack's CRDs define.

        Raises:
            LockError: if a source is not locked, or not in the store.
            RenderError, ArchiveError, ManifestError, ExceptionGroup: see `Renderer.render`.
        """
        required = self.required_apis(component)
        visible = visible_to(required, visible_apis)
        with self._reported(component, is_sourced=True) as facts:
            groups = [render_jobs.run(job, self._toolbox.renderer) for job in self._source_jobs(component, visible)]
            groups += [self._built(component, component.kustomize)] if component.kustomize else []
            rendered = RenderedComponent(
                component=component,
                sourced=tuple(groups),
                required_apis=required,
                visible_apis=visible,
                remarks=tuple(remark for group in groups for remark in group.remarks),
            )
            facts |= {"cached": rendered.is_cached, "objects": rendered.sourced_count}
        return rendered

    def _find_required_apis(self, component: Component) -> frozenset[str] | None:
        if not component.helm:
            return frozenset()
        if _MAY_ASK.search(str(component.values)):  # values may hold templates, too
            return None
        try:
            return self._toolbox.renderer.required_apis(self._archive(component))
        except (LockError, ArchiveError):
            return frozenset()  # `render` raises it, together with the errors of the other components

    def _archive(self, component: Component) -> bytes:
        """The component's chart."""
        assert component.helm is not None
        sources = self._sources.get(component.name, ComponentSources())
        if sources.chart is None:
            raise not_locked(component, component.helm.chart)
        archive = self._content(component, sources.chart)
        if not sources.dependencies:
            return archive
        added = {path: self._content(component, source) for path, source in sources.dependencies.items()}
        return chart_archives.with_files(archive, added)

    def _manifests(self, component: Component, url: str) -> bytes:
        """The manifests of a URL."""
        locked = self._sources.get(component.name, ComponentSources()).manifests
        if url not in locked:
            raise not_locked(component, without_credentials(url))
        return self._content(component, locked[url])

    def _built(self, component: Component, source: KustomizeSource) -> ObjectGroup:
        """The objects of the component's kustomization."""
        locked = self._sources.get(component.name, ComponentSources()).kustomization
        if locked is None:
            raise not_locked(component, kustomization_address(source))
        fetched = {text: self._manifests(component, address) for text, address in source.remotes.items()}
        request = _kustomize_request(source, self._content(component, locked), fetched)
        try:
            built = self._toolbox.kustomize.build(request)
        except (ForgeError, ExceptionGroup) as error:
            raise_all(_of_component(leaf, component) for leaf in leaves(error) if isinstance(leaf, ForgeError))
            raise
        group = render_jobs.run(render_jobs.of_kustomization(source, built.text, component), self._toolbox.renderer)
        return replace(group, remarks=built.remarks)

    def _content(self, component: Component, source: LockedSource) -> bytes:
        """A source of the component, read from the store once."""
        if source.digest not in self._contents:
            self._contents[source.digest] = stored_content(component, source, self._toolbox.store)
        return self._contents[source.digest]

    def chart_request(self, component: Component, visible_apis: Collection[str]) -> RenderRequest:
        """What Helm renders for a component that has a chart.

        Raises:
            LockError, ArchiveError: if the chart is not locked, not in the store, or no archive.
        """
        assert component.helm is not None
        return RenderRequest(
            chart=self._archive(component),
            values=component.values,
            release=component.helm.release,
            namespace=component.namespace or "default",
            kubernetes=self._target.kubernetes,
            api_versions=(*self._built_in, *sorted(visible_apis)),
            skip_schema=component.helm.skip_schema,
        )

    def _source_jobs(self, component: Component, visible_apis: Collection[str]) -> Iterator[RenderJob]:
        if component.helm:
            yield render_jobs.of_chart(self.chart_request(component, visible_apis), component)
        for url in filter(is_url, component.manifests):
            yield render_jobs.of_url(url, self._manifests(component, url), component)

    @contextmanager
    def _reported(
        self, component: Component, how: str = "rendered", *, is_sourced: bool = False
    ) -> Iterator[dict[str, bool | int]]:
        """Report a component's start and, with the facts that the caller fills in, its end.

        Its sources may be rendered again, when other components turn out to define API versions that its chart asks for.
        """
        self._reporter.item_started(STAGE, component.name)
        facts: dict[str, bool | int] = {"cached": False, "objects": 0}
        yield facts
        self._counts["cached" if facts["cached"] else how] += 1
        detail = f"{counted(facts['objects'], 'object')}{' (cached)' if facts['cached'] else ''}"
        if is_sourced and component.name in self._sourced:
            facts["again"] = True
            detail += ", again for other API versions"
        elif is_sourced:
            self._sourced.add(component.name)
        self._reporter.item_finished(STAGE, component.name, detail, **facts)


def _of_component(error: ForgeError, component: Component) -> ForgeError:
    message = f"component {component.name}: {error.message}"
    return type(error)(message, where=error.where or component.where, fix=error.fix)


def _kustomize_request(source: KustomizeSource, archive: bytes, fetched: Mapping[str, bytes]) -> KustomizeRequest:
    name = f"{replace(source.git, path='')}/" if source.git else "input"
    return KustomizeRequest(archive=archive, folder=source.folder, name=name, fetched=fetched)
