"""Builds a `Component` from its layers: values merged, values files read, and every path and version checked."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from cluster_forge.foundation import git_addresses
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import DescriptionError, ForgeError, leaves
from cluster_forge.foundation.git_addresses import GitAddress, is_git
from cluster_forge.foundation.names import ComponentName, did_you_mean
from cluster_forge.stack import changes_reader, merge, patch_reader, saved_changes, source_schemes
from cluster_forge.stack.changes import Changes
from cluster_forge.stack.component import Component, ExpectedSecret, FilesKind, HelmSource, ObjectOfFiles, Upstream
from cluster_forge.stack.input_files import InputFiles, in_input, is_outside, is_url, outside_error
from cluster_forge.stack.kustomization.described import kustomize_source
from cluster_forge.stack.model import Size
from cluster_forge.stack.object_files import FilesByKey
from cluster_forge.stack.operated_kind import OperatedKind, OperatedPods
from cluster_forge.stack.plugin_reader import PluginReader
from cluster_forge.stack.resolve import MOST_HINTS, LayeredComponent
from cluster_forge.stack.schema.component import (
    ComponentSchema,
    ConfigMapSchema,
    HelmSchema,
    OperatesSchema,
    SecretSchema,
    UpstreamSchema,
)
from cluster_forge.stack.schema.validation import schema_errors, validated
from cluster_forge.stack.variables.expansion import Expander
from cluster_forge.yaml.positioned import Path, Positioned

_RELEASE: Final = re.compile(r"(?=.{1,53}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
"""Helm's ``chartutil.ValidateReleaseName``."""

_SCHEMES: Final = ("https://", "http://", "file://", "git+https://")


def build(
    entry: LayeredComponent, size: Size, files: InputFiles, errors: list[ForgeError], *, known: Iterable[str] = ()
) -> Component | None:
    """The component; None if its description does not fit the schema. Errors go into ``errors``."""
    return _Builder(entry, size, files, errors).component(known)


def value_places(entry: LayeredComponent, size: Size, files: InputFiles) -> dict[tuple[str, ...], str]:
    """Where the values of a component that could be built are written: ``file:line`` by the keys that lead to each."""
    layers = tuple(_Builder(entry, size, files, []).value_layers())
    merged = merge.positioned(*layers) if layers else Positioned(MappingProxyType({}), "")
    return {tuple(map(str, path)): where for path, where in merged.origins()}


