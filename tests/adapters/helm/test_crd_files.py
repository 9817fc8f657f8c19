"""CRDs that are kept from Helm's library are those that it would have given, and templates do not notice."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Callable
from typing import Any

import pytest

from cluster_forge.adapters.helm import crd_files
from cluster_forge.adapters.helm.sdk import HelmSdk
from cluster_forge.foundation import chart_archives
from cluster_forge.foundation.errors import ArchiveError
from cluster_forge.ports.rendering import RenderedChart, RenderRequest
from cluster_forge.stack.component import Values
from cluster_forge.stack.model import KubernetesVersion

CHART = "apiVersion: v2\nname: NAME\nversion: 1.0.0\n"
Files = tuple[tuple[str, str | bytes], ...]
Render = Callable[..., RenderedChart]


def about(name: str, dependencies: str = "") -> str:
    return CHART.replace("NAME", name) + (f"dependencies: [{dependencies}]\n" if dependencies else "")


def crd(name: str) -> str:
    return f"kind: CustomResourceDefinition\nmetadata: {{name: {name}.example.com}}\n"


def packed(*files: tuple[str, str | bytes], folder: str = "web/") -> bytes:
    """An archive of these files, in which a name may stand twice."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for path, text in files:
            content = text if isinstance(text, bytes) else text.encode()
            entry = tarfile.TarInfo(folder + path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def request(chart: bytes, values: Values | None = None) -> RenderRequest:
    return RenderRequest(
        chart=chart,
        values=values or {},
        release="shop",
        namespace="store",
        kubernetes=KubernetesVersion(1, 33),
        api_versions=(),
    )


@pytest.fixture
def with_files(monkeypatch: pytest.MonkeyPatch) -> Render:
    """Rendering with all files given to Helm."""

    def render(given: RenderRequest) -> RenderedChart:
        with monkeypatch.context() as patch:
            patch.setattr(crd_files, "with_lines", lambda chart, _: (chart, {}))
            return HelmSdk().render(given)

    return render


def spared(given: RenderRequest) -> int:
    """How many files are kept from Helm."""
    return len(crd_files.with_lines(chart_archives.opened(given.chart), given.values)[1])


WEB = ("Chart.yaml", about("web"))
CACHE = ("charts/cache/Chart.yaml", about("cache"))
TWICE = (
    "{name: cache, version: 1.0.0, alias: a, condition: a.on}, {name: cache, version: 1.0.0, alias: b, condition: b.on}"
)
DECLARED = ("Chart.yaml", about("web", "{name: cache, version: 1.0.0, condition: cache.on, tags: [fast]}"))
OWN = ("crds/own.yaml", crd("own"))
CACHES = ("charts/cache/crds/caches.yaml", crd("caches") + "---\n" + crd("hits"))
POINTER = re.compile("0x[0-9a-f]+")
MAP = "kind: ConfigMap\nmetadata: {name: map}\ndata: {x: {{ %s | quote }}}\n"


@pytest.mark.parametrize(
    ("files", "values", "number"),
    [
        ((WEB, OWN), {}, 1),
        ((WEB, ("crds/b.yaml", crd("b")), ("crds/a.yml", crd("a")), ("crds/c.JSON", "{}")), {}, 3),
        ((WEB, OWN, OWN, ("crds/own.yaml", crd("other"))), {}, 3),
        ((WEB, ("crds/sub/deep.yaml", crd("deep")), ("crds/README.md", "text"), ("crds/none", "text")), {}, 1),
        ((WEB, ("crds/.yaml", crd("x")), ("CRDS/x.yaml", crd("x")), ("templates/crds/x.yaml", crd("x"))), {}, 0),
        (
            (
                WEB,
                ("crds/bom.yaml", "\ufeff" + crd("bom")),
                ("crds/lines.yaml", crd("ä\U0001f600").replace("\n", "\r\n")),
            ),
            {},
            2,
        ),
        ((WEB, ("crds/latin.yaml", crd("ä").encode("latin-1")), ("crds/surrogate.yaml", b"\xed\xa0\x80x")), {}, 0),
        ((WEB, ("crds/nul.yaml", "a\0b<>&\u2028"), ("crds/empty.yaml", "")), {}, 2),
        ((DECLARED, OWN, CACHE, CACHES), {}, 2),
        ((DECLARED, OWN, CACHE, CACHES), {"cache": {"on": False}}, 2),
        ((DECLARED, OWN, CACHE, CACHES), {"tags": {"fast": False}}, 2),
        ((DECLARED, OWN, CACHE, CACHES, ("values.yaml", "cache: {on: false}")), {"tags": {"fast": True}}, 2),
        ((WEB, OWN, CACHE, CACHES), {"cache": {"on": False}}, 2),
        ((("Chart.yaml", about("web", TWICE)), OWN, CACHE, CACHES), {"a": {"on": False}, "b": {"on": True}}, 2),
        ((("Chart.yaml", about("web", TWICE)), OWN, CACHE, CACHES), {}, 2),
        (
            (
                WEB,
                OWN,
                CACHE,
                ("charts/cache/charts/leaf/Chart.yaml", about("leaf")),
                ("charts/cache/charts/leaf/crds/x.yaml", crd("x")),
            ),
            {},
            2,
        ),
        ((WEB, ("charts/_old/Chart.yaml", about("old")), ("charts/_old/crds/x.yaml", crd("x"))), {}, 1),
        (
            (WEB, OWN, ("charts/cache-1.0.0.tgz", packed(("Chart.yaml", about("cache")), ("crds/x.yaml", crd("x"))))),
            {},
            0,
        ),
        ((WEB, ("crds/x.yaml", "crd-7d1f0a93c24e8b56:1"), ("crds/y.yaml", "crd-7d1f0a93c24e8b56:7")), {}, 0),
        ((WEB, OWN, ("crds/b.yaml", b"\xffcrd-7d1f0a93c24e8b56:0")), {}, 0),
    ],
)
def test_crds_are_those_that_helm_gives(with_files: Render, files: Files, values: Values, number: int) -> None:
    given = request(packed(*files), values)
    assert spared(given) == number
    assert HelmSdk().render(given) == with_files(given)


@pytest.mark.parametrize(
    ("template", "values", "is_spared"),
    [
        ('.Files.Get "crds/own.yaml"', {}, False),
        ('(.Files.Glob "crds/*").AsConfig', {}, False),
        ('index . "Files" | len', {}, False),
        ("tpl .Values.x .", {"x": '{{ .Files.Get "crds/own.yaml" }}'}, False),
        (".Subcharts.cache.Files.AsConfig", {}, False),
        ("toYaml .", {}, True),
        ("toJson $", {}, True),
        ('printf "%v" .', {}, True),
        ('printf "%s" .', {}, True),
        ("toString .Subcharts", {}, True),
        (".Values.readOnlyRootFilesystem", {"readOnlyRootFilesystem": True}, True),
    ],
)
def test_templates_see_the_files(with_files: Render, template: str, values: Values, is_spared: bool) -> None:
    given = request(packed(WEB, OWN, CACHE, CACHES, ("templates/map.yaml", MAP % f"({template})")), values)
    assert spared(given) == (2 if is_spared else 0)
    first, second = HelmSdk().render(given), with_files(given)
    assert POINTER.sub("", str(first)) == POINTER.sub("", str(second))


def test_files_in_the_values_of_a_chart_are_seen(with_files: Render) -> None:
    read = ("values.yaml", "x: '{{ .Files.Get \"crds/own.yaml\" }}'")
    given = request(packed(WEB, OWN, read, ("templates/map.yaml", MAP % "tpl .Values.x .")))
    assert spared(given) == 0
    assert "own.example.com" in str(HelmSdk().render(given).templates)
    assert HelmSdk().render(given) == with_files(given)


@pytest.mark.parametrize("size", [5 << 20, (5 << 20) + 1])
def test_large_files_are_refused_as_before(with_files: Render, size: int) -> None:
    given = request(packed(WEB, OWN, ("crds/large.yaml", b"#" * size)))
    results: list[Any] = []
    for render in (HelmSdk().render, with_files):
        try:
            results.append(render(given))
        except ArchiveError as error:
            results.append(str(error))
    assert results[0] == results[1]
    assert isinstance(results[0], str) is (size > 5 << 20)


def test_a_large_chart_is_refused_as_before(with_files: Render) -> None:
    given = request(packed(WEB, *((f"crds/{number}.yaml", b"#" * (4 << 20)) for number in range(26))))
    for render in (HelmSdk().render, with_files):
        with pytest.raises(ArchiveError, match="larger than the maximum size"):
            render(given)


def test_a_crd_in_a_packed_dependency_with_the_text_of_a_line_is_taken_as_it_is(with_files: Render) -> None:
    sub = packed(("Chart.yaml", about("cache")), ("crds/x.yaml", "crd-7d1f0a93c24e8b56:0"))
    given = request(packed(WEB, OWN, ("charts/cache-1.0.0.tgz", sub)))
    assert HelmSdk().render(given) == with_files(given)
