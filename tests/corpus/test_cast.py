"""Real stacks cast: small, the same bytes everywhere, valid for Git and registries; and the commands of the contract."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
import zstandard

from cluster_forge.adapters.git.bare_repositories import BareRepositories
from cluster_forge.adapters.storage.cache import NoCache
from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.adapters.workspace import WorkspaceFiles
from cluster_forge.foundation.digest import Digest
from cluster_forge.oci.compression import Compression
from cluster_forge.stack.model import ImageSettings
from cluster_forge.stages.build.cast import CastRequest, CastResult, cast

if TYPE_CHECKING:
    from tests.corpus.conftest import Forged, Workspaces

pytestmark = pytest.mark.corpus

TIME = 1_700_000_000
PROGRAMS = Path(sys.executable).parent
SKOPEO = shutil.which("skopeo")
Tree = dict[str, tuple[str, bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CastStack:
    """A cast stack on disk."""

    folder: Path
    result: CastResult

    @property
    def tree(self) -> Tree:
        """Digest and mode of every file."""
        return {
            path.relative_to(self.folder).as_posix(): (Digest.of(path.read_bytes()).hex, os.access(path, os.X_OK))
            for path in self.folder.rglob("*")
            if path.is_file()
        }

    @property
    def layer(self) -> bytes:
        """The one layer of the image, unpacked: a tar archive."""
        (entry,) = json.loads((self.folder / "image" / "index.json").read_bytes())["manifests"]
        index = json.loads(self._blob(entry))
        layers = [json.loads(self._blob(manifest))["layers"] for manifest in index["manifests"]]
        assert len(layers) == 2
        assert layers[0] == layers[1]
        (shared,) = layers[0]
        packed: bytes = self._blob(shared)
        if shared["mediaType"].endswith("+gzip"):
            return gzip.decompress(packed)
        return bytes(zstandard.ZstdDecompressor(max_window_size=1 << 27).decompress(packed))

    def _blob(self, descriptor: Any) -> bytes:
        content: bytes = (self.folder / "image" / "blobs" / descriptor["digest"].replace(":", "/")).read_bytes()
        assert len(content) == descriptor["size"]
        return content


@pytest.fixture(scope="module")
def casting(workspaces: Workspaces, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., CastStack]:
    """Cast what was smelted into a new folder."""

    def call(forged: Forged, *, jobs: int, compression: Compression = Compression.GZIP) -> CastStack:
        folder = tmp_path_factory.mktemp("cast")
        workers = ThreadWorkers(jobs)
        with workspaces.services(forged.folder) as services:
            toolbox = replace(services.toolbox, files=WorkspaceFiles(folder), workers=workers)
        stack = replace(forged.stack, image=ImageSettings(compression=compression))
        request = CastRequest(stack=stack, inputs=forged.smelted.record.inputs, time=TIME, smelted=forged.smelted)
        result = cast(request, toolbox, BareRepositories(workers, NoCache()), _SilentReporter())
        return CastStack(folder=folder / result.folder, result=result)

    return call


@pytest.fixture(scope="module")
def one(casting: Callable[..., CastStack], everything: Forged) -> CastStack:
    """Everything, by one worker."""
    return casting(everything, jobs=1)


@pytest.fixture(scope="module")
def packed(casting: Callable[..., CastStack], everything: Forged) -> CastStack:
    """Everything, with zstd."""
    return casting(everything, jobs=2, compression=Compression.ZSTD)


@pytest.fixture(scope="module")
def legacy(workspaces: Workspaces) -> Path:
    """A workspace in the legacy format."""
    return workspaces.make("v1-input")


class _SilentReporter:
    """A `ports.Reporter` that ignores every event."""

    def stage_started(self, stage: str, total: int) -> None: ...
    def item_started(self, stage: str, item: str) -> None: ...
    def item_finished(self, stage: str, item: str, detail: str = "", **facts: str | float | bool) -> None: ...
    def stage_finished(self, stage: str, summary: str) -> None: ...
    def finding_reported(self, finding: object) -> None: ...


def command(*arguments: str | Path, folder: Path) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    done = subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_number_of_workers_does_not_change_the_bytes(
    one: CastStack, casting: Callable[..., CastStack], everything: Forged
) -> None:
    eight = casting(everything, jobs=8)
    assert eight.tree == one.tree
    assert eight.result == one.result


def test_the_image_is_small(one: CastStack, packed: CastStack) -> None:
    assert one.result.sizes["image"] < 6_000_000
    assert packed.result.sizes["image"] < 2_000_000
    assert Digest.of(one.layer) == Digest.of(packed.layer)


@pytest.mark.parametrize("name", ["one", "packed"])
def test_the_repository_in_the_image_is_completed_to_the_same_commit(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    stack: CastStack = request.getfixturevalue(name)
    with tarfile.open(fileobj=io.BytesIO(stack.layer)) as archive:
        archive.extractall(tmp_path, filter="data")
    assert command("sh", "complete.sh", folder=tmp_path).split()[-1] == stack.result.commit
    refs = command("git", "--git-dir", "repo.git", "show-ref", folder=tmp_path)
    assert set(refs.splitlines()) == {
        f"{stack.result.commit} refs/heads/main",
        f"{stack.result.commit} refs/tags/{stack.result.revision}",
    }


def test_the_repository_is_valid_and_contains_working(one: CastStack, everything: Forged, tmp_path: Path) -> None:
    command("git", "--git-dir", str(one.folder / "repo.git"), "fsck", "--strict", "--full", folder=tmp_path)
    command("git", "clone", "--quiet", str(one.folder / "repo.git"), "clone", folder=tmp_path)
    clone = tmp_path / "clone"
    paths = [path for path in clone.rglob("*") if path.is_file() and ".git" not in path.parts]
    files = {path.relative_to(clone).as_posix(): path.read_bytes() for path in paths}
    assert everything.smelted.tree is not None
    assert files == dict(everything.smelted.tree.files)


@pytest.mark.skipif(SKOPEO is None, reason="skopeo is not installed")
@pytest.mark.parametrize("name", ["one", "packed"])
def test_skopeo_reads_the_image(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    stack: CastStack = request.getfixturevalue(name)
    assert SKOPEO is not None
    for architecture in ("amd64", "arm64"):
        output = command(
            SKOPEO,
            "--override-arch",
            architecture,
            "inspect",
            f"oci:{stack.folder}/image:{stack.result.revision}",
            folder=tmp_path,
        )
        config = json.loads(output)
        assert config["Architecture"] == architecture
        assert config["Labels"]["org.opencontainers.image.revision"] == stack.result.commit
        assert len(config["Layers"]) == 1
    command(
        SKOPEO,
        "--insecure-policy",
        "copy",
        "--all",
        f"oci:{stack.folder}/image",
        f"dir:{tmp_path}/copy",
        folder=tmp_path,
    )


def check_script(folder: Path) -> None:
    """`deploy.sh` passes shellcheck, and prints its steps without a cluster, with files that exist."""
    command(PROGRAMS / "shellcheck", "--shell=sh", "--severity=style", "deploy.sh", folder=folder)
    printed = command("sh", "deploy.sh", "--print", folder=folder)
    assert printed.endswith("nothing was changed\n")
    named = [line.split()[1] for line in printed.splitlines() if line.startswith("  apply ")]
    assert named
    assert all((folder / path).is_file() for path in named)


def test_images_txt_lists_the_images_of_the_stack(one: CastStack) -> None:
    names = (one.folder / "images.txt").read_text().splitlines()
    described = json.loads((one.folder / "stack.json").read_bytes())
    known = {image for part in described["components"] for image in part["images"]}
    assert names == sorted(set(names))
    assert set(names) <= known
    assert all("/" in image and (":" in image or "@" in image) for image in names), names


class TestCommands:
    """The commands of the contract, as a user types them."""

    @pytest.fixture
    def typed(self, corpus: Path, workspaces: Workspaces, tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
        def call(folder: Path, *arguments: str) -> tuple[int, str, str]:
            done = subprocess.run(
                [PROGRAMS / "cluster-forge", "-C", folder, "forge", "--offline", *arguments],
                env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            return done.returncode, done.stdout, done.stderr

        return call

    @pytest.mark.parametrize("name", ["prd", "everything"])
    def test_a_stack_is_forged_from_the_mirror(
        self, typed: Callable[..., Any], workspaces: Workspaces, corpus: Path, name: str
    ) -> None:
        folder = workspaces.make(f"stacks/{name}")
        code, out, err = typed(folder, "--mirror", str(corpus / "mirror"))
        assert code == 0, err
        assert out.startswith(f"stacks/{name} holds the stack {name!r}:\n")
        assert out.splitlines()[-2].startswith("next: cluster-forge ")
        described = json.loads((folder / "stacks" / name / "stack.json").read_text())
        assert described["findings"]["error"] == 0
        wanted = yaml.safe_load((folder / "input" / "config.yaml").read_bytes())
        added = {"namespaces", "argo-cd"} if wanted["gitops"]["engine"] == "argocd" else {"namespaces"}
        assert {part["name"] for part in described["components"]} == {
            part["name"] for part in wanted["components"]
        } | added
        check_script(folder / "stacks" / name)
        assert not [line for line in err.splitlines() if line.startswith("error")]

    @pytest.mark.parametrize("selection", ["core", "enterprise-ai", "nuage", "weka"])
    def test_a_selection_of_the_legacy_format_is_forged(
        self, typed: Callable[..., Any], legacy: Path, selection: str
    ) -> None:
        arguments = ("--select", f"config-silogen-{selection}.yaml")
        code, out, err = typed(legacy, *arguments)
        assert (code, out) == (18, "")
        error, fix = (line for line in err.splitlines() if not line.startswith("render "))
        assert error == (
            "error: input/keycloak/keycloak-values.yaml:1: component keycloak: "
            "not a Kubernetes object: it is a file of Helm values"
        )
        assert "--skip keycloak" in fix
        assert len([line for line in err.splitlines() if line.startswith("error")]) == 1
        code, out, err = typed(legacy, *arguments, "--skip", "keycloak")
        assert code == 0, err
        assert "\nnext: cluster-forge " in out

    def test_the_whole_legacy_workspace_reports_its_errors(self, typed: Callable[..., Any], legacy: Path) -> None:
        code, out, err = typed(legacy)
        assert (code, out) == (10, "")
        assert err == (
            "error: input/config.yaml:268: rabbitmq-airm-config: input/rabbitmq-airm-config does not exist\n"
            "  fix: create it, correct the path (relative to input/), or leave the component out: "
            "--skip rabbitmq-airm-config\n"
        )
        broken = ("--skip", "rabbitmq-airm-config", "--skip", "keycloak")
        code, out, err = typed(legacy, *broken)
        assert code == 1
        assert out.startswith("nothing was cast: 6 errors")
        conflicts = [line for line in err.splitlines() if line.startswith("error")]
        assert len(conflicts) == 6
        assert all(line.startswith("error[duplicate-object]: input/") for line in conflicts)
        named = {line.split(": ")[2].split()[0] for line in conflicts}
        # kube-prometheus-stack and prometheus differ; the second has claims, and comes after the default StorageClass
        assert named == {"kueue-onenode", "kyverno-onenode", "prometheus"}
        code, out, err = typed(legacy, *broken, *(text for name in sorted(named) for text in ("--skip", name)))
        assert code == 0, err
        assert "\nnext: cluster-forge " in out
