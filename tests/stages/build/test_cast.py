"""What cast makes of `working/`: a repository that Git likes, an image that registries take, a script that runs."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
import zstandard

from cluster_forge.adapters.git.bare_repositories import BareRepositories
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ManifestError, StaleError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.oci.compression import Compression
from cluster_forge.ports.git import Repositories
from cluster_forge.stack.model import Architecture, GitOps, GitOpsEngine, ImageSettings, Stack, Target
from cluster_forge.stages.build.cast import CastResult, CastRequest, cast

if TYPE_CHECKING:
    from tests.stages.conftest import Harness

TIME = 1_700_000_000
FOLDER = "stacks/platform"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: {{ .Values.image }}}]}
"""
EXISTING, DIRECT = GitOps(install=False), GitOps(engine=GitOpsEngine.NONE)


def described(harness: Harness, **changes: Any) -> Stack:
    """A stack of a chart with a hook that only an upgrade runs, and of a plain manifest."""
    hook = harness.config_map("later", annotations="helm.sh/hook: pre-upgrade")
    image = "image: docker.io/library/nginx:1.29"
    helm = harness.chart("web", {"web.yaml": DEPLOYMENT, "later.yaml": hook}, values=image)
    web = harness.component("web", helm=helm, values={"image": "docker.io/library/nginx:1.29"}, needs=("notes",))
    notes = harness.component("notes", manifests=(harness.input("notes/one.yaml", harness.config_map("one")),))
    return harness.stack(web, notes, **{"gitops": DIRECT, **changes})


def made(harness: Harness, stack: Stack, *, time: int = TIME, **options: Any) -> CastResult:
    request = CastRequest(stack=stack, inputs=harness.fingerprint(stack), time=time, **options)
    repositories: Repositories = BareRepositories(harness.toolbox.workers, harness.toolbox.cache)
    return cast(request, harness.toolbox, repositories, harness.reporter)


def forged(harness: Harness, **changes: Any) -> CastResult:
    stack = described(harness, **changes)
    harness.forge(stack)
    return made(harness, stack)


def tree(harness: Harness) -> FileTree:
    found = harness.files.read_tree(FOLDER)
    assert found is not None
    return found


def on_disk(harness: Harness, folder: Path) -> Path:
    """The cast stack as files."""
    for path, content in tree(harness).files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def command(*arguments: str | Path, folder: Path) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    done = subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class TestFolder:
    def test_holds_what_the_contract_says(self, harness: Harness) -> None:
        told = forged(harness)
        top = {path.partition("/")[0] for path in tree(harness)}
        assert top == {"stack.json", "images.txt", "deploy.sh", "image", "repo.git", "bootstrap"}
        assert (told.stack, told.folder, told.findings) == ("platform", FOLDER, ())
        assert told.objects == sum(len(part.objects) for part in told.parts) == 4
        for name, size in told.sizes.items():
            if name != "image":
                assert size == tree(harness).inside(name).size

    def test_stack_json(self, harness: Harness) -> None:
        told = forged(harness)
        content = json.loads(harness.files.files[f"{FOLDER}/stack.json"])
        assert list(content) == [
            "schema",
            "name",
            "version",
            "target",
            "components",
            "objects",
            "image",
            "git",
            "findings",
        ]
        assert (content["schema"], content["name"]) == ("cluster-forge/stack/v1", "platform")
        assert content["target"] == {
            "kubernetes": "v1.33.0",
            "size": "small",
            "architectures": ["amd64", "arm64"],
        }
        parts = {part["name"]: part for part in content["components"]}
        web = parts["web"]
        assert web == {
            "name": "web",
            "version": "1.0.0",
            "source": "https://charts.example.com web",
            "digest": web["digest"],
            "namespace": "web",
            "wave": web["wave"],
            "needs": ["notes"],
            "objects": 1,
            "images": ["docker.io/library/nginx:1.29"],
        }
        assert web["digest"] == str(Digest.of(harness.sources.charts["web", "1.0.0"]))
        assert (parts["notes"]["version"], parts["notes"]["digest"]) == ("", "")
        assert parts["namespaces"]["wave"] < parts["notes"]["wave"] < web["wave"]
        assert content["objects"] == sum(part["objects"] for part in parts.values())
        assert content["image"]["platforms"] == ["linux/amd64", "linux/arm64"]
        assert content["image"]["digest"] == str(told.image)
        assert content["git"] == {"commit": told.commit}
        assert content["findings"] == {"error": 0, "warning": 0}
        assert content["version"] == told.revision

    def test_images_txt(self, harness: Harness) -> None:
        assert forged(harness).images == ("docker.io/library/nginx:1.29",)
        assert harness.files.files[f"{FOLDER}/images.txt"] == b"docker.io/library/nginx:1.29\n"

    def test_images_txt_names_no_image_that_is_only_known_in_the_cluster(self, harness: Harness) -> None:
        assert forged(harness, gitops=EXISTING).images == ("docker.io/library/nginx:1.29",)

    def test_what_is_told_on_the_way(self, harness: Harness) -> None:
        told = forged(harness)
        events = [event for event in harness.reporter.events if event[1] == "cast"]
        assert events[0] == ("started", "cast", "3")
        assert [event[2] for event in events if event[0] == "advanced"] == ["repo.git", "image", "bootstrap"]
        assert events[1][3] == f"commit {told.commit}"
        assert events[-1][0] == "finished"


