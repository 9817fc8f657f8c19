"""The fast reader and Go's read the same values from every document of the mirror and of v1-input."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from cluster_forge.adapters.helm.sdk import HelmSdk
from cluster_forge.adapters.yaml.blocks import BlockYaml
from cluster_forge.adapters.yaml.fast import FastYaml, is_alike
from cluster_forge.adapters.yaml.go import GoYaml
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.foundation.errors import ManifestError, RenderError
from cluster_forge.manifests import emitter, kubernetes_apis, split
from cluster_forge.ports.rendering import RenderRequest, YamlReader
from cluster_forge.stack.model import KubernetesVersion

MINOR = 33
GO = GoYaml(PurePythonYaml())
FAST = FastYaml(GO)
BLOCKS = BlockYaml(FAST)


def of_charts(corpus: Path) -> Iterator[tuple[str, str]]:
    """The documents of every chart that renders without values, including its CRDs."""
    engine, apis = HelmSdk(), kubernetes_apis.api_versions(MINOR)
    for path in sorted((corpus / "mirror" / "charts").rglob("*.tgz")):
        request = RenderRequest(
            chart=path.read_bytes(),
            values={},
            release="release",
            namespace="default",
            kubernetes=KubernetesVersion(1, MINOR),
            api_versions=apis,
        )
        try:
            rendered = engine.render(request)
        except RenderError:
            continue
        for name, text in rendered.templates.items():
            yield from ((f"{path.name} {name}", document.text) for document in split.rendered(text))
        for name, text in rendered.crds:
            yield from ((f"{path.name} {name}", document.text) for document in split.written(text))


def of_files(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted((*folder.rglob("*.yaml"), *folder.rglob("*.yml"))):
        yield from ((str(path), document.text) for document in split.written(path.read_text()))


def read(reader: YamlReader, text: str) -> bytes | None:
    try:
        return orjson.dumps(reader.read(text), option=orjson.OPT_SORT_KEYS)
    except ManifestError:
        return None


def check_written(text: str) -> None:
    """What a document that is taken apart is written as, is what it is written as when it is read as a whole."""
    document = BLOCKS.examine(text)
    if document.written:
        value = orjson.loads(orjson.dumps(document.value, option=orjson.OPT_SORT_KEYS))
        assert "".join(document.written[key] for key in value) == emitter.document(value)


@pytest.mark.parametrize(
    ("source", "at_least", "share"), [("charts", 2000, 0.99), ("mirror/manifests", 200, 0.9), ("v1-input", 1200, 0.8)]
)
def test_both_readers_read_every_document_alike(corpus: Path, source: str, at_least: int, share: float) -> None:
    """At least ``share`` of the bytes pass the scan of the fast reader; in v1-input, a few large CRDs contain tabs."""
    size = passed = number = 0
    for place, text in of_charts(corpus) if source == "charts" else of_files(corpus / source):
        number += 1
        size += len(text)
        if is_alike(text):
            passed += len(text)
            assert read(FAST, text) == read(BLOCKS, text) == read(GO, text), place
            check_written(text)
    assert number >= at_least
    assert passed / size >= share, f"only {passed / size:.1%} of {size} bytes pass the scan"
