"""Components with a kustomization: what they have is what ``kustomize build`` writes."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.kustomizations.corpus import KUSTOMIZATIONS
from tests.kustomizations.program import programs

from cluster_forge.adapters.kustomize.program import KustomizeProgram
from cluster_forge.stack.component import KustomizeSource
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.kustomization.closure import closure
from cluster_forge.stack.kustomization.remotes import is_file

if TYPE_CHECKING:
    from tests.stages.conftest import Harness

PROGRAMS = programs()
ENGINES = {name: KustomizeProgram(path=str(Path(command[0]).parent)) for name, command in PROGRAMS.items()}
CASES = [
    (program, name) for program, share in zip(PROGRAMS, (1, 4), strict=False) for name in list(KUSTOMIZATIONS)[::share]
]
"""All with the first program, and every fourth with the other one, which is the same code and slower."""
needs_program = pytest.mark.skipif(not PROGRAMS, reason="neither kustomize nor kubectl is installed")


def source(harness: Harness) -> KustomizeSource:
    """The kustomization in ``input/top``, as the description has it."""

    def listed(path: str) -> list[str] | None:
        files = [name for name in harness.files.files if name == path or name.startswith(f"{path}/")]
        return sorted(files) or None

    needed = closure(
        "input/top",
        InputFiles(harness.files.read, listed),
        root="input",
        where="input/config.yaml:5",
        may_fetch=is_file,
    )
    assert needed.errors == ()
    return KustomizeSource(path="top", files=needed.files, remotes={url: url for url in needed.remotes})


def as_delivered(body: dict[str, Any]) -> dict[str, Any]:
    """The object with what every stack adds to what holds data (`manifests.retention`)."""
    if body["kind"] in ("Namespace", "CustomResourceDefinition"):
        annotations = {
            "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
            "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
        }
        body["metadata"].setdefault("annotations", {}).update(annotations)
    return body


def objects(texts: Any) -> list[Any]:
    """The objects of several YAML texts, in the order of their names."""
    documents = [document for text in texts for document in yaml.safe_load_all(text) if document]
    return sorted(
        documents, key=lambda body: (body["kind"], body["metadata"].get("namespace", ""), body["metadata"]["name"])
    )


@needs_program
def test_manifests_by_url_are_as_files_in_their_place(harness: Harness) -> None:
    harness.use_kustomize(next(iter(ENGINES.values())))
    url = harness.url("https://example.com/install.yaml?version=1", harness.config_map("a"), harness.config_map("b"))
    top = "namePrefix: p-\nresources:\n- ../base\n- {0}\nconfigMapGenerator: [{{name: c, literals: [a=1]}}]\n"
    results = []
    for entry in (url, "install.yaml"):
        harness.input("top/kustomization.yaml", top.format(entry))
        harness.input("top/install.yaml", harness.config_map("a"), harness.config_map("b"))
        harness.input("base/kustomization.yaml", f"resources: ['{url}', own.yaml]\nnameSuffix: -s\n")
        harness.input("base/own.yaml", harness.config_map("own"))
        harness.forge(harness.stack(harness.component("shop", kustomize=source(harness))))
        results.append(objects(harness.below("working/shop").values()))
    assert results[0] == results[1]
    assert [body["metadata"]["name"] for body in results[0]][:4] == ["p-a", "p-a-s", "p-b", "p-b-s"]
    assert harness.sources.asked == [url]


@needs_program
@pytest.mark.parametrize(("program", "name"), CASES)
def test_the_objects_are_those_of_kustomize_build(harness: Harness, tmp_path: Path, program: str, name: str) -> None:
    for path, text in KUSTOMIZATIONS[name].items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        harness.files.files[f"input/{path}"] = text.encode()
    built = subprocess.run([*PROGRAMS[program], tmp_path / "top"], capture_output=True, check=True)
    harness.use_kustomize(ENGINES[program])
    component = harness.component("shop", kustomize=source(harness), keep_namespace=True)
    smelted = harness.forge(harness.stack(component))
    assert smelted.is_written, smelted.findings
    assert objects(harness.below("input/shop/manifests/sourced").values()) == objects([built.stdout])
    assert objects(harness.below("working/shop").values()) == [as_delivered(body) for body in objects([built.stdout])]
