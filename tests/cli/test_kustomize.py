"""Components with a kustomization, from the command line: what changes one is noticed, and what is wrong has its line."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.cli.conftest import CRDS
from tests.kustomizations.program import programs

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

DESCRIPTION = """\
apiVersion: cluster-forge/v1
kind: Stack
name: demo
gitops: {engine: none}
components:
- name: shop
  namespace: shop
  kustomize: overlays/production
"""
FILES = {
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"
    "  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n"
    "      - {name: web, image: 'example.com/web:1.0', envFrom: [{configMapRef: {name: settings}}]}\n",
    "overlays/production/kustomization.yaml": "resources: [../../base]\nnamePrefix: p-\n"
    "configMapGenerator: [{name: settings, envs: [.env]}]\n",
    "overlays/production/.env": "LEVEL=info\n",
}
PROGRAMS = programs()


@pytest.fixture
def shop(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Workspace:
    """A workspace with a kustomization, and the first of the programs alone on PATH, with git."""
    if not PROGRAMS:
        pytest.skip("neither kustomize nor kubectl is installed")
    command = next(iter(PROGRAMS.values()))[0]
    git = shutil.which("git")
    folders = [str(Path(program).parent) for program in (command, git) if program]
    monkeypatch.setenv("PATH", ":".join(folders))
    shutil.rmtree(workspace.folder / "input")
    return workspace.write(
        {"input/config.yaml": DESCRIPTION, **{f"input/{path}": text for path, text in FILES.items()}}
    )


def commit(repository: Path) -> None:
    """Make a repository of a folder, with the tag ``v1``."""
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for arguments in (
        ["init", "--quiet"],
        ["add", "--all"],
        [*identity, "commit", "--quiet", "-m", "a"],
        ["tag", "v1"],
    ):
        subprocess.run(["git", *arguments], cwd=repository, check=True)


def objects(texts: Iterable[bytes]) -> list[str]:
    """The objects of YAML texts, in an order of their own."""
    return sorted(json.dumps(body, sort_keys=True) for text in texts for body in yaml.safe_load_all(text) if body)


def names(workspace: Workspace) -> set[str]:
    return set(workspace.tree("working/shop"))


def test_generated_names_stay_and_namespaces_are_filled_in(shop: Workspace) -> None:
    shop.ok("forge", "--offline")
    web = shop.tree("working/shop")["deployment.apps_shop_p-web.yaml"].decode()
    (generated,) = (name for name in names(shop) if name.startswith("configmap"))
    assert "namespace: shop\n" in web
    assert f"name: {generated.removeprefix('configmap_shop_').removesuffix('.yaml')}\n" in web
    assert "address: overlays/production\n" in (shop.folder / "cluster-forge.lock").read_text()
    assert generated.replace("_shop_", "_") in shop.tree("input/shop/manifests/sourced")


@pytest.mark.parametrize(
    ("path", "text", "appears"),
    [
        ("overlays/production/.env", "LEVEL=debug\n", "configmap_"),
        (
            "base/web.yaml",
            FILES["base/web.yaml"].replace("name: web}", "name: store}", 1),
            "deployment.apps_shop_p-store.yaml",
        ),
        ("base/kustomization.yaml", "resources: [web.yaml]\nnameSuffix: -s\n", "deployment.apps_shop_p-web-s.yaml"),
        (
            "overlays/production/kustomization.yaml",
            FILES["overlays/production/kustomization.yaml"].replace("p-", "q-"),
            "deployment.apps_shop_q-web.yaml",
        ),
    ],
)
def test_every_file_of_a_kustomization_is_an_input(shop: Workspace, path: str, text: str, appears: str) -> None:
    shop.ok("forge", "--offline")
    before = names(shop)
    assert "nothing changed since the last smelt" in shop.ok("smelt").out
    shop.write({f"input/{path}": text})
    shop.ok("smelt")
    assert any(name.startswith(appears) for name in names(shop) - before)
    shop.write({f"input/{path}": FILES[path]})
    shop.ok("smelt")
    assert names(shop) == before


def test_a_file_that_a_kustomization_begins_to_name_is_an_input(shop: Workspace) -> None:
    shop.ok("smelt")
    shop.write({"input/base/more.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n"})
    assert "nothing changed since the last smelt" in shop.ok("smelt").out
    shop.write({"input/base/kustomization.yaml": "resources: [web.yaml, more.yaml]\n"})
    shop.ok("smelt")
    assert "configmap_shop_p-more.yaml" in names(shop)


def test_a_kustomization_in_git_is_pinned(shop: Workspace, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    for folder in ("base", "overlays"):
        shutil.move(shop.folder / "input" / folder, repository / folder)
    commit(repository)
    address = f"git+file://{repository}@v1//overlays/production"
    shop.replace("input/config.yaml", "overlays/production", f"'{address}'")
    forged = shop.program("forge")
    assert forged.code == 0, forged.err
    assert "deployment.apps_shop_p-web.yaml" in names(shop)
    lock = (shop.folder / "cluster-forge.lock").read_text()
    assert f"address: git+file://{repository}//overlays/production\n" in lock
    before = shop.tree("working")
    shop.replace("input/config.yaml", "//overlays/production", "//base")  # the same bytes in the store, another folder
    assert shop.program("forge").code == 0
    assert names(shop) == {"deployment.apps_shop_web.yaml"}
    shop.replace("input/config.yaml", "//base", "//overlays/production")
    assert shop.program("forge").code == 0
    assert shop.tree("working") == before
    shutil.rmtree(repository)
    shutil.rmtree(shop.folder / "working")
    shop.ok("smelt", "--no-cache")
    assert shop.tree("working") == before


def test_a_base_in_git_is_fetched_pinned_and_patched(shop: Workspace, tmp_path: Path) -> None:
    """As kustomize itself does it, which clones the repository."""
    repository = tmp_path / "repository"
    shutil.move(shop.folder / "input" / "overlays", repository / "overlays")
    shutil.copytree(shop.folder / "input" / "base", repository / "base")
    commit(repository)
    top = f"resources: ['file://{repository}//overlays/production?ref=v1', ../base]\nnameSuffix: -s\n"
    shop.write({"input/top/kustomization.yaml": top + "replicas: [{name: web, count: 7}]\n"})
    shop.replace("input/config.yaml", "overlays/production", "top")
    command = [*next(iter(PROGRAMS.values())), str(shop.folder / "input" / "top")]
    built = subprocess.run(command, check=True, capture_output=True).stdout
    forged = shop.program("forge")
    assert forged.code == 0, forged.err
    sourced = [text for name, text in shop.tree("input/shop/manifests/sourced").items() if name.endswith(".yaml")]
    assert objects(sourced) == objects([built])
    assert (
        f"address: git+file://{repository}//overlays/production\n" in (shop.folder / "cluster-forge.lock").read_text()
    )
    shutil.rmtree(repository)
    assert "nothing changed" in shop.ok("smelt").out
    shop.ok("smelt", "--no-cache")


def test_a_mistake_in_a_base_in_git_has_its_place(shop: Workspace, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    (repository / "base").mkdir(parents=True)
    (repository / "base" / "kustomization.yaml").write_text(
        "namePrefix: a-\nresources: [missing.yaml, 'gh:team/repo']\n"
    )
    commit(repository)
    shop.write({"input/base/kustomization.yaml": f"components: ['file://{repository}//base?ref=v1']\n"})
    result = shop.program("forge")
    assert result.code == 10
    place = f"error: git+file://{repository}@v1//base/kustomization.yaml:2: component shop: "
    assert f"{place}base/missing.yaml does not exist" in result.err
    assert f"{place}gh:team/repo is fetched by kustomize itself" in result.err


def test_all_that_is_wrong_comes_at_once_with_its_line(shop: Workspace) -> None:
    shop.write(
        {
            "input/base/kustomization.yaml": "resources:\n- web.yml\n- http://example.com/team/base\n",
            "input/overlays/production/kustomization.yaml": "resources: [../../base]\nhelmCharts:\n- {name: redis}\n",
        }
    )
    result = shop.run("config", "validate")
    assert result.code == 10
    for place in ("base/kustomization.yaml:2", "base/kustomization.yaml:3", "overlays/production/kustomization.yaml:3"):
        assert f"input/{place}: shop: " in result.err
    assert "http://example.com/team/base is fetched by kustomize itself" in result.err


def test_a_manifest_by_url_is_fetched_and_pinned(shop: Workspace) -> None:
    mirror = shop.mirror()
    shop.write({"input/config.yaml": DESCRIPTION})
    named = {"input/base/kustomization.yaml": f"resources: [web.yaml, '{CRDS}']\ncommonAnnotations: {{a: b}}\n"}
    shop.write(named)
    assert f"shop: {CRDS} is not in cluster-forge.lock" in shop.run("smelt").err
    shop.ok("mine", "--offline", "--mirror", mirror)
    shop.ok("smelt", "--no-cache")
    assert f"address: {CRDS}\n" in (shop.folder / "cluster-forge.lock").read_text()
    widgets = "customresourcedefinition.apiextensions.k8s.io_widgets.example.com.yaml"
    assert "a: b" in shop.tree("input/shop/manifests/sourced")[widgets].decode()
    assert widgets in names(shop)


def test_an_error_of_kustomize_names_component_and_line(shop: Workspace) -> None:
    shop.write({"input/base/kustomization.yaml": "resources: [web.yaml]\nnamePrefx: a-\n"})
    result = shop.run("smelt")
    assert result.code == 17
    assert "error: input/base/kustomization.yaml:2: component shop: " in result.err
    assert 'unknown field "namePrefx"' in result.err


def test_without_the_program_the_error_says_what_to_install(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = shop.run("smelt")
    assert result.code == 25
    assert "install kustomize 5 or kubectl" in result.err


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ("  helm: {chart: ./charts/web}\n", "has both `helm` and `kustomize`"),
        ("  values: {a: b}\n", "`values` without `helm`"),
    ],
)
def test_a_kustomization_goes_with_manifests_only(shop: Workspace, more: str, error: str) -> None:
    shop.write({"input/config.yaml": DESCRIPTION + more})
    shop.write({"input/charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n"})
    assert error in shop.run("config", "validate").err


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("missing", "input/missing does not exist"),
        ("base/kustomization.yaml", "input/base/kustomization.yaml is a file, where a folder is needed"),
        ("base/kustomization.yaml", "fix: write `base`"),
        ("../base", "base is outside of input"),
        ("/base", "/base is an absolute path"),
        ("github.com/team/repo//base?ref=v1", "write `kustomize: git+https://github.com/team/repo@v1//base`"),
        ("git+https://example.com/a.git@v1//../b", "write it like git+https://"),
    ],
)
def test_a_folder_that_cannot_be_one_is_an_error_of_the_description(shop: Workspace, text: str, error: str) -> None:
    shop.replace("input/config.yaml", "overlays/production", f"'{text}'")
    result = shop.run("config", "validate")
    assert result.code == 10
    assert "input/config.yaml:8: " in result.err
    assert error in result.err
