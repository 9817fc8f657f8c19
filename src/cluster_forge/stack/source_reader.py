"""From the description's `helm`, `manifests` and `upstream` to the sources of a component."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cluster_forge.foundation import git_addresses
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.git_addresses import GitAddress, is_git
from cluster_forge.stack import merge, source_schemes
from cluster_forge.stack.component import HelmSource, Upstream
from cluster_forge.stack.input_files import InputFiles, is_url, path_error
from cluster_forge.stack.schema.component import HelmSchema, UpstreamSchema
from cluster_forge.stack.subject_errors import SubjectErrors
from cluster_forge.stack.value_reader import ValueReader
from cluster_forge.yaml.positioned import Positioned

_RELEASE: Final = re.compile(r"(?=.{1,53}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
"""Helm's ``chartutil.ValidateReleaseName``."""

_SCHEMES: Final = ("https://", "http://", "file://", "git+https://")


@dataclass(frozen=True, slots=True)
class SourceReader:
    """Reads the sources of one component; what is wrong goes into its errors."""

    _files: InputFiles
    _problems: SubjectErrors

    def helm(self, schema: HelmSchema, place: Positioned, version: str) -> HelmSource:
        """The chart, at a version that may come from elsewhere in the description."""
        chart, release = schema.chart, schema.release or self._problems.subject
        if not _RELEASE.match(release):
            self._problems.wrong(
                place.at(("release",)),
                f"{release!r} is not a Helm release name: lower-case letters, digits and hyphens, at most 53",
                fix="set `helm.release`",
            )
        if is_url(chart):
            repository, _, last = without_credentials(chart).rstrip("/").rpartition("/")
            self._problems.wrong(
                place.at(("chart",)),
                "`helm.chart` is a URL",
                fix=f"write `repository: {repository}` and `chart: {last}`",
            )
        elif not schema.repository:
            if self._is_usable(place.at(("chart",))):
                self._problems.add(self._files.chart_error(place.at(("chart",)), self._problems.subject))
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

    def manifests(self, place: Positioned, sourced: str | None) -> tuple[str, ...]:
        """The paths and addresses of manifests. ``sourced`` is the folder that ``upstream`` is rendered into, which may not exist yet."""
        manifests: list[str] = []
        for named in place.strings("manifests"):
            text = str(named.content)
            if is_url(text):
                self._check_url(named)
                manifests.append(text)
                continue
            path = posixpath.normpath(text)
            manifests.append(path)
            if self._is_usable(named) and path != sourced:
                self._problems.errors.extend(self._files.manifests_errors(named, self._problems.subject))
        return tuple(manifests)

    def upstream(self, schema: UpstreamSchema, place: Positioned, values: ValueReader) -> Upstream:
        """What `mine` renders into a folder."""
        for named in place.strings("manifests"):
            self._check_url(named)
        self._is_usable(place.at(("folder",)))
        if not schema.helm and not schema.manifests:
            self._problems.wrong(
                place, "`upstream` has neither `helm` nor `manifests`", fix="add one of them to `upstream`"
            )
        return Upstream(
            folder=posixpath.normpath(schema.folder),
            namespace=schema.namespace,
            helm=self.helm(schema.helm, place.at(("helm",)), schema.helm.version) if schema.helm else None,
            manifests=tuple(schema.manifests),
            values=merge.values(*(layer.plain or {} for layer in values.layers((place,)))),
            exclude=tuple(schema.exclude),
        )

    def _check_url(self, named: Positioned) -> None:
        address = str(named.content)
        if is_git(address):
            self._check_git(named, lambda: GitAddress.parse(address))
        elif not address.startswith(_SCHEMES) and not source_schemes.of_plugin(address):
            schemes = ", ".join(_SCHEMES)
            self._problems.wrong(named, f"cannot download {named.content}", fix=f"use a URL that starts with {schemes}")

    def _check_git(self, named: Positioned, parse: Callable[[], GitAddress]) -> None:
        try:
            parse()
        except ValueError as error:
            shown = without_credentials(str(named.content))
            self._problems.wrong(named, f"{shown}: {error}", fix=f"write it like {git_addresses.EXAMPLE}")

    def _is_usable(self, named: Positioned) -> bool:
        """Whether the path is relative and in the workspace, as it must be."""
        error = path_error(named, self._problems.subject)
        self._problems.add(error)
        return error is None
