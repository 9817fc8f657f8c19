"""One component of a list in the legacy format, as a native component."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import Any, Final

from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.stack.input_files import InputFiles, in_input
from cluster_forge.stack.legacy import keys, source_file
from cluster_forge.stack.legacy.schema import LegacyEntrySchema
from cluster_forge.stack.model import Notice
from cluster_forge.yaml import positioned_reader
from cluster_forge.yaml.positioned import Positioned

_VALUES_FILES: Final = (".yaml", ".yml")


class EntryTranslation:
    """Translates one entry; ``errors`` and ``notices`` are those of the whole list."""

    def __init__(self, entry: Positioned, files: InputFiles, errors: list[ForgeError], notices: list[Notice]) -> None:
        self._entry = entry
        self._name = str(entry.at(("name",)).content)
        self._files = files
        self._errors = errors
        self._notices = notices
        self.is_unreadable = False
        """Whether the component's ``source.yaml`` cannot be read."""

    def component(self, schema: LegacyEntrySchema) -> Positioned:
        """The native component; ``schema`` is the checked entry."""
        entry = self._entry
        manifests = tuple(self._manifests())
        native: dict[str, Any] = {"name": entry.at(("name",))}
        native |= dict(self._namespaces())
        if schema.syncwave is not None:
            native["wave"] = Positioned.of(schema.syncwave, entry.at(("syncwave",)))
        helm = keys.helm(entry, schema.name, self._errors)
        if helm:
            native["helm"] = helm
            native |= dict(self._values())
        if manifests:
            native["manifests"] = Positioned.of(manifests, manifests[0])
        if schema.sourced_exclude:
            native["exclude"] = Positioned.of(schema.sourced_exclude, entry.at(("sourced-exclude",)))
        if schema.skip_namespace:
            native["keepNamespace"] = Positioned.of(schema.skip_namespace, entry.at(("skip-namespace",)))
        if len(manifests) > 1:
            native["laterReplaces"] = True
        upstream = self._upstream([str(path.content) for path in manifests])
        if upstream:
            native["upstream"] = upstream
        return Positioned.of(native, entry)

    def _namespaces(self) -> Iterator[tuple[str, Any]]:
        entry = self._entry
        single = entry.get("namespace")
        several = list(keys.texts(entry, "namespaces"))
        first = single if single and single.content else several.pop(0) if several else None
        more = [namespace for namespace in several if not first or namespace.content != first.content]
        if first:
            yield "namespace", first
        if more:
            yield "extraNamespaces", Positioned.of(more, entry.at(("namespaces",)))

    def _manifests(self) -> Iterator[Positioned]:
        url = keys.url(self._entry)
        if url:
            yield url
        for path in keys.texts(self._entry, "manifestpath"):
            yield Positioned.of(_relative(str(path.content)), path)

    def _values(self) -> Iterator[tuple[str, Any]]:
        """``helm-values`` is a mapping, YAML text, or a file's name, as ``values-file`` is."""
        inline = self._entry.get("helm-values")
        named = [
            member for member in (self._entry.get("values-file"), inline) if member and _is_values_file(member.string)
        ]
        if named:
            files = [Positioned.of(self._values_path(str(member.content)), member) for member in named]
            yield "valuesFiles", Positioned.of(files, named[0])
        if inline and inline.mapping:
            yield "values", inline
        elif inline and inline.string and not _is_values_file(inline.string):
            yield "values", Positioned.of(self._parsed(inline), inline)

    def _parsed(self, text: Positioned) -> Any:
        try:
            value = positioned_reader.read(str(text.content).encode(), text.file).value
        except (DescriptionError, ExceptionGroup) as error:
            first = next(iter(leaves(error)))
            self._wrong(
                text, f"helm-values is not YAML: {getattr(first, 'message', first)}", fix="write it as a mapping"
            )
            return {}
        if not isinstance(value, dict):
            message = "helm-values must be a mapping or the name of a .yaml file"
            self._wrong(text, message, fix="write `key: value` lines")
            return {}
        return value

    def _values_path(self, name: str) -> str:
        """The file relative to ``input/``, or else in the component's folder."""
        path = _relative(name)
        inner = posixpath.join(self._name, path)
        is_inner = self._files.text(in_input(path)) is None and self._files.text(in_input(inner)) is not None
        return inner if is_inner else path

    def _upstream(self, manifests: Sequence[str]) -> Positioned | None:
        """The ``source.yaml`` beside the component's sourced folder."""
        ending = f"/{keys.SOURCED}"
        folders = [path.removesuffix(ending) for path in manifests if path.endswith(ending)]
        for folder in dict.fromkeys([*folders, self._name]):
            source = self._source(in_input(posixpath.join(folder, "source.yaml")))
            if source is None:
                continue
            sourced = posixpath.join(folder, keys.SOURCED)
            if any(sourced == path or sourced.startswith(path + "/") for path in manifests):
                return source_file.upstream(source, folder, self._errors)
            message = f"unused: {source.file} describes {sourced}, which is not in `manifestpath`"
            self._notices.append(
                Notice(code="unused-source", message=message, component=self._name, where=self._entry.where)
            )
            return None
        return None

    def _source(self, path: str) -> Positioned | None:
        try:
            return source_file.read(path, self._files)
        except (DescriptionError, ExceptionGroup) as error:
            self._errors.extend(leaf for leaf in leaves(error) if isinstance(leaf, ForgeError))
            self.is_unreadable = True
            return None

    def _wrong(self, member: Positioned, message: str, *, fix: str) -> None:
        self._errors.append(DescriptionError(f"{self._name}: {message}", where=member.where, fix=fix))


def _relative(path: str) -> str:
    """The path relative to ``input/``, which a leading slash means."""
    return posixpath.normpath(path.strip().lstrip("/") or ".")


def _is_values_file(text: str | None) -> bool:
    return bool(text) and "\n" not in str(text) and str(text).strip().endswith(_VALUES_FILES)
