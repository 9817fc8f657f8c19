"""A workspace with a small chart of our own, and the command line: in process, or as the program that users start."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.archives import archive
from tests.cli.shared_workers import Pools
from tests.servers.chart_repository import RepositoryServer, serving

from cluster_forge.cli.app import run
from cluster_forge.composition import rendering, stage_services

PROGRAM = Path(sys.executable).parent / "cluster-forge"
REPOSITORY = "https://charts.example.com"
CRDS = "https://example.com/crds.yaml"
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.2.3\n",
    "values.yaml": "replicas: 1\nimage: docker.io/library/nginx:1.29\n",
    "templates/web.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: {{ .Values.image }}}]}
""",
}
DESCRIPTION = """\
apiVersion: cluster-forge/v1
kind: Stack
name: demo
gitops: {engine: none}
components:
- name: web
  namespace: web
  needs: [extras]
  helm: {chart: ./charts/web}
  values: {replicas: 2}
- name: extras
  namespace: extras
  manifests: [extras/]
- spare
define:
- name: spare
  namespace: extras
  manifests: [spare.yaml]
collections:
  both: [web, extras]
  few: [spare, extras]
environments:
  production: {target: {size: large}}
"""
LEGACY_FORMAT = """\
- name: both
  collection: [web, extras]
- name: web
  namespace: web
  syncwave: -5
  manifestpath: [web/manifests/sourced, web/manifests/more]
- name: extras
  namespaces: [extras, more]
  manifestpath: /extras
- name: spare
  namespace: extras
  manifestpath: spare.yaml
"""


def config_map(name: str, value: str = "1", namespace: str = "") -> str:
    space = f", namespace: {namespace}" if namespace else ""
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}{space}}}\ndata: {{value: '{value}'}}\n"


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a command line."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one document on stdout; anything beside it fails the test."""
        answer: dict[str, Any] = json.loads(self.out)
        return answer


class Workspace:
    """A folder with ``input/``, and the command line for it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def write(self, files: Mapping[str, str]) -> Workspace:
        for path, text in files.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return self

    def replace(self, path: str, old: str, new: str) -> None:
        target = self.folder / path
        assert old in target.read_text()
        target.write_text(target.read_text().replace(old, new))

    def run(self, *arguments: str) -> Result:
        """In this process."""
        self._capsys.readouterr()
        code = run(["-C", str(self.folder), *arguments])
        result = self._capsys.readouterr()
        return Result(code, result.out, result.err)

    def ok(self, *arguments: str) -> Result:
        result = self.run(*arguments)
        assert result.code == 0, result.err
        return result

    def program(self, *arguments: str, **environment: str) -> Result:
        """As a process of its own, started in the workspace."""
        done = subprocess.run(
            [PROGRAM, *arguments],
            cwd=self.folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def tree(self, folder: str) -> dict[str, bytes]:
        """The folder's files, without the workspace's own records."""
        root = self.folder / folder
        files = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
        return {name: path.read_bytes() for name, path in files.items() if not name.startswith(".cluster-forge/")}

    def logs(self) -> list[list[dict[str, Any]]]:
        """The entries of each log, in the order of the logs' names."""
        paths = sorted((self.folder / ".cluster-forge" / "log").glob("*"))
        return [[json.loads(line) for line in path.read_text().splitlines()] for path in paths]

    def read(self, path: str) -> str:
        return (self.folder / path).read_text()

    def yaml(self, path: str) -> Any:
        return yaml.safe_load(self.read(path))

    def mirror(self) -> str:
        """A mirror of one chart and one manifest, and a component of the stack for each."""
        definition = (
            b"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
            b"metadata: {name: widgets.example.com}\n"
            b"spec:\n  group: example.com\n  scope: Cluster\n  names: {kind: Widget, plural: widgets}\n"
            b"  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]\n"
        )
        files = {"shop.tgz": chart("shop", "2.0.0"), "crds.yaml": definition}
        folder = self.folder / "mirror"
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        known = {"repository": REPOSITORY, "name": "shop", "version": "2.0.0"}
        index = {
            "charts": [{**known, "file": "shop.tgz", "sha256": sums["shop.tgz"]}],
            "manifests": [{"url": CRDS, "file": "crds.yaml", "sha256": sums["crds.yaml"]}],
        }
        (folder / "index.yaml").write_text(yaml.safe_dump(index))
        fetched = (
            "components:\n"
            f"- {{name: shop, namespace: shop, helm: {{repository: {REPOSITORY}, chart: shop, version: '>=1'}}}}\n"
            f"- {{name: widgets, namespace: widgets, manifests: ['{CRDS}']}}\n"
        )
        self.replace("input/config.yaml", "components:\n", fetched)
        return str(folder)


def chart(name: str, version: str) -> bytes:
    """The archive of a small chart."""
    return archive(name, CHART | {"Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: {version}\n"})


@pytest.fixture(scope="session")
def pools() -> Iterator[Pools]:
    shared = Pools(rendering.worker_pool)
    yield shared
    shared.end()


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pools: Pools) -> None:
    """A store for the test, an environment without settings, and workers that need not start first."""
    monkeypatch.setattr(stage_services, "worker_pool", pools.pool)
    for name in os.environ:
        if name.startswith("CLUSTER_FORGE_") or name in ("NO_COLOR", "SOURCE_DATE_EPOCH", "PYTHONWARNINGS"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def own_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command line starts workers of its own, as the program does."""
    monkeypatch.setattr(stage_services, "worker_pool", rendering.worker_pool)


@pytest.fixture
def empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Workspace:
    folder = tmp_path / "empty"
    folder.mkdir()
    return Workspace(folder, capsys)


@pytest.fixture
def workspace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Workspace:
    files = {f"input/charts/web/{path}": text for path, text in CHART.items()}
    files |= {"input/config.yaml": DESCRIPTION, "input/extras/one.yaml": config_map("one")}
    files |= {"input/spare.yaml": config_map("spare")}
    return Workspace(tmp_path / "demo", capsys).write(files)


@pytest.fixture
def forged(workspace: Workspace) -> Workspace:
    workspace.ok("forge")
    return workspace


@pytest.fixture
def legacy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Workspace:
    """A workspace in the legacy format."""
    web = "web/manifests"
    files = {
        "config.yaml": LEGACY_FORMAT,
        "chosen.yaml": "- name: both\n",
        f"{web}/sourced/a.yaml": config_map("a"),
        f"{web}/sourced/b.yaml": config_map("b", namespace="web"),
        f"{web}/more/a.yaml": config_map("a", "2"),
        "extras/one.yaml": config_map("one"),
        "spare.yaml": config_map("spare"),
    }
    return Workspace(tmp_path / "first", capsys).write({f"input/{path}": text for path, text in files.items()})


@pytest.fixture
def server() -> Iterator[RepositoryServer]:
    """A repository with two versions of a chart, and a manifest."""
    with serving() as repository:
        for version in ("1.0.0", "1.1.0"):
            repository.publish("shop", version, chart("shop", version))
        repository.files["/crds.yaml"] = config_map("crds").encode()
        yield repository


@pytest.fixture
def sourced(workspace: Workspace, server: RepositoryServer) -> Workspace:
    """A workspace with a chart of a repository and a manifest by URL; nothing is fetched yet."""
    described = (
        "components:\n"
        f"- {{name: shop, namespace: shop, helm: {{repository: '{server.address}', chart: shop, version: '>=1'}}}}\n"
        f"- {{name: crds, namespace: crds, manifests: ['{server.address}/crds.yaml']}}\n"
    )
    workspace.replace("input/config.yaml", "components:\n", described)
    return workspace
