"""From pinned sources and files to the objects of every component: what `mine` and `smelt` have in common.

Charts are rendered as a cluster that holds the whole stack would have them rendered: the API versions that the stack's
own CRDs define are announced to every chart. A chart that asks for one of those which another chart brings is rendered
once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ForgeError, LockError, ManifestError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import kubernetes_apis, normalize, scope, split
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.ports import HelmEngine, Pinned, Rendered, RenderRequest, StackFiles, Store, Workers, YamlReader
from cluster_forge.stack.model import Component, HelmSource, Stack, Values

_ROUNDS = 5
_YAML = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """The sources of one component as they were found: its chart, and its manifests by URL."""

    chart: Pinned | None = None
    manifests: Mapping[str, Pinned] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The objects of one entry of a component: its chart, or one URL, file or folder of ``manifests``."""

    origin: str
    manifests: tuple[Manifest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Everything that a component brings, entry by entry; ``sourced`` counts those that came from outside."""

    component: Component
    sourced: tuple[Group, ...]
    own: tuple[Group, ...]
    announced: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[Group, ...]:
        return self.sourced + self.own


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The ports that rendering needs."""

    store: Store
    files: StackFiles
    engine: HelmEngine
    reader: YamlReader
    workers: Workers


def render(
    stack: Stack, pins: Mapping[ComponentName, Pins], tools: Tools, told: Callable[[Component, int], None]
) -> dict[ComponentName, Content]:
    """The objects of every component, in the order of the stack. ``told`` hears of each component that is done.

    Raises:
        ExceptionGroup: of every component's errors: RenderError, ArchiveError, ManifestError, LockError.
    """
    built_in = kubernetes_apis.api_versions(stack.target.kubernetes.minor)
    own = dict(zip(stack.components, tools.workers.map(lambda each: _own(each, tools), stack.components), strict=True))
    charts = [each for each in stack.components if each.helm]
    urls = {each.name: _fetched(each, pins.get(each.name, Pins()), tools) for each in stack.components}
    announced = _announced(group for groups in (*own.values(), *urls.values()) for group in groups)
    rendered: dict[ComponentName, _Render] = {}
    due = charts
    for _ in range(_ROUNDS):
        apis = (*built_in, *sorted(announced))
        for done in tools.workers.map(lambda each: _chart(each, pins, apis, stack, tools), due):
            rendered[done.component] = done
        found = announced | _announced(each.group for each in rendered.values())
        new, announced = found - announced, found
        due = [each for each in charts if rendered[each.name].would_change(new)]
        if not due:
            break
    contents = {}
    for each in stack.components:
        chart = (rendered[each.name].group,) if each.helm else ()
        content = Content(component=each, sourced=(*chart, *urls[each.name]), own=own[each], announced=tuple(sorted(announced)))
        contents[each.name] = content
        told(each, sum(len(group.manifests) for group in content.groups))
    return contents


@dataclass(frozen=True, slots=True, kw_only=True)
class _Render:
    component: ComponentName
    group: Group
    asks_for: frozenset[str] | None

    def would_change(self, announced: Iterable[str]) -> bool:
        """Whether the chart may come out otherwise when these API versions are announced too."""
        new = frozenset(announced)
        return bool(new) if self.asks_for is None else bool(new & self.asks_for)


def documents(texts: Iterable[tuple[split.Document, str]], component: ComponentName, reader: YamlReader) -> Iterator[Manifest]:
    """The objects in documents, each with the file or template that it came from.

    Raises:
        ExceptionGroup: of one ManifestError for each document that is not YAML or not a Kubernetes object.
    """
    errors: list[ManifestError] = []
    for document, origin in texts:
        where = f"{origin}:{document.line}"
        try:
            value = reader.read(document.text)
            yield from normalize.objects(value, Provenance(component=component, origin=where))
        except ManifestError as error:
            errors.append(error if error.where else _placed(error, component, where))
    if errors:
        raise ExceptionGroup(f"{len(errors)} documents of {component}", errors)


def _chart(component: Component, pins: Mapping[ComponentName, Pins], apis: Sequence[str], stack: Stack, tools: Tools) -> _Render:
    assert component.helm is not None
    pin = pins[component.name].chart if component.name in pins else None
    if pin is None:
        raise not_mined(component, component.helm.chart)
    archive = _stored(component, pin, tools.store)
    try:
        rendered = tools.engine.render(request_of(component.helm, component.values, component.namespace, archive, apis, stack))
    except ForgeError as error:
        raise _named(error, component) from error
    manifests = tuple(documents(_texts(rendered), component.name, tools.reader))
    return _Render(
        component=component.name,
        group=Group(origin=pin.address, manifests=manifests),
        asks_for=rendered.asks_for,
    )


def request_of(
    source: HelmSource, values: Values, namespace: str, archive: bytes, apis: Sequence[str], stack: Stack
) -> RenderRequest:
    """What Helm is asked, with the target's version and API versions."""
    return RenderRequest(
        chart=archive,
        values=values,
        release=source.release,
        namespace=namespace or "default",
        kubernetes=stack.target.kubernetes,
        api_versions=apis,
    )


def _fetched(component: Component, pins: Pins, tools: Tools) -> tuple[Group, ...]:
    """The objects behind the component's URLs."""
    groups = []
    for url in filter(is_url, component.manifests):
        pin = pins.manifests.get(url)
        if pin is None:
            raise not_mined(component, url)
        text = _text(_stored(component, pin, tools.store), url)
        texts = ((document, url) for document in split.written(text))
        groups.append(Group(origin=url, manifests=tuple(documents(texts, component.name, tools.reader))))
    return tuple(groups)


def _own(component: Component, tools: Tools) -> tuple[Group, ...]:
    """The objects in the component's own files and folders, one group for each entry."""
    groups = []
    for entry in component.manifests:
        if not is_url(entry):
            texts = _documents_in(f"input/{entry.strip('/')}", component, tools.files)
            groups.append(Group(origin=entry, manifests=tuple(documents(texts, component.name, tools.reader))))
    return tuple(groups)


def _documents_in(path: str, component: Component, files: StackFiles) -> Iterator[tuple[split.Document, str]]:
    tree = files.read_tree(path)
    if tree is not None:
        contents = {f"{path}/{name}": content for name, content in tree.files.items() if name.endswith(_YAML)}
        if not path.startswith(mined := f"input/{sourced_folder(component)}"):
            contents = {name: content for name, content in contents.items() if not name.startswith(f"{mined}/")}
    else:
        content = files.read(path)
        if content is None:
            raise ManifestError(f"component {component.name}: there is no {path}", where=component.where)
        contents = {path: content}
    for name, content in contents.items():
        for document in split.written(_text(content, name)):
            yield document, name


def sourced_folder(component: Component) -> str:
    """Where `mine` writes what it rendered, relative to ``input/``."""
    return f"{component.name}/manifests/sourced"


def is_url(entry: str) -> bool:
    """Whether an entry of ``manifests`` is fetched, not read from ``input/``."""
    return "://" in entry


def not_mined(component: Component, what: str) -> LockError:
    return LockError(
        f"component {component.name}: {what} is not in cluster-forge.lock",
        where=component.where,
        fix=f"run `cluster-forge mine {component.name}` (or `forge`, which mines what is missing)",
    )


def _texts(rendered: Rendered) -> Iterator[tuple[split.Document, str]]:
    for path, text in rendered.templates.items():
        for document in split.rendered(text):
            yield document, path
    for path, text in rendered.crds:
        for document in split.written(text):
            yield document, path


def _stored(component: Component, pin: Pinned, store: Store) -> bytes:
    content = store.get(pin.digest)
    if content is None:
        raise LockError(
            f"component {component.name}: {pin.address} {pin.version} ({pin.digest}) is not in the store",
            where=component.where,
            fix=f"run `cluster-forge mine {component.name}` on this machine",
        )
    return content


def _text(content: bytes, origin: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ManifestError(f"not UTF-8 text: {error}", where=origin, fix="save the file as UTF-8") from error


def _announced(groups: Iterable[Group]) -> frozenset[str]:
    """The API versions that the CRDs among the groups' objects add to a cluster."""
    return frozenset(
        api for group in groups for kind in scope.custom_kinds(group.manifests) for api in kind.api_versions
    )


def _named(error: ForgeError, component: Component) -> ForgeError:
    """``error`` with the component that it is about."""
    return type(error)(f"component {component.name}: {error.message}", where=error.where or component.where, fix=error.fix)


def _placed(error: ManifestError, component: ComponentName, where: str) -> ManifestError:
    return ManifestError(f"component {component}: {error.message}", where=where, fix=error.fix)


def fingerprint(component: Component, pins: Pins, announced: Sequence[str], stack: Stack, engine: HelmEngine) -> Digest:
    """What decides how a component's sources come out: their digests, the values, the target and the tools."""
    import orjson

    parts = {
        "sources": [str(pins.chart.digest) if pins.chart else "", *(str(pin.digest) for _, pin in sorted(pins.manifests.items()))],
        "values": dict(component.values),
        "release": component.helm.release if component.helm else "",
        "namespace": component.namespace,
        "kubernetes": str(stack.target.kubernetes),
        "announced": sorted(announced) if component.helm else [],
        "engine": engine.version if component.helm else "",
    }
    return Digest.of(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS))
