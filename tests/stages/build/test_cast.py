"""cast: a repository that Git clones, an image that registries accept, a script that runs."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
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
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.oci.compression import Compression
from cluster_forge.ports.git import Repositories
from cluster_forge.stack.component import Component
from cluster_forge.stack.model import Architecture, GitOps, GitOpsEngine, ImageSettings, Stack, Target
from cluster_forge.stages.build.cast import CastRequest, CastResult, cast

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


def web_and_notes(harness: Harness, **changes: Any) -> Stack:
    """A stack of a chart, with a hook for upgrades only, and of a plain manifest."""
    hook = harness.config_map("later", annotations="helm.sh/hook: pre-upgrade")
    image = "image: docker.io/library/nginx:1.29"
    helm = harness.chart("web", {"web.yaml": DEPLOYMENT, "later.yaml": hook}, values=image)
    web = harness.component("web", helm=helm, values={"image": "docker.io/library/nginx:1.29"}, needs=("notes",))
    notes = harness.component("notes", manifests=(harness.input("notes/one.yaml", harness.config_map("one")),))
    return harness.stack(web, notes, **{"gitops": DIRECT, **changes})


def cast_working(harness: Harness, stack: Stack, *, time: int = TIME, **options: Any) -> CastResult:
    request = CastRequest(stack=stack, inputs=harness.fingerprint(stack), time=time, **options)
    repositories: Repositories = BareRepositories(harness.toolbox.workers, harness.toolbox.cache)
    return cast(request, harness.toolbox, repositories, harness.reporter)


def forged(harness: Harness, **changes: Any) -> CastResult:
    stack = web_and_notes(harness, **changes)
    harness.forge(stack)
    return cast_working(harness, stack)


def tree(harness: Harness, folder: str = FOLDER) -> FileTree:
    tree = harness.files.read_tree(folder)
    assert tree is not None
    return tree


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
    def test_has_the_files_of_the_contract(self, harness: Harness) -> None:
        result = forged(harness)
        top = {path.partition("/")[0] for path in tree(harness)}
        assert top == {"stack.json", "images.txt", "deploy.sh", "image", "repo.git", "bootstrap"}
        assert (result.stack, result.folder, result.findings) == ("platform", FOLDER, ())
        assert result.objects == sum(len(part.objects) for part in result.parts) == 4
        for name, size in result.sizes.items():
            if name != "image":
                assert size == tree(harness, f"{FOLDER}/{name}").size

    def test_stack_json(self, harness: Harness) -> None:
        result = forged(harness)
        content = json.loads(harness.files.files[f"{FOLDER}/stack.json"])
        assert list(content) == [
            "schema",
            "name",
            "version",
            "environment",
            "leftOut",
            "target",
            "delivery",
            "components",
            "objects",
            "volumeClaims",
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
        assert content["image"]["digest"] == str(result.image)
        assert content["git"] == {"commit": result.commit}
        assert (content["delivery"], content["volumeClaims"]) == ("direct", [])
        forged(harness, gitops=EXISTING)
        assert json.loads(harness.files.files[f"{FOLDER}/stack.json"])["delivery"] == "existing"
        assert content["findings"] == {"error": 0, "warning": 0}
        assert content["version"] == result.revision

    def test_images_txt(self, harness: Harness) -> None:
        assert forged(harness).images == ("docker.io/library/nginx:1.29",)
        assert harness.files.files[f"{FOLDER}/images.txt"] == b"docker.io/library/nginx:1.29\n"

    def test_images_txt_omits_the_image_that_is_looked_up_in_the_cluster(self, harness: Harness) -> None:
        assert forged(harness, gitops=EXISTING).images == ("docker.io/library/nginx:1.29",)

    def test_progress_is_reported(self, harness: Harness) -> None:
        result = forged(harness)
        events = [event for event in harness.reporter.events if event[1] == "cast"]
        assert events[0] == ("started", "cast", "3")
        assert [event[2] for event in events if event[0] == "advanced"] == ["repo.git", "image", "bootstrap"]
        assert events[1][3] == f"commit {result.commit}"
        assert events[-1][0] == "finished"


class TestSameBytes:
    def test_a_second_cast_elsewhere_has_the_same_bytes(self, harness: Harness) -> None:
        forged(harness)
        first = dict(harness.files.files)
        other = harness.again()
        forged(other)
        assert other.files.files == first

    def test_casting_a_smelt_result_and_casting_working_are_the_same(self, harness: Harness) -> None:
        stack = web_and_notes(harness)
        smelted = harness.forge(stack)
        cast_working(harness, stack, smelted=smelted)
        first = dict(harness.files.files)
        cast_working(harness, stack)
        assert harness.files.files == first

    def test_casting_a_working_that_was_current_is_the_same(self, harness: Harness) -> None:
        """Only the counts of the findings are those of this run."""
        stack = web_and_notes(harness)
        cast_working(harness, stack, smelted=harness.forge(stack))
        first = dict(harness.files.files)
        current = harness.smelt(stack)
        assert current.is_current
        cast_working(harness, stack, smelted=current)
        assert harness.files.files == first
        notice = Finding(code="unused-source", severity=Severity.WARNING, message="look")
        warned = harness.smelt(stack, notices=(notice,))
        cast_working(harness, stack, smelted=warned)
        assert json.loads(harness.files.files[f"{FOLDER}/stack.json"])["findings"]["warning"] == 1

    def test_an_edit_after_smelt_is_cast_with_a_warning(self, harness: Harness) -> None:
        stack = web_and_notes(harness)
        harness.forge(stack)
        current = harness.smelt(stack)
        harness.files.files["working/notes/configmap_notes_one.yaml"] += b"# by hand\n"
        result = cast_working(harness, stack, smelted=current)
        assert [finding.code for finding in result.findings] == ["hand-edited"]

    def test_the_time_changes_commit_and_image_but_not_the_revision(self, harness: Harness) -> None:
        stack = web_and_notes(harness)
        harness.forge(stack)
        one, same, other = (cast_working(harness, stack, time=time) for time in (TIME, TIME, TIME + 1))
        assert (one.image, one.commit) == (same.image, same.commit)
        assert one.image != other.image
        assert one.commit != other.commit
        assert one.revision == other.revision


class TestRepository:
    def test_can_be_cloned_and_passes_fsck(self, harness: Harness, tmp_path: Path) -> None:
        result = forged(harness, gitops=EXISTING)
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
        assert log == f"{result.commit} Cluster-Forge {TIME} {TIME} platform {result.revision}"
        assert "web 1.0.0\n" in command("git", "log", "--format=%b", folder=clone)
        assert command("git", "rev-parse", result.revision, folder=clone).strip() == result.commit

    def test_every_application_is_pinned_to_the_tag(self, harness: Harness) -> None:
        result = forged(harness, gitops=EXISTING)
        applications = [yaml.safe_load(text) for text in harness.below("working/argo-apps").values()]
        assert {application["metadata"]["name"] for application in applications} >= {
            "platform.argo-apps",
            "platform.web",
            "platform.notes",
        }
        assert {application["spec"]["source"]["targetRevision"] for application in applications} == {result.revision}


class Layout:
    """A cast image layout; every blob must match its descriptor."""

    def __init__(self, harness: Harness) -> None:
        files = tree(harness, f"{FOLDER}/image").files
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
        return [json.loads(self.blob(descriptor)) for descriptor in self.index["manifests"]]

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
    def test_is_an_oci_image_layout(self, harness: Harness, compression: Compression) -> None:
        result = forged(harness, gitops=EXISTING, image=ImageSettings(compression=compression))
        layout = Layout(harness)
        assert layout.others["oci-layout"] == {"imageLayoutVersion": "1.0.0"}
        assert layout.others["index.json"]["manifests"][0]["digest"] == str(result.image)
        assert result.sizes["image"] == sum(map(len, layout.blobs.values()))
        platforms = [descriptor["platform"] for descriptor in layout.index["manifests"]]
        assert platforms == [{"architecture": name, "os": "linux"} for name in ("amd64", "arm64")]
        one, other = layout.manifests
        assert one["layers"] == other["layers"]
        assert one["layers"][0]["mediaType"].endswith(f"tar+{compression.value}")
        for manifest, platform in zip(layout.manifests, platforms, strict=True):
            config = json.loads(layout.blob(manifest["config"]))
            assert (config["architecture"], config["os"]) == (platform["architecture"], "linux")
            assert config["rootfs"]["diff_ids"] == [str(Digest.of(layout.archive))]
        assert layout.seen == layout.blobs.keys()

    def test_has_annotations(self, harness: Harness) -> None:
        result = forged(harness)
        layout = Layout(harness)
        for document in (layout.index, *layout.manifests):
            notes = {
                key.removeprefix("org.opencontainers.image."): value for key, value in document["annotations"].items()
            }
            assert (notes["title"], notes["version"], notes["revision"]) == ("platform", result.revision, result.commit)
            assert notes["created"] == "2023-11-14T22:13:20Z"

    def test_has_the_manifests_and_the_repository_without_them(self, harness: Harness) -> None:
        forged(harness, gitops=EXISTING)
        with tarfile.open(fileobj=io.BytesIO(Layout(harness).archive)) as opened:
            entries = {entry.name: entry for entry in opened}
            texts = {
                name.removeprefix("manifests/"): opened.extractfile(entry).read().decode()  # type: ignore[union-attr]
                for name, entry in entries.items()
                if name.startswith("manifests/") and entry.isfile()
            }
        assert texts == harness.working
        assert {entry.mtime for entry in entries.values()} == {TIME}
        assert "complete.sh" in entries
        assert any(name.startswith("repo.git/objects/pack/") for name in entries)

    def test_one_architecture(self, harness: Harness) -> None:
        result = forged(harness, target=Target(architectures=(Architecture.ARM64,)))
        assert result.platforms == ("linux/arm64",)


class TestScript:
    @pytest.mark.parametrize("gitops", [DIRECT, EXISTING, GitOps(install=False, finalizers=True)])
    def test_passes_shellcheck_and_prints_without_a_cluster(
        self, harness: Harness, tmp_path: Path, gitops: GitOps
    ) -> None:
        forged(harness, gitops=gitops)
        folder = on_disk(harness, tmp_path / "it's here")
        shellcheck = Path(sys.executable).parent / "shellcheck"
        command(shellcheck, "--shell=sh", "--severity=style", "deploy.sh", folder=folder)
        output = command("sh", f"{folder}/deploy.sh", "--print", folder=tmp_path)
        assert output.startswith("stack platform, ")
        assert output.endswith("nothing was changed\n")
        named = [line.split()[1] for line in output.splitlines() if line.startswith("  apply ")]
        assert named
        assert all((folder / path).is_file() for path in named)


class TestHandEdits:
    FILE = "working/web/deployment.apps_web_web.yaml"

    def edited(self, harness: Harness, gitops: GitOps = EXISTING) -> tuple[Stack, CastResult]:
        stack = web_and_notes(harness, gitops=gitops)
        harness.forge(stack)
        return stack, cast_working(harness, stack)

    def change(self, harness: Harness, path: str, old: bytes, new: bytes) -> None:
        assert old in harness.files.files[path]
        harness.files.files[path] = harness.files.files[path].replace(old, new)

    def test_are_cast_into_repository_image_and_list_of_images(self, harness: Harness, tmp_path: Path) -> None:
        stack, before = self.edited(harness)
        self.change(harness, self.FILE, b"nginx:1.29", b"nginx:1.30")
        after = cast_working(harness, stack)
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

    def test_a_deleted_and_an_added_file_are_cast(self, harness: Harness) -> None:
        stack, before = self.edited(harness, DIRECT)
        del harness.files.files["working/notes/configmap_notes_one.yaml"]
        harness.files.files["working/web/extra.yaml"] = harness.config_map("extra", namespace="web").encode()
        after = cast_working(harness, stack)
        assert after.objects == before.objects
        names = {part_object.id.name for part in after.parts for part_object in part.objects}
        assert names == {"web", "notes", "extra"}
        assert "2 files were edited" in after.findings[0].message

    def test_of_hooks_that_are_not_applied_change_the_commit_only(self, harness: Harness) -> None:
        stack, before = self.edited(harness, DIRECT)
        (path,) = [path for path in harness.files.files if path.startswith("working/web/hooks/")]
        self.change(harness, path, b"a: b", b"a: c")
        after = cast_working(harness, stack)
        assert after.parts[-1].objects == before.parts[-1].objects
        assert after.commit != before.commit

    def test_of_an_application_are_not_overwritten(self, harness: Harness, tmp_path: Path) -> None:
        stack, before = self.edited(harness)
        path = "working/argo-apps/web.yaml"
        self.change(harness, path, before.revision.encode(), b"my-own-branch")
        after = cast_working(harness, stack)
        assert after.revision == before.revision
        folder = on_disk(harness, tmp_path / "cast")
        shown = command("git", "--git-dir", "repo.git", "show", "main:argo-apps/web.yaml", folder=folder)
        assert "my-own-branch" in shown

    def test_that_are_not_one_object_are_all_reported(self, harness: Harness) -> None:
        stack, _ = self.edited(harness, DIRECT)
        writes = harness.files.writes
        harness.files.files[self.FILE] = b"a: 1\n"
        harness.files.files["working/web/two.yaml"] = (
            harness.config_map("a") + "---\n" + harness.config_map("b")
        ).encode()
        harness.files.files["working/web/none.yaml"] = b"# nothing\n"
        harness.files.files["working/shop/new.yaml"] = harness.config_map("new").encode()
        errors = harness.errors(lambda: cast_working(harness, stack))
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
    def test_without_working_there_is_nothing_to_cast(self, harness: Harness) -> None:
        stack = web_and_notes(harness)
        harness.mine(stack)
        with pytest.raises(StaleError, match="smelt has not written working/ yet") as raised:
            cast_working(harness, stack)
        assert raised.value.fix

    def test_another_stack_is_refused_also_if_working_may_be_stale(self, harness: Harness) -> None:
        stack = web_and_notes(harness)
        harness.forge(stack)
        other = replace(stack, name="other")
        for allow_stale in (False, True):
            with pytest.raises(StaleError, match=r"^working/: holds the stack 'platform', not 'other'") as raised:
                cast_working(harness, other, allow_stale=allow_stale)
            assert "`cluster-forge smelt`" in (raised.value.fix or "")
        assert "stacks/other/stack.json" not in harness.files.files

    @pytest.mark.parametrize("changes", [{"target": Target(architectures=(Architecture.AMD64,))}])
    def test_another_description_is_refused(self, harness: Harness, changes: dict[str, Any]) -> None:
        stack = web_and_notes(harness)
        harness.forge(stack)
        with pytest.raises(
            StaleError, match=r"^working/: out of date: description, lock, input/ or selection changed"
        ) as raised:
            cast_working(harness, replace(stack, **changes))
        assert raised.value.fix
        assert "--stale" in raised.value.fix

    def test_another_build_is_refused(self, harness: Harness) -> None:
        stack = web_and_notes(harness)
        harness.forge(stack)
        record = harness.files.files["working/.smelt.json"]
        harness.files.files["working/.smelt.json"] = record.replace(b'"tool": "', b'"tool": "9')
        with pytest.raises(StaleError):
            cast_working(harness, stack)

    def test_allow_stale_casts_with_a_warning(self, harness: Harness) -> None:
        stack = web_and_notes(harness)
        harness.forge(stack)
        result = cast_working(
            harness, replace(stack, target=Target(architectures=(Architecture.AMD64,))), allow_stale=True
        )
        assert [finding.code for finding in result.findings] == ["stale"]
        assert result.platforms == ("linux/amd64",)

    def test_a_damaged_record_is_refused(self, harness: Harness) -> None:
        stack = web_and_notes(harness)
        harness.forge(stack)
        harness.files.files["working/.smelt.json"] = b"{"
        with pytest.raises(StaleError, match="cannot be read"):
            cast_working(harness, stack, allow_stale=True)

    @pytest.mark.parametrize("path", ["../../../outside/x.yaml", "/outside/x.yaml", "web/none.yaml", "a\\nb"])
    def test_a_record_with_an_object_without_a_file_is_refused(self, harness: Harness, path: str) -> None:
        """It may have come with a clone; it was a bug report before."""
        stack = web_and_notes(harness)
        harness.forge(stack)
        record = harness.files.files["working/.smelt.json"].decode()
        first = re.search(r'"path": "([^"]+)"', record)
        assert first
        changed = record.replace(f'"path": "{first[1]}"', f'"path": "{path}"', 1)
        harness.files.files["working/.smelt.json"] = changed.encode()
        with pytest.raises(StaleError, match="is not one of its files") as raised:
            cast_working(harness, stack)
        assert raised.value.fix


def test_data_that_stays_behind_is_listed_against_the_cast_before(harness: Harness) -> None:
    claim = (
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n"
        "spec: {storageClassName: '', accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n"
    )
    web = harness.component("web", manifests=(harness.input("web.yaml", harness.config_map("a")),))
    db = harness.component("db", manifests=(harness.input("db.yaml", claim, harness.crd("Widget")),))

    def cast(*components: Component) -> tuple[Finding, ...]:
        stack = harness.stack(*components)
        harness.forge(stack)
        return cast_working(harness, stack).findings

    assert cast(web, db) == ()
    findings = cast(web)
    assert {(finding.code, str(finding.object)) for finding in findings} == {
        ("stays-behind", "Namespace/db"),
        ("stays-behind", "PersistentVolumeClaim/db/data"),
        ("stays-behind", "CustomResourceDefinition.apiextensions.k8s.io/widgets.example.com"),
    }
    assert any(finding.fix.endswith("kubectl delete persistentvolumeclaim/data -n db") for finding in findings)
    assert cast(web) == ()


def definition(*versions: str, kind: str = "Widget") -> str:
    """A CRD with these versions, of which the first is stored, and those with a ``-`` are not served."""
    text = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
    text += f"metadata: {{name: {kind.lower()}s.example.com}}\nspec:\n  group: example.com\n  scope: Namespaced\n"
    text += f"  names: {{kind: {kind}, plural: {kind.lower()}s}}\n  versions:\n"
    for number, name in enumerate(versions):
        served, stored = (str(flag).lower() for flag in (not name.startswith("-"), number == 0))
        text += f"  - {{name: {name.removeprefix('-')}, served: {served}, storage: {stored}, schema: "
        text += "{openAPIV3Schema: {type: object}}}\n"
    return text


@pytest.mark.parametrize(
    ("after", "lost"),
    [
        (("v1", "v1alpha1"), ""),
        (("v1", "-v1alpha1"), ""),
        (("v1alpha1", "v1", "v2"), ""),
        (("v1",), "v1alpha1"),
        (("v2",), "v1, v1alpha1"),
        ((), ""),
    ],
)
def test_a_definition_without_a_version_of_the_cast_before_is_found(
    harness: Harness, after: tuple[str, ...], lost: str
) -> None:
    """Of a CRD that left the stack the finding is `stays-behind`."""
    widgets = "".join(f"---\napiVersion: example.com/v1\nkind: Widget\nmetadata: {{name: w{n}}}\n" for n in range(4))
    gadget = definition("v1", kind="Gadget")

    def cast(*documents: str) -> tuple[Finding, ...]:
        stack = harness.stack(harness.component("web", manifests=(harness.input("web.yaml", *documents),)))
        harness.forge(stack)
        return tuple(one for one in cast_working(harness, stack).findings if one.code == "lost-version")

    assert cast(definition("v1", "v1alpha1"), gadget, widgets) == ()
    findings = cast(gadget, *([definition(*after)] if after else []))
    assert [finding.message.split(" has ")[1].split(", which")[0] for finding in findings] == ([lost] if lost else [])
    for finding in findings:
        assert finding.object
        assert finding.object.name == "widgets.example.com"
        assert "w0, Widget.example.com/web/w1, Widget.example.com/web/w2 and 1 more of this stack" in finding.message
    assert cast(gadget, *([definition(*after)] if after else [])) == ()


@pytest.mark.parametrize(
    "earlier", [None, b"{", b"[]", b'{"volumeClaims": [1, {"name": 1}]}', b'{"volumeClaims": {"a": 1}}']
)
def test_volumes_of_stateful_sets_stay_behind(harness: Harness, earlier: bytes | None) -> None:
    """No manifest has their claims. An earlier file that is not cast's own says nothing."""
    text = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: NAME}\nspec:\n  serviceName: NAME\n"
    text += "  selector: {matchLabels: {app: NAME}}\n  template:\n    metadata: {labels: {app: NAME}}\n"
    text += f"    spec: {{containers: [{harness.container('NAME')}]}}\n"
    text += "  volumeClaimTemplates:\n  - metadata: {name: data}\n"
    text += "    spec: {storageClassName: '', accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n"
    database, cache = text.replace("NAME", "pg"), text.replace("NAME", "redis")

    def stack(*documents: str) -> Stack:
        return harness.stack(harness.component("db", manifests=(harness.input("db.yaml", *documents),)))

    both = stack(database, cache)
    harness.forge(both)
    assert cast_working(harness, both).findings == ()
    file = f"{FOLDER}/stack.json"
    assert json.loads(harness.files.files[file])["volumeClaims"] == [
        {"namespace": "db", "name": "data-pg", "statefulSet": "pg"},
        {"namespace": "db", "name": "data-redis", "statefulSet": "redis"},
    ]
    if earlier is not None:
        harness.files.files[file] = earlier
    narrowed = stack(cache)
    harness.forge(narrowed)
    findings = [finding for finding in cast_working(harness, narrowed).findings if finding.code != "hand-edited"]
    if earlier is not None:
        assert findings == []
        return
    (finding,) = findings
    assert (finding.code, str(finding.object)) == ("stays-behind", "StatefulSet.apps/db/pg")
    assert finding.message.endswith("with the data: PersistentVolumeClaim/db/data-pg-…")
    assert "kubectl get persistentvolumeclaims -n db" in finding.fix