class TestSameBytes:
    def test_again_and_in_another_place(self, harness: Harness) -> None:
        forged(harness)
        first = dict(harness.files.files)
        other = harness.again()
        forged(other)
        assert other.files.files == first

    def test_what_was_smelted_in_this_run_gives_what_lies_in_working(self, harness: Harness) -> None:
        stack = described(harness)
        smelted = harness.forge(stack)
        made(harness, stack, smelted=smelted)
        first = dict(harness.files.files)
        made(harness, stack)
        assert harness.files.files == first

    def test_the_time_counts_for_commit_and_image_but_not_for_what_is_delivered(self, harness: Harness) -> None:
        stack = described(harness)
        harness.forge(stack)
        one, same, other = (made(harness, stack, time=time) for time in (TIME, TIME, TIME + 1))
        assert (one.image, one.commit) == (same.image, same.commit)
        assert one.image != other.image
        assert one.commit != other.commit
        assert one.revision == other.revision


class TestRepository:
    def test_can_be_cloned_and_is_in_order(self, harness: Harness, tmp_path: Path) -> None:
        told = forged(harness, gitops=EXISTING)
        cast_folder = on_disk(harness, tmp_path / "cast")
        command("git", "--git-dir", "repo.git", "fsck", "--strict", "--full", folder=cast_folder)
        command("git", "clone", "--quiet", "cast/repo.git", "clone", folder=tmp_path)
        clone = tmp_path / "clone"
        files = {
            path.relative_to(clone).as_posix(): path.read_text()
            for path in clone.rglob("*")
            if path.is_file() and ".git" not in path.parts
        }
        assert files == harness.working
        log = command("git", "log", "--format=%H %an %at %ct %s", "--decorate=no", folder=clone).strip()
        assert log == f"{told.commit} Cluster-Forge {TIME} {TIME} platform {told.revision}"
        assert "web 1.0.0\n" in command("git", "log", "--format=%b", folder=clone)
        assert command("git", "rev-parse", told.revision, folder=clone).strip() == told.commit

    def test_every_application_is_pinned_to_the_tag(self, harness: Harness) -> None:
        told = forged(harness, gitops=EXISTING)
        applications = [yaml.safe_load(text) for text in harness.below("working/argo-apps").values()]
        assert {each["metadata"]["name"] for each in applications} >= {"platform", "web", "notes"}
        assert {each["spec"]["source"]["targetRevision"] for each in applications} == {told.revision}


class Layout:
    """A cast image layout; every blob that is asked for must be what its descriptor says."""

    def __init__(self, harness: Harness) -> None:
        files = tree(harness).inside("image").files
        start = "blobs/sha256/"
        self.blobs = {path.removeprefix(start): content for path, content in files.items() if path.startswith(start)}
        self.others = {path: json.loads(content) for path, content in files.items() if not path.startswith(start)}
        self.seen: set[str] = set()

    def blob(self, descriptor: dict[str, Any]) -> bytes:
        name = descriptor["digest"].removeprefix("sha256:")
        content = self.blobs[name]
        assert (len(content), Digest.of(content).hex) == (descriptor["size"], name)
        self.seen.add(name)
        return content

    @property
    def index(self) -> dict[str, Any]:
        (entry,) = self.others["index.json"]["manifests"]
        index: dict[str, Any] = json.loads(self.blob(entry))
        return index

    @property
    def manifests(self) -> list[dict[str, Any]]:
        return [json.loads(self.blob(each)) for each in self.index["manifests"]]

    @property
    def archive(self) -> bytes:
        """The one layer, unpacked."""
        (shared,) = self.manifests[0]["layers"]
        packed = self.blob(shared)
        if shared["mediaType"].endswith("+gzip"):
            return gzip.decompress(packed)
        return zstandard.ZstdDecompressor().decompress(packed, max_output_size=1 << 24)


