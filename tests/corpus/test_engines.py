"""Helm's library and the ``helm`` program render the same objects from every chart of the mirror, CRDs read by us included."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cluster_forge.adapters.helm import crd_files
from cluster_forge.adapters.helm.program import HelmProgram
from cluster_forge.adapters.helm.sdk import HelmSdk
from cluster_forge.adapters.rendering.in_process import InProcessRenderer
from cluster_forge.adapters.yaml.fast import FastYaml
from cluster_forge.adapters.yaml.go import GoYaml
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.foundation import chart_archives
from cluster_forge.foundation.errors import RenderError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import batch, kubernetes_apis
from cluster_forge.ports.rendering import HelmEngine, RenderJob, RenderRequest
from cluster_forge.stack.model import KubernetesVersion

MINOR = 33
NAME = ComponentName("web")
READER = FastYaml(GoYaml(PurePythonYaml()))
FOLDED_BY_HELM_4 = {"configmap_shop-harbor-jobservice.yaml", "configmap_shop-harbor-portal.yaml"} | {
    "configmap_shop-harbor-registry.yaml"
}
"""Helm 4's program writes the texts in them again and keeps white space at the ends of their lines."""


def request(chart: bytes) -> RenderRequest:
    return RenderRequest(
        chart=chart,
        values={},
        release="shop",
        namespace="default",
        kubernetes=KubernetesVersion(1, MINOR),
        api_versions=kubernetes_apis.api_versions(MINOR),
    )


def objects(engine: HelmEngine, chart: bytes) -> dict[str, Any] | None:
    """The objects by their files; None if the chart needs values."""
    job = RenderJob(component=NAME, chart=request(chart))
    try:
        content = InProcessRenderer(engine, READER).render(job).content
    except RenderError:
        return None
    return {manifest.id.file_name: manifest.document.json for manifest in batch.unpack(content, NAME)}


def test_both_engines_render_the_same_objects(corpus: Path, helm_program: str) -> None:
    library, program = HelmSdk(), HelmProgram(helm_program)
    compared, differing = 0, []
    for path in sorted((corpus / "mirror" / "charts").rglob("*.tgz")):
        chart = path.read_bytes()
        first, second, other = (objects(engine, chart) for engine in (library, library, program))
        assert (first is None, second is None) == (other is None,) * 2, path.name
        if first is None or second is None or other is None:
            continue
        assert first.keys() == other.keys(), path.name
        certain = [name for name in first if first[name] == second[name]]  # the others have random values
        if program.version.startswith("helm v4."):
            certain = [name for name in certain if name not in FOLDED_BY_HELM_4]
        compared += len(certain)
        differing += [f"{path.name}: {name}" for name in certain if first[name] != other[name]]
    assert differing == []
    assert compared > 1000


def test_crds_that_the_library_need_not_read_are_those_that_it_gives(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: Counter[str] = Counter()
    for path in sorted((corpus / "mirror" / "charts").rglob("*.tgz")):
        given = request(path.read_bytes())
        archive = chart_archives.opened(given.chart)
        spared = len(crd_files.with_lines(archive, {})[1])
        if not spared:
            continue
        quick, again = HelmSdk().render(given), HelmSdk().render(given)
        with monkeypatch.context() as patch:
            patch.setattr(crd_files, "with_lines", lambda chart, _: (chart, {}))
            full = HelmSdk().render(given)
        assert quick.crds == full.crds, path.name
        certain = [name for name, text in quick.templates.items() if text == again.templates[name]]
        assert [full.templates[name] for name in certain] == [quick.templates[name] for name in certain], path.name
        compared.update(files=spared, crds=len(full.crds), templates=len(certain))
    assert compared["files"] > 90
    assert compared["crds"] > 80
    assert compared["templates"] > 300
