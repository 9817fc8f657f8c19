"""The first implementation's format as a native description: a list that defines, and a selection that selects.

Every part of the translation keeps the place of what it was made from. An object of a later ``manifestpath`` replaces
an equal one of an earlier one there, so components get ``laterReplaces``; a ``source.yaml`` becomes ``upstream``.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.foundation.errors import DescriptionError, ForgeError, leaves
from cluster_forge.stack.input_files import Files, in_input
from cluster_forge.stack.legacy_schema import LegacyEntrySchema, LegacySourceSchema
from cluster_forge.stack.model import Notice
from cluster_forge.stack.schema import API_VERSION, KIND
from cluster_forge.stack.validation import schema_errors, validated, with_texts
from cluster_forge.yaml import positioned_reader
from cluster_forge.yaml.positioned import Positioned

_SOURCED: Final = "manifests/sourced"
_TEXTS: Final = (
    "name",
    "namespace",
    "manifest-url",
    "helm-chart-name",
    "helm-url",
    "helm-name",
    "helm-version",
    "values",
    "values-file",
)
_MOST_ERRORS: Final = 100
"""Nobody reads more: the rest of the list is not looked at."""

_OCI: Final = "oci://"
_FILES: Final = (".yaml", ".yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """A native description, and what there is to say about how it came about."""

    description: Positioned
    notices: tuple[Notice, ...]
    broken: frozenset[str]
    """Components of which nothing can be said, for their ``source.yaml`` is unreadable."""


def translate(
    entries: Positioned, selection: Sequence[Positioned], name: str, files: Files, errors: list[ForgeError]
) -> Translation:
    """Translate a list; without a selection all of its components are the stack.

    What is wrong in the list or in a ``source.yaml`` goes into ``errors``.
    """
    components: list[Positioned] = []
    collections: dict[str, Positioned] = {}
    notices: list[Notice] = []
    broken: set[str] = set()
    for index, written in enumerate(entries.items):
        if len(errors) > _MOST_ERRORS:
            errors.append(_rest(written, len(entries.items) - index))
            break
        entry = with_texts(written, _TEXTS)
        shape = _checked(entry, f"[{index}]", errors)
        if shape is None:
            continue
        if shape.collection is None:
            translating = _Translating(entry, shape, files, errors, notices)
            components.append(translating.component())
            broken.update({shape.name} if translating.is_broken else ())
        elif shape.name in collections:
            errors.append(_twice(entry, collections[shape.name]))
        else:
            collections[shape.name] = _collection(entry, errors)
    members: dict[str, Any] = {"apiVersion": API_VERSION, "kind": KIND, "name": name}
    if selection:
        members |= {"components": tuple(selection), "define": tuple(components)}
    else:
        members |= {"components": tuple(components)}
    if collections:
        members["collections"] = collections
    return Translation(description=Positioned.of(members, entries), notices=tuple(notices), broken=frozenset(broken))


def _rest(entry: Positioned, number: int) -> DescriptionError:
    return DescriptionError(
        f"the {number:,} entries from here on were not looked at", where=entry.where, fix="mend those above first"
    )


def _checked(entry: Positioned, around: str, errors: list[ForgeError]) -> LegacyEntrySchema | None:
    name = entry.get("name")
    found = schema_errors(LegacyEntrySchema, entry, str(name.content) if name else around)
    errors.extend(found)
    shape = validated(LegacyEntrySchema, entry)
    return shape if isinstance(shape, LegacyEntrySchema) else None


def _collection(entry: Positioned, errors: list[ForgeError]) -> Positioned:
    more = [key for key in entry.mapping if key not in ("name", "collection")]
    if more:
        errors.append(
            DescriptionError(
                f"{entry.at(('name',)).content}: a collection has members and nothing else, so {more[0]!r} means nothing",
                where=entry.at((more[0],)).where,
                fix="take it out, or make it a component without `collection`",
            )
        )
    return entry.at(("collection",))


def _twice(second: Positioned, first: Positioned) -> DescriptionError:
    return DescriptionError(
        f"two collections are called {second.at(('name',)).content!r}: here and at {first.where}",
        where=second.where,
        fix="rename one of them",
    )


class _Translating:
    """One entry on its way to a native component."""

    def __init__(
        self, entry: Positioned, shape: LegacyEntrySchema, files: Files, errors: list[ForgeError], notices: list[Notice]
    ) -> None:
        self._entry = entry
        self._shape = shape
        self._files = files
        self._errors = errors
        self._notices = notices
        self.is_broken = False

    def component(self) -> Positioned:
        entry, shape = self._entry, self._shape
        manifests = tuple(self._manifests())
        native: dict[str, Any] = {"name": entry.at(("name",))}
        native |= dict(self._namespaces())
        if shape.syncwave is not None:
            native["wave"] = Positioned.of(shape.syncwave, entry.at(("syncwave",)))
        helm = _helm(entry, shape.name, self._errors)
        if helm:
            native["helm"] = helm
            native |= dict(self._values())
        if manifests:
            native["manifests"] = Positioned.of(manifests, manifests[0])
        if shape.sourced_exclude:
            native["exclude"] = Positioned.of(shape.sourced_exclude, entry.at(("sourced-exclude",)))
        if shape.skip_namespace:
            native["keepNamespace"] = Positioned.of(shape.skip_namespace, entry.at(("skip-namespace",)))
        if len(manifests) > 1:
            native["laterReplaces"] = True
        upstream = self._upstream([str(path.content) for path in manifests])
        if upstream:
            native["upstream"] = upstream
        return Positioned.of(native, entry)

    def _namespaces(self) -> Iterator[tuple[str, Any]]:
        entry = self._entry
        single = entry.get("namespace")
        several = list(_texts(entry, "namespaces"))
        first = single if single and single.content else several.pop(0) if several else None
        more = [namespace for namespace in several if not first or namespace.content != first.content]
        if first:
            yield "namespace", first
        if more:
            yield "extraNamespaces", Positioned.of(more, entry.at(("namespaces",)))

    def _manifests(self) -> Iterator[Positioned]:
        url = self._entry.get("manifest-url")
        if url and url.string:
            yield Positioned.of(url.string.strip(), url)
        for path in _texts(self._entry, "manifestpath"):
            yield Positioned.of(_relative(str(path.content)), path)

    def _values(self) -> Iterator[tuple[str, Any]]:
        """``helm-values`` is a mapping, YAML text, or a file's name, as ``values-file`` is."""
        named = [self._entry.get("values-file"), self._entry.get("helm-values")]
        files = [place for place in named if place and place.string and _names_file(place.string)]
        if files:
            yield (
                "valuesFiles",
                Positioned.of([Positioned.of(self._beside(str(place.content)), place) for place in files], files[0]),
            )
        inline = self._entry.get("helm-values")
        if inline and inline.mapping:
            yield "values", inline
        elif inline and inline.string and not _names_file(inline.string):
            yield "values", Positioned.of(self._parsed(inline), inline)

    def _parsed(self, text: Positioned) -> Any:
        try:
            value = positioned_reader.read(str(text.content).encode(), text.file).value
        except (DescriptionError, ExceptionGroup) as error:
            first = next(iter(leaves(error)))
            self._wrong(
                text, f"helm-values is no YAML: {getattr(first, 'message', first)}", fix="write it as a mapping"
            )
            return {}
        if not isinstance(value, dict):
            self._wrong(
                text, "helm-values has to be a mapping or the name of a .yaml file", fix="write `key: value` lines"
            )
            return {}
        return value

    def _beside(self, name: str) -> str:
        """The file relative to ``input/``, or else in the component's folder."""
        path = _relative(name)
        inner = posixpath.join(self._shape.name, path)
        return (
            inner
            if self._files.text(in_input(path)) is None and self._files.text(in_input(inner)) is not None
            else path
        )

    def _upstream(self, manifests: Sequence[str]) -> Positioned | None:
        """How the component's sourced folder is made: by the ``source.yaml`` beside it."""
        folders = [path.removesuffix(_SOURCED).rstrip("/") for path in manifests if path.endswith("/" + _SOURCED)]
        for folder in dict.fromkeys([*folders, self._shape.name]):
            source = self._source(in_input(posixpath.join(folder, "source.yaml")))
            if source is None:
                continue
            made = posixpath.join(folder, _SOURCED)
            if any(made == path or made.startswith(path + "/") for path in manifests):
                return _made(source, folder, self._errors)
            message = f"{source.file} makes {made}, which is in no manifestpath: it is not part of the component"
            self._notices.append(
                Notice(code="unused-source", message=message, component=self._shape.name, where=self._entry.where)
            )
            return None
        return None

    def _source(self, path: str) -> Positioned | None:
        try:
            found = self._files.located(path)
        except (DescriptionError, ExceptionGroup) as error:
            self._errors.extend(inner for inner in leaves(error) if isinstance(inner, ForgeError))
            self.is_broken = True
            return None
        if found is None:
            return None
        source = with_texts(found.root, _TEXTS)
        wrong = schema_errors(LegacySourceSchema, source)
        self._errors.extend(wrong)
        self.is_broken = self.is_broken or bool(wrong)
        return None if wrong else source

    def _wrong(self, place: Positioned, message: str, *, fix: str) -> None:
        self._errors.append(DescriptionError(f"{self._shape.name}: {message}", where=place.where, fix=fix))


