"""One component's description as the model has it: layers merged, values read, what it names looked for."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from cluster_forge.foundation.errors import DescriptionError, ForgeError, leaves
from cluster_forge.foundation.names import ComponentName, did_you_mean
from cluster_forge.stack import merge
from cluster_forge.stack.input_files import Files, in_input, is_address
from cluster_forge.stack.model import Component, ExpectedSecret, HelmSource, Size, Upstream
from cluster_forge.stack.resolve import MOST_HINTS, Entry
from cluster_forge.stack.schema import ComponentSchema, HelmSchema, SecretSchema, UpstreamSchema
from cluster_forge.stack.validation import validated
from cluster_forge.yaml.positioned import Positioned

_RELEASE: Final = re.compile(r"(?=.{1,53}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
"""Helm's ``chartutil.ValidateReleaseName``."""

_FETCHED: Final = ("https://", "http://", "file://")


def build(
    entry: Entry, size: Size, files: Files, errors: list[ForgeError], *, known: Iterable[str] = ()
) -> Component | None:
    """The component; None if its description has not the right shape. What is wrong goes into ``errors``."""
    return _Building(entry, size, files, errors).component(known)


class _Building:
    def __init__(self, entry: Entry, size: Size, files: Files, errors: list[ForgeError]) -> None:
        self._entry = entry
        self._name = entry.name
        self._size = size
        self._files = files
        self._errors = errors
        self._merged = merge.without_nulls(entry.merged)

    def component(self, known: Iterable[str]) -> Component | None:
        shape = validated(ComponentSchema, self._merged)
        if not isinstance(shape, ComponentSchema):
            return None
        self._check_purpose(shape, known)
        upstream = self._upstream(shape.upstream) if shape.upstream else None
        return Component(
            name=ComponentName(self._name),
            namespace=shape.namespace,
            extra_namespaces=tuple(shape.extra_namespaces),
            wave=shape.wave,
            needs=tuple(map(ComponentName, dict.fromkeys(shape.needs))),
            helm=self._helm(shape.helm, self._merged.at(("helm",)), self._version(shape)) if shape.helm else None,
            manifests=self._manifests(self._merged, upstream.folder if upstream else None),
            values=self._values(self._entry.layers),
            exclude=tuple(shape.exclude),
            keep_namespace=shape.keep_namespace,
            later_replaces=shape.later_replaces,
            upstream=upstream,
            objects=tuple(shape.objects),
            pod_security=shape.pod_security,
            secrets=tuple(_secret(each, shape.namespace) for each in shape.secrets),
            where=self._entry.where,
        )

    def _check_purpose(self, shape: ComponentSchema, known: Iterable[str]) -> None:
        if not shape.helm and not shape.manifests and not shape.objects:
            others = known if len(self._errors) < MOST_HINTS else ()
            near = did_you_mean(self._name, (name for name in others if name != self._name))
            self._wrong(self._merged, f"nothing says what it is made from{near}", fix="give it `helm` or `manifests`")
        elif not shape.helm:
            for key in ("values", "valuesFiles", "sizes", "version"):
                member = self._merged.get(key)
                if member and member.content:
                    self._wrong(
                        member, f"`{key}` is for a chart, and it has none", fix=f"give it `helm`, or take `{key}` out"
                    )

    def _version(self, shape: ComponentSchema) -> str:
        """``version`` and ``helm.version`` say the same thing; the higher layer wins."""
        found = ""
        for layer in self._entry.layers:
            helm = layer.get("helm")
            inner, outer = helm.get("version") if helm else None, layer.get("version")
            if inner and outer and inner.content and outer.content and inner.content != outer.content:
                self._wrong(
                    outer,
                    f"`version` says {outer.content} and `helm.version` says {inner.content}",
                    fix="keep one of the two",
                )
            found = next((str(place.content) for place in (outer, inner) if place and place.content), found)
        return found or (shape.helm.version if shape.helm else "")

    def _helm(self, shape: HelmSchema, place: Positioned, version: str) -> HelmSource:
        chart, release = shape.chart, shape.release or self._name
        if not _RELEASE.match(release):
            self._wrong(
                place.at(("release",)),
                f"{release!r} cannot be a Helm release's name: lower-case letters, digits and hyphens, at most 53",
                fix="give `helm.release`",
            )
        if is_address(chart):
            repository, _, last = chart.rstrip("/").rpartition("/")
            self._wrong(
                place.at(("chart",)),
                "`helm.chart` is an address",
                fix=f"write `repository: {repository}` and `chart: {last}`",
            )
        elif not shape.repository:
            if self._path(place.at(("chart",))):
                self._note(self._files.chart_fault(place.at(("chart",)), self._name))
            chart = posixpath.normpath(chart)
        return HelmSource(
            chart=chart,
            release=release,
            repository=shape.repository,
            version=version,
            skip_schema=shape.skip_schema_validation,
        )

    def _manifests(self, place: Positioned, made: str | None) -> tuple[str, ...]:
        found: list[str] = []
        for named in place.strings("manifests"):
            text = str(named.content)
            if is_address(text):
                if not text.startswith(_FETCHED):
                    self._wrong(
                        named,
                        f"manifests cannot be fetched from {text}",
                        fix=f"addresses begin with {', '.join(_FETCHED)}",
                    )
                found.append(text)
                continue
            found.append(posixpath.normpath(text))
            if self._path(named) and found[-1] != made:
                self._note(self._files.manifests_fault(named, self._name))
        return tuple(found)

    def _upstream(self, shape: UpstreamSchema) -> Upstream:
        place = self._merged.at(("upstream",))
        for named in place.strings("manifests"):
            if not str(named.content).startswith(_FETCHED):
                self._wrong(
                    named, f"{named.content} cannot be fetched", fix=f"addresses begin with {', '.join(_FETCHED)}"
                )
        if not shape.helm and not shape.manifests:
            self._wrong(
                place, "nothing says what the folder of `upstream` is made from", fix="give it `helm` or `manifests`"
            )
        return Upstream(
            folder=posixpath.normpath(shape.folder),
            namespace=shape.namespace,
            helm=self._helm(shape.helm, place.at(("helm",)), shape.helm.version) if shape.helm else None,
            manifests=tuple(shape.manifests),
            values=self._values((place,)),
            exclude=tuple(shape.exclude),
        )

    def _values(self, layers: Iterable[Positioned]) -> Mapping[str, Any]:
        return merge.values(*(values for layer in layers for values in self._layer_values(layer)))

    def _layer_values(self, layer: Positioned) -> Iterator[Mapping[str, Any]]:
        for named in layer.strings("valuesFiles"):
            yield self._values_file(named)
        sizes = layer.get("sizes")
        for member in (sizes.get(self._size) if sizes else None, layer.get("values")):
            if member:
                yield member.plain or {}

    def _values_file(self, named: Positioned) -> Mapping[str, Any]:
        if not self._path(named):
            return {}
        path = in_input(str(named.content))
        try:
            located = self._files.located(path)
        except DescriptionError as error:
            self._errors.append(error)
            return {}
        except ExceptionGroup as group:
            self._errors.extend(error for error in leaves(group) if isinstance(error, ForgeError))
            return {}
        if located is None:
            self._wrong(
                named, f"there is no values file {path}", fix="make it, or name another one (relative to input/)"
            )
            return {}
        if located.value is not None and not isinstance(located.value, dict):
            self._errors.append(
                DescriptionError(
                    "Helm values have to be a mapping", where=located.where(), fix="write `key: value` lines"
                )
            )
            return {}
        return located.value or {}

    def _path(self, named: Positioned) -> bool:
        """Whether the path is relative, as it has to be."""
        is_relative = not str(named.content).startswith("/")
        if not is_relative:
            self._wrong(named, f"{named.content} begins with a slash", fix="paths are relative to input/")
        return is_relative

    def _wrong(self, place: Positioned, message: str, *, fix: str) -> None:
        self._note(DescriptionError(f"{self._name}: {message}", where=place.where, fix=fix))

    def _note(self, error: DescriptionError | None) -> None:
        if error:
            self._errors.append(error)


def _secret(shape: SecretSchema, namespace: str) -> ExpectedSecret:
    return ExpectedSecret(
        name=shape.name, namespace=shape.namespace or namespace, keys=shape.keys, purpose=shape.purpose
    )