class TestImage:
    @pytest.mark.parametrize("compression", list(Compression))
    def test_is_a_layout_as_oci_has_it(self, harness: Harness, compression: Compression) -> None:
        told = forged(harness, gitops=EXISTING, image=ImageSettings(compression=compression))
        layout = Layout(harness)
        assert layout.others["oci-layout"] == {"imageLayoutVersion": "1.0.0"}
        assert layout.others["index.json"]["manifests"][0]["digest"] == str(told.image)
        assert told.sizes["image"] == sum(map(len, layout.blobs.values()))
        platforms = [each["platform"] for each in layout.index["manifests"]]
        assert platforms == [{"architecture": name, "os": "linux"} for name in ("amd64", "arm64")]
        one, other = layout.manifests
        assert one["layers"] == other["layers"]
        assert one["layers"][0]["mediaType"].endswith(f"tar+{compression.value}")
        for manifest, platform in zip(layout.manifests, platforms, strict=True):
            config = json.loads(layout.blob(manifest["config"]))
            assert (config["architecture"], config["os"]) == (platform["architecture"], "linux")
            assert config["rootfs"]["diff_ids"] == [str(Digest.of(layout.archive))]
        assert layout.seen == layout.blobs.keys()

    def test_says_what_it_is(self, harness: Harness) -> None:
        told = forged(harness)
        layout = Layout(harness)
        for each in (layout.index, *layout.manifests):
            notes = {key.removeprefix("org.opencontainers.image."): value for key, value in each["annotations"].items()}
            assert (notes["title"], notes["version"], notes["revision"]) == ("platform", told.revision, told.commit)
            assert notes["created"] == "2023-11-14T22:13:20Z"

    def test_holds_the_manifests_and_the_repository_around_them(self, harness: Harness) -> None:
        forged(harness, gitops=EXISTING)
        with tarfile.open(fileobj=io.BytesIO(Layout(harness).archive)) as opened:
            entries = {each.name: each for each in opened}
            texts = {
                name.removeprefix("manifests/"): opened.extractfile(each).read().decode()  # type: ignore[union-attr]
                for name, each in entries.items()
                if name.startswith("manifests/") and each.isfile()
            }
        assert texts == harness.working
        assert {each.mtime for each in entries.values()} == {TIME}
        assert "complete.sh" in entries
        assert any(name.startswith("repo.git/objects/pack/") for name in entries)

    def test_one_architecture(self, harness: Harness) -> None:
        told = forged(harness, target=Target(architectures=(Architecture.ARM64,)))
        assert told.platforms == ("linux/arm64",)


class TestScript:
    @pytest.mark.parametrize("gitops", [DIRECT, EXISTING, GitOps(install=False, finalizers=True)])
    def test_is_clean_and_can_be_read_without_a_cluster(
        self, harness: Harness, tmp_path: Path, gitops: GitOps
    ) -> None:
        forged(harness, gitops=gitops)
        folder = on_disk(harness, tmp_path / "it's here")
        shellcheck = Path(sys.executable).parent / "shellcheck"
        command(shellcheck, "--shell=sh", "--severity=style", "deploy.sh", folder=folder)
        said = command("sh", f"{folder}/deploy.sh", "--print", folder=tmp_path)
        assert said.startswith("stack platform, ")
        assert said.endswith("nothing was changed\n")
        named = [line.split()[1] for line in said.splitlines() if line.startswith("  apply ")]
        assert named
        assert all((folder / path).is_file() for path in named)


