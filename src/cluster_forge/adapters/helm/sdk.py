"""Helm's own engine in this process: ``helm-python-sdk``, which binds Helm's Go library.

A chart handle must be rendered once only: rendering disables the dependencies whose conditions are false, permanently. So
every render loads the archive again, and handles never leave a call.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import io
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson

from cluster_forge.adapters.helm import crd_files, required_apis, schemas, served_apis
from cluster_forge.foundation import chart_archives
from cluster_forge.foundation.chart_archives import ChartArchive
from cluster_forge.foundation.errors import ArchiveError, DescriptionError, MissingProgramError, RenderError
from cluster_forge.foundation.versions import newest_first
from cluster_forge.ports.rendering import RenderedChart, RenderRequest

_PACKAGE = "helm_python"
_RANGE_TEMPLATE = "{{- range .Values.versions }}{{ semverCompare $.Values.range . }},{{ end -}}"


class HelmSdk:
    """`ports.HelmEngine` on Helm's Go library, loaded at the first call that needs it.

    Safe to call from several threads: no handle is shared.

    Raises:
        MissingProgramError: if the library is not installed.
    """

    def __init__(self) -> None:
        spec = importlib.util.find_spec(_PACKAGE)
        if spec is None or not spec.origin:
            raise _missing(f"the package {_PACKAGE} is not installed")
        self._folder = Path(spec.origin).parent.parent

    @property
    def version(self) -> str:
        """The version of the package: that of the library would load it."""
        folder = next(self._folder.glob(f"{_PACKAGE}_sdk-*.dist-info"), None)
        return f"helm-python-sdk {folder.name.split('-')[1].removesuffix('.dist') if folder else 'unknown'}"

    def required_apis(self, chart: bytes) -> frozenset[str] | None:
        return required_apis.of(chart_archives.tar(chart))

    def render(self, request: RenderRequest, chart: ChartArchive | None = None) -> RenderedChart:
        chart = chart or chart_archives.opened(request.chart)
        if request.skip_schema:
            chart = _accepting(chart)
        schemas.refuse_foreign(chart)
        chart = served_apis.restricted(chart, len(request.api_versions))
        spared, texts = crd_files.with_lines(chart, request.values)
        rendered = self._rendered(spared, request)
        if texts and crd_files.are_shown(rendered.templates.values()):
            return self._rendered(chart, request)
        return replace(rendered, crds=tuple((path, texts.get(text, text)) for path, text in rendered.crds))

    def _rendered(self, chart: ChartArchive, request: RenderRequest) -> RenderedChart:
        with _load(chart.packed()) as loaded:
            _check_installable(loaded, request, self)
            templates = _templates(loaded, request)
            crds = _crds(loaded)  # after rendering, which decides about the dependencies
        return RenderedChart(
            templates={path: text for path, text in sorted(templates.items()) if not path.endswith("NOTES.txt")},
            crds=tuple((str(crd["filename"]), str(crd["data"])) for crd in crds),
        )

    def newest_in_range(self, constraint: str, versions: Sequence[str]) -> str | None:
        texts = newest_first(versions)
        for text, fits in zip(texts, self.fits(constraint, texts), strict=True):
            if fits:
                return text
        return None

    def fits(self, constraint: str, versions: Sequence[str]) -> list[bool]:
        """Which of ``versions`` are in the range ``constraint``, as Helm's ``semverCompare`` says.

        Raises:
            DescriptionError: if ``constraint`` is not a version range.
        """
        if not versions:
            return []
        helm = _library()
        values = orjson.dumps({"range": constraint, "versions": list(versions)}).decode()
        with helm.Chart.load_archive(_range_chart()) as chart:
            try:
                (answers,) = _render(chart, values, {"name": "range", "namespace": "default"}).values()
            except helm.HelmError as error:
                raise DescriptionError(
                    f"{constraint!r} is not a version range: {_reason(error).rpartition('semverCompare: ')[2]}",
                    fix="write an exact version (1.2.3) or a range as Helm reads it (>=1.2.0 <2.0.0, ~1.2, 1.x)",
                ) from error
        return [answer == "true" for answer in answers.split(",")[:-1]]


def _missing(reason: str) -> MissingProgramError:
    return MissingProgramError(
        f"Helm's library cannot be loaded: {reason}",
        fix="use the helm program instead: --helm-engine helm (helm-python-sdk may have no wheel for this platform)",
    )


@functools.cache
def _library() -> ModuleType:
    """Helm's library, 85 MB of Go, loaded once.

    Raises:
        MissingProgramError: if it cannot be loaded on this platform.
    """
    try:
        return importlib.import_module(_PACKAGE)
    except (ImportError, OSError) as error:
        raise _missing(str(error)) from error


def _render(chart: Any, values: str, options: Mapping[str, Any]) -> dict[str, str]:
    """Helm's render with all its options, which the public calls of the package do not have.

    Raises:
        HelmError: of the package.
    """
    native = _library()._native  # noqa: SLF001 - so is the handle
    templates: dict[str, str] = orjson.loads(
        native.call_string("helm_render", chart._raw(), values, orjson.dumps(options).decode())  # noqa: SLF001
    )
    return templates


def _crds(chart: Any) -> list[dict[str, str]]:
    """The same as `Chart.crds`, which is slow with tens of megabytes of JSON."""
    native = _library()._native  # noqa: SLF001 - so is the handle
    crds: list[dict[str, str]] = orjson.loads(native.call_string("helm_chart_crds", chart._raw()))  # noqa: SLF001
    return crds


def _accepting(chart: ChartArchive) -> ChartArchive:
    """The chart with schemas that accept all values: Helm's library has no option to skip them."""
    return chart_archives.rewritten(chart, lambda name, _: b"{}" if name.endswith(f"/{schemas.FILE}") else None)


