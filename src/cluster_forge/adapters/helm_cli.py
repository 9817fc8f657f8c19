"""The ``helm`` program as engine: for platforms without a wheel of Helm's library, and as a second opinion."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import orjson

from cluster_forge.foundation.errors import DescriptionError, MissingProgramError, RenderError
from cluster_forge.foundation.versions import Version
from cluster_forge.ports import Rendered, RenderRequest

_SOURCE = re.compile(r"^---\n# Source: (.+)\n", re.M)
_SECONDS = 120


class HelmProgram:
    """`ports.HelmEngine` by calls of ``helm template``.

    Raises:
        MissingProgramError: if there is no such program.
    """

    def __init__(self, program: str = "helm") -> None:
        found = shutil.which(program)
        if not found:
            raise MissingProgramError(
                f"the program {program!r} is not on PATH",
                fix="install Helm 3.14 or newer, or use the engine in process: --helm-engine sdk",
            )
        self._program = found

    @cached_property
    def version(self) -> str:
        return f"helm {self._run(['version', '--template', '{{.Version}}'], b'').strip()}"

    def render(self, request: RenderRequest) -> Rendered:
        with tempfile.TemporaryDirectory(prefix="cluster-forge-") as folder:
            archive = Path(folder, "chart.tgz")
            archive.write_bytes(request.chart)
            arguments = ["template", request.release, str(archive), "--namespace", request.namespace]
            arguments += ["--kube-version", str(request.kubernetes), "--include-crds", "--values", "-"]
            arguments += ["--api-versions", ",".join(request.api_versions)] if request.api_versions else []
            arguments += ["--skip-schema-validation"] if request.skip_schema else []
            output = self._run(arguments, orjson.dumps(request.values))
        sources = _by_source(output)
        crds = {path: text for path, text in sources.items() if "/crds/" in path and "/templates/" not in path}
        return Rendered(
            templates={path: text for path, text in sorted(sources.items()) if path not in crds},
            crds=tuple(crds.items()),
            notes="",
            asks_for=None if b".APIVersions" in zlib.decompress(request.chart, wbits=31) else frozenset(),
        )

    def newest_in_range(self, constraint: str, versions: Sequence[str]) -> str | None:
        readable = [(parsed, text) for text in versions if (parsed := Version.parse(text))]
        texts = [text for _, text in sorted(readable, key=lambda pair: pair[0], reverse=True)]
        if not texts:
            return None
        with tempfile.TemporaryDirectory(prefix="cluster-forge-") as folder:
            Path(folder, "Chart.yaml").write_text("apiVersion: v2\nname: range\nversion: 1.0.0\n")
            Path(folder, "templates").mkdir()
            template = "{{ range .Values.versions }}\n- {{ semverCompare $.Values.range . }}\n{{- end }}\n"
            Path(folder, "templates", "range.yaml").write_text(template)
            values = orjson.dumps({"range": constraint, "versions": texts})
            try:
                output = self._run(["template", "range", folder, "--values", "-"], values)
            except RenderError as error:
                raise DescriptionError(f"{constraint!r} is no version range: {error.message}") from error
        answers = re.findall(r"^- (true|false)$", output, re.M)
        return next((text for text, answer in zip(texts, answers, strict=True) if answer == "true"), None)

    def _run(self, arguments: Sequence[str], stdin: bytes) -> str:
        try:
            done = subprocess.run(
                [self._program, *arguments], input=stdin, capture_output=True, timeout=_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RenderError(f"the helm program did not finish: {error}") from error
        if done.returncode:
            message = " ".join(done.stderr.decode(errors="replace").split()).removeprefix("Error: ")
            raise RenderError(message, fix="give the values that the chart asks for, or take another version of it")
        return done.stdout.decode()


def _by_source(output: str) -> dict[str, str]:
    """The text of each template: ``helm template`` writes a ``# Source:`` line above every document."""
    texts: dict[str, list[str]] = {}
    matches = list(_SOURCE.finditer(output))
    ends = [match.start() for match in matches[1:]] + [len(output)]
    for match, end in zip(matches, ends, strict=True):
        texts.setdefault(match[1], []).append(output[match.end() : end])
    return {path: "---\n".join(parts) for path, parts in texts.items()}