class TestHandEdits:
    FILE = "working/web/deployment.apps_web_web.yaml"

    def edited(self, harness: Harness, gitops: GitOps = EXISTING) -> tuple[Stack, CastResult]:
        stack = described(harness, gitops=gitops)
        harness.forge(stack)
        return stack, made(harness, stack)

    def change(self, harness: Harness, path: str, old: bytes, new: bytes) -> None:
        assert old in harness.files.files[path]
        harness.files.files[path] = harness.files.files[path].replace(old, new)

    def test_are_in_repository_image_and_list_of_images(self, harness: Harness, tmp_path: Path) -> None:
        stack, before = self.edited(harness)
        self.change(harness, self.FILE, b"nginx:1.29", b"nginx:1.30")
        after = made(harness, stack)
        assert after.images == ("docker.io/library/nginx:1.30",)
        assert before.revision != after.revision
        assert before.image != after.image
        (finding,) = after.findings
        assert harness.reporter.findings[-1] == finding
        assert (finding.code, finding.where) == ("hand-edited", "working/")
        assert finding.message == "1 file was edited by hand: web/deployment.apps_web_web.yaml; cast as edited"
        folder = on_disk(harness, tmp_path / "cast")
        git = ("git", "--git-dir", "repo.git", "show")
        assert "nginx:1.30" in command(*git, "main:web/deployment.apps_web_web.yaml", folder=folder)
        application = yaml.safe_load(command(*git, "main:argo-apps/web.yaml", folder=folder))
        assert application["spec"]["source"]["targetRevision"] == after.revision

    def test_a_deleted_and_an_added_file(self, harness: Harness) -> None:
        stack, before = self.edited(harness, DIRECT)
        del harness.files.files["working/notes/configmap_notes_one.yaml"]
        harness.files.files["working/web/extra.yaml"] = harness.config_map("extra", namespace="web").encode()
        after = made(harness, stack)
        assert after.objects == before.objects
        names = {each.id.name for part in after.parts for each in part.objects}
        assert names == {"web", "notes", "extra"}
        assert "2 files were edited" in after.findings[0].message

    def test_of_hooks_that_are_kept_as_data(self, harness: Harness) -> None:
        stack, before = self.edited(harness, DIRECT)
        (path,) = [path for path in harness.files.files if path.startswith("working/web/hooks/")]
        self.change(harness, path, b"a: b", b"a: c")
        after = made(harness, stack)
        assert after.parts[-1].objects == before.parts[-1].objects
        assert after.commit != before.commit

    def test_of_an_application_stay_as_they_are(self, harness: Harness, tmp_path: Path) -> None:
        stack, before = self.edited(harness)
        path = "working/argo-apps/web.yaml"
        self.change(harness, path, before.revision.encode(), b"my-own-branch")
        after = made(harness, stack)
        assert after.revision == before.revision
        folder = on_disk(harness, tmp_path / "cast")
        shown = command("git", "--git-dir", "repo.git", "show", "main:argo-apps/web.yaml", folder=folder)
        assert "my-own-branch" in shown

    def test_into_something_else_are_all_told(self, harness: Harness) -> None:
        stack, _ = self.edited(harness, DIRECT)
        writes = harness.files.writes
        harness.files.files[self.FILE] = b"a: 1\n"
        harness.files.files["working/web/two.yaml"] = (
            harness.config_map("a") + "---\n" + harness.config_map("b")
        ).encode()
        harness.files.files["working/web/none.yaml"] = b"# nothing\n"
        harness.files.files["working/shop/new.yaml"] = harness.config_map("new").encode()
        errors = harness.errors(lambda: made(harness, stack))
        assert all(isinstance(error, ManifestError) for error in errors)
        assert [(error.where, error.message) for error in errors if "holds" in error.message] == [
            ("working/web/none.yaml", "holds 0 objects"),
            ("working/web/two.yaml", "holds 2 objects"),
        ]
        assert ("working/shop", "was added by hand, and is not the folder of a component") in [
            (error.where, error.message) for error in errors
        ]
        assert any((error.where or "").startswith(f"{self.FILE}:1") for error in errors)
        assert len(errors) == 4
        assert harness.files.writes == writes


class TestStale:
    def test_nothing_was_smelted(self, harness: Harness) -> None:
        stack = described(harness)
        harness.mine(stack)
        with pytest.raises(StaleError, match="smelt has not written working/ yet") as raised:
            made(harness, stack)
        assert raised.value.fix

    @pytest.mark.parametrize("changes", [{"name": "other"}, {"target": Target(architectures=(Architecture.AMD64,))}])
    def test_of_another_description(self, harness: Harness, changes: dict[str, Any]) -> None:
        stack = described(harness)
        harness.forge(stack)
        with pytest.raises(StaleError, match="working/ is out of date: description, lock, input/ or selection changed") as raised:
            made(harness, replace(stack, **changes))
        assert raised.value.fix
        assert "--stale" in raised.value.fix

    def test_of_another_version_of_the_tool(self, harness: Harness) -> None:
        stack = described(harness)
        harness.forge(stack)
        record = harness.files.files["working/.smelt.json"]
        harness.files.files["working/.smelt.json"] = record.replace(b'"tool": "', b'"tool": "9')
        with pytest.raises(StaleError):
            made(harness, stack)

    def test_is_cast_where_one_says_so(self, harness: Harness) -> None:
        stack = described(harness)
        harness.forge(stack)
        told = made(harness, replace(stack, target=Target(architectures=(Architecture.AMD64,))), allow_stale=True)
        assert [finding.code for finding in told.findings] == ["stale"]
        assert told.platforms == ("linux/amd64",)

    def test_a_damaged_record(self, harness: Harness) -> None:
        stack = described(harness)
        harness.forge(stack)
        harness.files.files["working/.smelt.json"] = b"{"
        with pytest.raises(StaleError, match="cannot be read"):
            made(harness, stack, allow_stale=True)