def _load(archive: bytes) -> Any:
    helm = _library()
    try:
        return helm.Chart.load_archive(archive)
    except helm.HelmError as error:
        raise ArchiveError(f"not a chart: {_reason(error)}", fix="check the chart with `helm lint`") from error


def _check_installable(chart: Any, request: RenderRequest, engine: HelmSdk) -> None:
    """Check what ``helm install`` checks before it renders (Helm, ``pkg/action/install.go``, ``RunWithContext``).

    Raises:
        RenderError: for a library chart, a missing dependency, or a Kubernetes version out of range.
    """
    metadata = chart.metadata
    chart_name = f"{metadata.get('name')} {metadata.get('version')}"
    if metadata.get("type") == "library":
        raise RenderError(
            f"{chart_name} is a library chart, which cannot be installed", fix="use the chart that depends on it"
        )
    present = {dependency.get("name") for dependency in chart.dependencies}
    required = [str(dependency.get("name")) for dependency in metadata.get("dependencies") or ()]
    missing = [name for name in required if name not in present]
    if missing:
        raise RenderError(
            f"{chart_name} has no {', '.join(missing)} in charts/, which it depends on",
            fix="run `helm dependency build` in the chart, or package it with its dependencies",
        )
    versions = metadata.get("kubeVersion")
    if versions and not _is_in_range(request.kubernetes.release, versions, engine):
        raise RenderError(
            f"{chart_name} requires Kubernetes {versions}, the target is {request.kubernetes}",
            fix="use another version of the chart, or another target.kubernetes",
        )


def _is_in_range(version: str, constraint: str, engine: HelmSdk) -> bool:
    """Whether a version is in a range; as in Helm, an invalid range contains none."""
    try:
        return engine.fits(constraint, [version]) == [True]
    except DescriptionError:
        return False


def _templates(chart: Any, request: RenderRequest) -> dict[str, str]:
    options: dict[str, Any] = {
        "name": request.release,
        "namespace": request.namespace,
        "kube_version": str(request.kubernetes),
        "api_versions": list(request.api_versions),
    }
    try:
        return _render(chart, orjson.dumps(request.values).decode(), options)
    except _library().HelmError as error:
        raise RenderError(_reason(error), fix=_fix(error)) from error


def _reason(error: Exception) -> str:
    """The library's message on one line."""
    return " ".join(str(getattr(error, "detail", None) or error).split())


def _fix(error: Exception) -> str:
    text = str(error)
    if "specifications of the schema" in text:
        return "correct these values: they do not match the chart's values.schema.json"
    if "execution error at" in text:
        return "the chart itself raises this: set the values that it names"
    return "set the values that the template reads, or use another version of the chart"


@functools.cache
def _range_chart() -> bytes:
    """A chart with one template that compares versions: Helm's ``semverCompare`` exists in templates only."""
    files = {
        "Chart.yaml": "apiVersion: v2\nname: range\nversion: 1.0.0\n",
        "templates/range.txt": _RANGE_TEMPLATE,
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"range/{path}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()