def _made(source: Positioned, folder: str, errors: list[ForgeError]) -> Positioned:
    """``source.yaml`` as ``upstream``."""
    native: dict[str, Any] = {"folder": posixpath.join(folder, _SOURCED)}
    namespace = source.get("namespace")
    if namespace and namespace.content:
        native["namespace"] = namespace
    helm = _helm(source, str(source.at(("name",)).content), errors)
    if helm:
        native["helm"] = helm
    url = source.get("manifest-url")
    if url and url.string:
        native["manifests"] = Positioned.of([Positioned.of(url.string.strip(), url)], url)
    values = source.get("values")
    if values and values.string:
        native["valuesFiles"] = Positioned.of([Positioned.of(posixpath.join(folder, values.string), values)], values)
    excluded = source.get("source-exclusions")
    if excluded and excluded.content:
        native["exclude"] = Positioned.of(list(_texts(source, "source-exclusions")), excluded)
    return Positioned.of(native, source)


def _helm(entry: Positioned, release: str, errors: list[ForgeError]) -> Positioned | None:
    """The ``helm-*`` keys as ``helm``; an ``oci://`` address in ``helm-chart-name`` is repository and chart in one."""
    chart, url = entry.get("helm-chart-name"), entry.get("helm-url")
    if not chart or not chart.string:
        if url and url.content:
            errors.append(
                DescriptionError("`helm-url` without `helm-chart-name`", where=url.where, fix="name the chart")
            )
        return None
    native: dict[str, Any] = {"chart": chart}
    if chart.string.startswith(_OCI) and not (url and url.content):
        repository, _, last = chart.string.rstrip("/").rpartition("/")
        native = {"repository": Positioned.of(repository, chart), "chart": Positioned.of(last, chart)}
    elif url and url.content:
        native = {"repository": url, "chart": chart}
    version, name = entry.get("helm-version"), entry.get("helm-name")
    if version and version.content:
        native["version"] = version
    native["release"] = name if name and name.content else release
    return Positioned.of(native, chart)


def _texts(entry: Positioned, key: str) -> Iterator[Positioned]:
    """A member that is one text or a list of them."""
    member = entry.get(key)
    if member is not None:
        yield from [member] if member.string is not None else member.items


def _relative(path: str) -> str:
    """A leading slash means ``input/``."""
    return posixpath.normpath(path.strip().lstrip("/") or ".")


def _names_file(text: str) -> bool:
    return "\n" not in text and text.strip().endswith(_FILES)