class _Builder:
    def __init__(self, entry: LayeredComponent, size: Size, files: InputFiles, errors: list[ForgeError]) -> None:
        self._entry = entry
        self._name = entry.name
        self._size = size
        self._files = files
        self._errors = errors
        self._merged = merge.without_nulls(entry.merged)

    def component(self, known: Iterable[str]) -> Component | None:
        schema = validated(ComponentSchema, self._merged)
        if schema is None:
            self._check_files()
            return None
        self._check_source(schema, known)
        upstream = self._upstream(schema.upstream) if schema.upstream else None
        helm = self._helm(schema.helm, self._merged.at(("helm",)), self._version(schema)) if schema.helm else None
        kustomize = self._merged.get("kustomize")
        manifests = self._manifests(self._merged, upstream.folder if upstream else None)
        manifests += saved_changes.objects(self._name, manifests, self._files, self._errors)
        values = tuple(self.value_layers())
        return Component(
            name=ComponentName(self._name),
            namespace=schema.namespace,
            extra_namespaces=tuple(schema.extra_namespaces),
            wave=schema.wave,
            has_own_wave=bool(self._merged.at(("wave",)).line),
            needs=tuple(map(ComponentName, dict.fromkeys(schema.needs))),
            helm=helm,
            kustomize=kustomize_source(kustomize, self._name, self._files, self._errors) if kustomize else None,
            manifests=manifests,
            values=merge.values(*(layer.plain or {} for layer in values)),
            null_places=merge.null_places(values),
            exclude=tuple(schema.exclude),
            keep_namespace=schema.keep_namespace,
            names=self._entry.names if schema.substitute else None,
            later_replaces=schema.later_replaces,
            upstream=upstream,
            objects=tuple(schema.objects),
            object_places=tuple(self._object_place(index) for index in range(len(schema.objects))),
            pod_security=schema.pod_security,
            operates=tuple(_operated(operated) for operated in schema.operates),
            made_secrets=tuple(schema.makes_secrets),
            objects_of_files=tuple(self._objects_of_files(schema)),
            secrets=tuple(_secret(secret, schema.namespace) for secret in schema.secrets if not secret.files),
            changes=self._changes(schema),
            transformers=PluginReader(self._name, self._files, self._errors).transformers(self._merged),
            where=self._entry.where,
        )

    def _check_files(self) -> None:
        """Notes the errors in manifests and patches of a component that has others, where these two fit the schema."""
        unfit: set[object] = set()

        def is_reported(_kind: str, path: Path) -> bool:
            unfit.update(path[:1])
            return False

        schema_errors(ComponentSchema, self._merged, self._name, is_reported)
        if "manifests" not in unfit and "upstream" not in self._merged.mapping:
            self._manifests(self._merged, None)
        patches = self._merged.get("patches") if "patches" not in unfit else None
        for entry in patches.items if patches else ():
            patch_reader.declared(entry, self._name, self._files, self._errors, expanded=self._substituted)

    def _changes(self, schema: ComponentSchema) -> Changes:
        """What the description changes in the component's objects, and then the saved patches."""
        declared = changes_reader.read(
            schema, self._merged, self._name, self._files, self._errors, expanded=self._substituted
        )
        saved = saved_changes.patches(self._name, declared.patches, self._files, self._errors)
        return replace(declared, patches=(*declared.patches, *saved))

    def value_layers(self) -> Iterator[Positioned]:
        """Its values in layers, lowest first."""
        return self._values(self._entry.layers)

    def _object_place(self, index: int) -> str:
        """The object's line; those of the catalog have none."""
        place = self._merged.at(("objects", index))
        return place.where if place.line else f"{self._entry.where} objects[{index}]"

    def _check_source(self, schema: ComponentSchema, known: Iterable[str]) -> None:
        has_files = schema.config_maps or any(secret.files for secret in schema.secrets)
        if schema.helm and schema.kustomize:
            self._wrong(
                self._merged.at(("kustomize",)),
                "has both `helm` and `kustomize`",
                fix="make two components of it; kustomize does not change what a chart renders",
            )
        if not (schema.helm or schema.kustomize or schema.manifests or schema.objects or has_files):
            others = known if len(self._errors) < MOST_HINTS else ()
            near = did_you_mean(self._name, (name for name in others if name != self._name))
            self._wrong(
                self._merged,
                f"has neither `helm` nor `manifests` nor `kustomize`{near}",
                fix="add `helm`, `manifests` or `kustomize`",
            )
        elif not schema.helm:
            for key in ("values", "valuesFiles", "sizes", "version"):
                member = self._merged.get(key)
                if member and member.content:
                    self._wrong(member, f"`{key}` without `helm`", fix=f"add `helm`, or remove `{key}`")

    def _objects_of_files(self, schema: ComponentSchema) -> Iterator[ObjectOfFiles]:
        """The ConfigMaps and Secrets with the content of files. A Secret of that kind needs a word of consent."""
        places = self._merged.get("configMaps")
        for described, place in zip(schema.config_maps, places.items if places else (), strict=True):
            yield self._object_of_files(FilesKind.CONFIG_MAP, described, place)
        places = self._merged.get("secrets")
        for secret, place in zip(schema.secrets, places.items if places else (), strict=True):
            self._check_secret(secret, place)
            if secret.files:
                yield self._object_of_files(FilesKind.SECRET, secret, place, secret.type)

    def _object_of_files(
        self, kind: FilesKind, described: ConfigMapSchema | SecretSchema, place: Positioned, type_: str = ""
    ) -> ObjectOfFiles:
        return ObjectOfFiles(
            kind=kind,
            name=described.name,
            files=FilesByKey(place, self._name, self._files, self._errors).collected(),
            namespace=described.namespace,
            type=type_,
            labels=described.labels,
            annotations=described.annotations,
            where=place.where,
        )

    def _check_secret(self, secret: SecretSchema, place: Positioned) -> None:
        if secret.keys and secret.files:
            fix = "remove one of the two: `keys` are of a Secret that you create yourself"
            self._wrong(place, f"the Secret {secret.name!r} has both `keys` and `files`", fix=fix)
        elif not secret.keys and not secret.files:
            fix = "add `keys: {password: what it is}`"
            self._wrong(place, f"the Secret {secret.name!r} has neither `keys` nor `files`", fix=fix)
        elif secret.files and not secret.plaintext:
            self._wrong(
                place,
                f"the content of the Secret {secret.name!r} would be in the repository and the image, for everyone who reads them",
                fix="write `keys` instead of `files`, and create it yourself (`cluster-forge secrets list` has the command); "
                "if that is meant, add `plaintext: true` to it",
            )
        elif not secret.files:
            for key in ("type", "labels", "annotations", "plaintext"):
                if key in place.mapping:
                    self._wrong(place.at((key,)), f"`{key}` without `files`", fix=f"add `files`, or remove `{key}`")

    def _version(self, schema: ComponentSchema) -> str:
        """``version`` and ``helm.version`` are the same setting; the highest layer wins."""
        version = ""
        for layer in self._entry.layers:
            helm = layer.get("helm")
            inner, outer = helm.get("version") if helm else None, layer.get("version")
            if inner and outer and inner.content and outer.content and inner.content != outer.content:
                self._wrong(
                    outer,
                    f"`version: {outer.content}` and `helm.version: {inner.content}` differ",
                    fix="remove one of the two",
                )
            version = next((str(part.content) for part in (outer, inner) if part and part.content), version)
        return version or (schema.helm.version if schema.helm else "")

    def _helm(self, schema: HelmSchema, place: Positioned, version: str) -> HelmSource:
        chart, release = schema.chart, schema.release or self._name
        if not _RELEASE.match(release):
            self._wrong(
                place.at(("release",)),
                f"{release!r} is not a Helm release name: lower-case letters, digits and hyphens, at most 53",
                fix="set `helm.release`",
            )
        if is_url(chart):
            repository, _, last = without_credentials(chart).rstrip("/").rpartition("/")
            self._wrong(
                place.at(("chart",)),
                "`helm.chart` is a URL",
                fix=f"write `repository: {repository}` and `chart: {last}`",
            )
        elif not schema.repository:
            if self._is_relative(place.at(("chart",))):
                self._add(self._files.chart_error(place.at(("chart",)), self._name))
            chart = posixpath.normpath(chart)
        elif is_git(schema.repository):
            self._check_git(place.at(("chart",)), lambda: GitAddress.parse(schema.repository).below(chart))
        return HelmSource(
            chart=chart,
            release=release,
            repository=schema.repository,
            version=version,
            skip_schema=schema.skip_schema_validation,
        )

    def _manifests(self, place: Positioned, sourced: str | None) -> tuple[str, ...]:
        """``sourced`` is the folder that ``upstream`` is rendered into, which may not exist yet."""
        manifests: list[str] = []
        for named in place.strings("manifests"):
            text = str(named.content)
            if is_url(text):
                self._check_url(named)
                manifests.append(text)
                continue
            path = posixpath.normpath(text)
            manifests.append(path)
            if self._is_relative(named) and path != sourced:
                self._errors.extend(self._files.manifests_errors(named, self._name))
        return tuple(manifests)

    def _check_url(self, named: Positioned) -> None:
        address = str(named.content)
        if is_git(address):
            self._check_git(named, lambda: GitAddress.parse(address))
        elif not address.startswith(_SCHEMES) and not source_schemes.of_plugin(address):
            schemes = ", ".join(_SCHEMES)
            self._wrong(named, f"cannot download {named.content}", fix=f"use a URL that starts with {schemes}")

    def _check_git(self, named: Positioned, parse: Callable[[], GitAddress]) -> None:
        try:
            parse()
        except ValueError as error:
            shown = without_credentials(str(named.content))
            self._wrong(named, f"{shown}: {error}", fix=f"write it like {git_addresses.EXAMPLE}")

    def _upstream(self, schema: UpstreamSchema) -> Upstream:
        place = self._merged.at(("upstream",))
        for named in place.strings("manifests"):
            self._check_url(named)
        self._is_relative(place.at(("folder",)))
        if not schema.helm and not schema.manifests:
            self._wrong(place, "`upstream` has neither `helm` nor `manifests`", fix="add one of them to `upstream`")
        return Upstream(
            folder=posixpath.normpath(schema.folder),
            namespace=schema.namespace,
            helm=self._helm(schema.helm, place.at(("helm",)), schema.helm.version) if schema.helm else None,
            manifests=tuple(schema.manifests),
            values=merge.values(*(layer.plain or {} for layer in self._values((place,)))),
            exclude=tuple(schema.exclude),
        )

    def _values(self, layers: Iterable[Positioned]) -> Iterator[Positioned]:
        for layer in layers:
            for named in layer.strings("valuesFiles"):
                if file := self._values_file(named):
                    yield file
            sizes = layer.get("sizes")
            for member in (sizes.get(self._size) if sizes else None, layer.get("values")):
                if member:
                    yield member

    def _values_file(self, named: Positioned) -> Positioned | None:
        if not self._is_relative(named):
            return None
        path = in_input(str(named.content))
        try:
            document = self._files.document(path)
        except DescriptionError as error:
            self._errors.append(error)
            return None
        except ExceptionGroup as group:
            self._errors.extend(error for error in leaves(group) if isinstance(error, ForgeError))
            return None
        if document is None:
            fix = "create it, or correct the path (relative to input/)"
            self._wrong(named, f"values file {path} does not exist", fix=fix)
            return None
        if document.value is not None and not isinstance(document.value, dict):
            self._errors.append(
                DescriptionError(
                    "Helm values must be a mapping", where=document.where(), fix="write `key: value` lines"
                )
            )
            return None
        return self._substituted(document.root)

    def _substituted(self, file: Positioned) -> Positioned:
        """A file with its variables replaced, where the component says that it has some."""
        names = self._entry.names
        if names is None or self._merged.at(("substitute",)).content is not True:
            return file
        return Expander(self._files.text, self._errors).expanded(file, names)

    def _is_relative(self, named: Positioned) -> bool:
        """Whether the path is relative and in the workspace, as it must be."""
        path = str(named.content)
        is_relative = not path.startswith("/")
        if not is_relative:
            self._wrong(named, f"{path} is an absolute path", fix=f"write `{path.lstrip('/')}`, relative to input/")
        elif is_outside(in_input(path)):
            self._add(outside_error(named, f"{self._name}: "))
            return False
        return is_relative

    def _wrong(self, place: Positioned, message: str, *, fix: str) -> None:
        self._add(DescriptionError(f"{self._name}: {message}", where=place.where, fix=fix))

    def _add(self, error: ForgeError | None) -> None:
        if error:
            self._errors.append(error)


def _secret(schema: SecretSchema, namespace: str) -> ExpectedSecret:
    return ExpectedSecret(
        name=schema.name,
        namespace=schema.namespace or namespace or "default",  # as the objects of the component
        keys=schema.keys,
        purpose=schema.purpose,
    )


def _operated(schema: OperatesSchema) -> OperatedKind:
    return OperatedKind(
        group=schema.group,
        kind=schema.kind,
        services=tuple(schema.services),
        secrets=tuple(schema.secrets),
        pods=tuple(OperatedPods(**pods.model_dump()) for pods in schema.pods),
    )
