"""The ``helm`` program as engine: for platforms without a wheel of Helm's library, and to compare with it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import orjson

from cluster_forge.adapters.helm import schemas, served_apis
from cluster_forge.foundation import chart_archives
from cluster_forge.foundation.chart_archives import ChartArchive
from cluster_forge.foundation.errors import ArchiveError, DescriptionError, MissingProgramError, RenderError
from cluster_forge.foundation.versions import newest_first
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.remark import Remark
from cluster_forge.ports.rendering import RenderedChart, RenderRequest

_SOURCE = re.compile(r"^---\n# Source: (.+)\n", re.M)
_SECONDS = 120
_NO_NETWORK = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
"""Only `mine` uses the network, and the program would fetch what a ``values.schema.json`` refers to."""


class HelmProgram:
    """`ports.HelmEngine` by calls of ``helm template``.

    Raises:
        MissingProgramError: if there is no such program.
    """

    def __init__(self, program: str = "helm") -> None:
        path = shutil.which(program)
        if not path:
            raise MissingProgramError(
                f"the program {program!r} is not on PATH",
                fix="install Helm 3.14 or newer, or use the built-in library: --helm-engine sdk",
            )
        self._program = path

    @cached_property
    def version(self) -> str:
        return f"helm {self._run(['version', '--template', '{{.Version}}'], b'').strip()}"

    def render(self, request: RenderRequest, chart: ChartArchive | None = None) -> RenderedChart:
        chart = chart or chart_archives.opened(request.chart)
        if not request.skip_schema:
            schemas.refuse_foreign(chart)
        chart = served_apis.restricted(chart, len(request.api_versions))
        with tempfile.TemporaryDirectory(prefix="cluster-forge-") as folder:
            archive = Path(folder, "chart.tgz")
            archive.write_bytes(chart.packed())
            arguments = ["template", request.release, str(archive), "--namespace", request.namespace]
            arguments += ["--kube-version", str(request.kubernetes), "--include-crds", "--values", "-"]
            arguments += [f"--api-versions={version}" for version in request.api_versions]
            arguments += ["--skip-schema-validation"] if request.skip_schema else []
            output = self._templated(arguments, archive, request)
        sources = _by_source(output)
        crds = {path: text for path, text in sources.items() if "/crds/" in path and "/templates/" not in path}
        return RenderedChart(
            templates={path: text for path, text in sorted(sources.items()) if path not in crds},
            crds=tuple(crds.items()),
            remarks=tuple(self._cut_version(request)),
        )

    def _cut_version(self, request: RenderRequest) -> Iterator[Remark]:
        """A warning if a template may see another Kubernetes version: Helm 3 cuts what ``--kube-version`` has after the patch."""
        if (
            request.kubernetes.suffix
            and self.version.startswith("helm v3.")
            and _may_use(b".KubeVersion", request.chart)
        ):
            yield Remark(
                severity=Severity.WARNING,
                message=f"Helm 3 shows Kubernetes {request.kubernetes.release} to the chart, not {request.kubernetes}",
                fix="use Helm 4, or --helm-engine sdk",
            )

    def required_apis(self, chart: bytes) -> frozenset[str] | None:
        return None if _may_use(b".APIVersions", chart) else frozenset()

    def newest_in_range(self, constraint: str, versions: Sequence[str]) -> str | None:
        texts = newest_first(versions)
        if not texts:
            return None
        with tempfile.TemporaryDirectory(prefix="cluster-forge-") as folder:
            Path(folder, "Chart.yaml").write_text("apiVersion: v2\nname: range\nversion: 1.0.0\n")
            Path(folder, "templates").mkdir()
            template = "fits:\n{{- range .Values.versions }}\n- {{ semverCompare $.Values.range . }}\n{{- end }}\n"
            Path(folder, "templates", "range.yaml").write_text(template)
            values = orjson.dumps({"range": constraint, "versions": texts})
            try:
                output = self._run(["template", "range", folder, "--values", "-"], values)
            except RenderError as error:
                raise DescriptionError(
                    f"{constraint!r} is not a version range: {error.message.rpartition('semverCompare: ')[2]}",
                    fix="write an exact version (1.2.3) or a range as Helm reads it (>=1.2.0 <2.0.0, ~1.2, 1.x)",
                ) from error
        answers = re.findall(r"^- (true|false)$", output, re.M)
        return next((text for text, answer in zip(texts, answers, strict=True) if answer == "true"), None)

    def _templated(self, arguments: Sequence[str], archive: Path, request: RenderRequest) -> str:
        try:
            return self._run(arguments, orjson.dumps(request.values))
        except RenderError as error:
            try:
                self._run(["show", "chart", str(archive)], b"")
            except RenderError as unreadable:
                raise ArchiveError(
                    f"not a chart: {unreadable.message.replace(str(archive), 'the file')}",
                    fix="check the chart with `helm lint`",
                ) from error
            raise

    def _run(self, arguments: Sequence[str], stdin: bytes) -> str:
        try:
            done = subprocess.run(  # noqa: S603 - the program that the user chose, without a shell
                [self._program, *arguments],
                input=stdin,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
                env={**os.environ, **_NO_NETWORK},
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RenderError(f"the helm program did not finish: {error}") from error
        if done.returncode:
            message = " ".join(done.stderr.decode(errors="replace").split())
            message = message.removeprefix("Error: ").removesuffix(" Use --debug flag to render out invalid YAML")
            raise RenderError(message, fix="set the values that the chart requires, or use another version of it")
        return done.stdout.decode()


def _may_use(capability: bytes, archive: bytes) -> bool:
    """Whether a template may use one of ``.Capabilities``; a dependency that is an archive itself is not searched."""
    content = chart_archives.tar(archive)
    return capability in content or b"\x1f\x8b\x08" in content


def _by_source(output: str) -> dict[str, str]:
    """The text of each template: ``helm template`` writes a ``# Source:`` line above every document."""
    texts: dict[str, list[str]] = {}
    matches = list(_SOURCE.finditer(output))
    ends = [*(match.start() for match in matches[1:]), len(output)]
    for match, end in zip(matches, ends, strict=False):  # without a match there is still one end
        texts.setdefault(match[1], []).append(output[match.end() : end])
    return {path: "---\n".join(parts) for path, parts in texts.items()}
