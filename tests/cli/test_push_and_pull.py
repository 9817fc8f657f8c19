"""push and pull: the same folder again from every kind of registry, and nothing but what `push` sent."""

from __future__ import annotations

import base64
import io
import json
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.cli.conftest import Workspace, config_map
from tests.oci.base_images import Base
from tests.servers import habits
from tests.servers.habits import Habits, HabitualRegistry, digest_of
from tests.servers.pushing import Repository, push_base
from tests.servers.registry import PASSWORD, READER, USER

from cluster_forge import composition
from cluster_forge.cli import stack_folders
from cluster_forge.cli.app import run
from cluster_forge.cli.session import Session
from cluster_forge.foundation.digest import Digest
from cluster_forge.oci import artifact
from cluster_forge.oci.image import MANIFEST_TYPE, Descriptor
from cluster_forge.oci.index import INDEX_TYPE
from cluster_forge.stages.deliver import deployment

if TYPE_CHECKING:
    from tests.servers.registry import Registry

DESCRIPTION = """\
apiVersion: cluster-forge/v1
kind: Stack
name: platform
gitops: {engine: none}
components:
- {name: extras, namespace: extras, manifests: [extras/]}
environments:
  production: {image: {repository: registry.example.com/production}}
"""
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


@pytest.fixture(scope="module")
def cast_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cast")
    (folder / "input" / "extras").mkdir(parents=True)
    (folder / "input" / "config.yaml").write_text(DESCRIPTION)
    (folder / "input" / "extras" / "one.yaml").write_text(config_map("one", "x" * 100_000))
    assert run(["-C", str(folder), "forge", "--store", str(folder / "store"), "-q"]) == 0
    return folder


@pytest.fixture
def cast(cast_once: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Workspace:
    shutil.copytree(cast_once, tmp_path / "w")
    return Workspace(tmp_path / "w", capsys)


@pytest.fixture
def registry() -> Iterator[HabitualRegistry]:
    with habits.running() as running:
        yield running


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], None]:
    """Log in as Docker does."""

    def log_in(host: str, user: str) -> None:
        secret = base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()
        folder = tmp_path / "docker"
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": secret}}}))
        monkeypatch.setenv("DOCKER_CONFIG", str(folder))

    return log_in


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file with its mode, and every folder."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mode, b"" if path.is_dir() else path.read_bytes())
        for path in folder.rglob("*")
    }


def stack(cast: Workspace) -> Path:
    return cast.folder / "stacks" / "platform"


def version(cast: Workspace) -> str:
    return str(json.loads((stack(cast) / "stack.json").read_text())["version"])


class TestTheRoad:
    @pytest.mark.parametrize("kind", ["open_registry", "password_registry", "token_registry"])
    def test_the_pulled_folder_is_the_cast_one(
        self,
        request: pytest.FixtureRequest,
        kind: str,
        cast: Workspace,
        login: Callable[[str, str], None],
        tmp_path: Path,
    ) -> None:
        there: Registry = request.getfixturevalue(kind)
        login(there.host, USER)
        address = f"oci://{there.host}/team/{kind.replace('_', '-')}"
        image = json.loads((stack(cast) / "stack.json").read_text())["image"]["digest"]
        pushed = cast.ok("push", "--to", address, "--format", "json").json
        assert pushed["image"] == {"digest": image}
        assert {tag["change"] for tag in pushed["tags"]} == {"added"}
        again = cast.ok("push", "--to", address, "--format", "json").json
        assert {tag["change"] for tag in again["tags"]} == {"kept"}
        assert again["blobs"] == {"bytes": 0, "mounted": 0, "present": 0, "uploaded": 0}
        for number, reference in enumerate((address, f"{address}:{version(cast)}", f"{address}@{image}")):
            target = tmp_path / f"pulled{number}"
            cast.ok("pull", reference, "-o", str(target))
            assert tree(target) == tree(stack(cast))
        with stack_folders.opened(Session(workspace=tmp_path), address, "deploy") as place:
            assert (
                deployment.read(place.folder, place.files).files
                == deployment.read("stacks/platform", composition.workspace_files(cast.folder)).files
            )
            (kept,) = (
                path for path in Path(tempfile.gettempdir()).glob("cluster-forge-*") if (path / place.folder).is_dir()
            )
        assert not kept.exists()
        assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith((".", "aside"))) == []

    @pytest.mark.parametrize("kind", ["password_registry", "token_registry"])
    def test_who_may_not_sees_which_login_was_used(
        self, request: pytest.FixtureRequest, kind: str, cast: Workspace, login: Callable[[str, str], None]
    ) -> None:
        there: Registry = request.getfixturevalue(kind)
        login("elsewhere.example.com", USER)
        nobody = cast.run("push", "--to", f"oci://{there.host}/team/x")
        assert (nobody.code, nobody.err.count("error: ")) == (13, 1)
        assert "401" in nobody.err
        assert f"cluster-forge login {there.host}" in nobody.err
        login(there.host, READER)
        reader = cast.run("push", "--to", f"oci://{there.host}/team/x")
        assert reader.code == (50 if kind == "token_registry" else 13)  # which knows the reader
        assert f"'{READER}'" in reader.err
        assert reader.err.count("error: ") == 1
        assert PASSWORD not in nobody.err + reader.err

    def test_into_the_workspace_and_again(self, cast: Workspace, registry: HabitualRegistry) -> None:
        before = tree(stack(cast))
        cast.ok("push", "--to", f"oci://{registry.host}/x")
        shutil.rmtree(stack(cast))
        for _ in range(2):
            result = cast.ok("pull", f"oci://{registry.host}/x")
            assert "stacks/platform holds version" in result.out
            assert tree(stack(cast)) == before

    def test_another_environment_has_a_folder_and_a_repository_of_its_own(
        self, cast: Workspace, registry: HabitualRegistry
    ) -> None:
        cast.ok("forge", "--environment", "production", "--store", str(cast.folder / "store"))
        several = cast.run("push", "--to", f"oci://{registry.host}/x")
        assert "several stacks are cast: platform, platform.production" in several.err
        other = cast.run("push", "platform.productoin")
        assert "did you mean 'platform.production'" in other.err
        cast.replace("input/config.yaml", "registry.example.com", registry.host)
        pushed = cast.ok("push", "platform.production", "--format", "json").json
        assert pushed["repository"] == f"oci://{registry.host}/production"
        shutil.rmtree(cast.folder / "stacks")
        cast.ok("pull", f"oci://{registry.host}/production")
        assert [path.name for path in (cast.folder / "stacks").iterdir()] == ["platform.production"]

    @pytest.mark.parametrize("kind", ["open_registry", "token_registry"])
    def test_the_layers_of_a_base_are_mounted(
        self,
        request: pytest.FixtureRequest,
        kind: str,
        cast: Workspace,
        login: Callable[[str, str], None],
        tmp_path: Path,
    ) -> None:
        there: Registry = request.getfixturevalue(kind)
        login(there.host, USER)
        tools = Repository(there, "tools/base", login=(USER, PASSWORD) if kind == "token_registry" else None)
        reference = push_base(tools, base := Base())
        cast.replace("input/config.yaml", "gitops:", f"image: {{base: '{reference}'}}\ngitops:")
        cast.ok("forge", "--store", str(cast.folder / "store"))
        address = f"oci://{there.host}/upon/a/base"
        blobs = cast.ok("push", "--to", address, "--format", "json").json["blobs"]
        layers = [content for content in base.blobs.values() if not content.startswith(b"{")]
        assert blobs["mounted"] == len(layers)
        cast.ok("pull", address, "-o", str(tmp_path / "x"))
        assert tree(tmp_path / "x") == tree(stack(cast))

    def test_through_a_registry_that_fails(self, cast: Workspace, tmp_path: Path) -> None:
        with habits.running(Habits(failing=0.3, seed=4)) as failing:
            pushed = cast.ok("push", "--to", f"oci://{failing.host}/x", "--format", "json").json
            cast.ok("pull", f"oci://{failing.host}/x", "-o", str(tmp_path / "x"))
        assert failing.failures.total() > 5
        assert pushed["tags"][0]["digest"] == pushed["image"]["digest"]
        assert tree(tmp_path / "x") == tree(stack(cast))

    def test_through_a_registry_that_is_poor(self, cast: Workspace, tmp_path: Path) -> None:
        with habits.running(Habits(mounts=False, tells_digest=False, relative_location=True, page=2)) as poor:
            cast.ok("push", "--to", f"oci://{poor.host}/x", "--tag", "1.0", "--tag", "latest")
            cast.ok("pull", f"oci://{poor.host}/x", "-o", str(tmp_path / "x"))
        assert tree(tmp_path / "x") == tree(stack(cast))


class TestReaders:
    """What Argo CD and Flux find (ADR 0031)."""

    def test_the_manifests_are_one_gzip_layer_without_a_subject(
        self, cast: Workspace, registry: HabitualRegistry
    ) -> None:
        cast.ok("push", "--to", f"oci://{registry.host}/x")
        media_type, content = registry.manifests["x", f"{version(cast)}-manifests"]
        document = json.loads(content)
        (layer,) = document["layers"]
        assert media_type == document["mediaType"] == MANIFEST_TYPE
        assert layer["mediaType"] == LAYER
        assert "subject" not in document
        with tarfile.open(fileobj=io.BytesIO(registry.blobs["x", layer["digest"]])) as archive:
            assert {name.partition("/")[0] for name in archive.getnames()} == {"manifests", "repo.git", "complete.sh"}

    def test_applications_of_an_oci_source_are_pinned_to_it(self, cast: Workspace) -> None:
        cast.replace(
            "input/config.yaml",
            "gitops: {engine: none}",
            "gitops: {engine: argocd, install: false, source: oci}\nimage: {repository: registry.example.com/x}",
        )
        cast.ok("forge", "--store", str(cast.folder / "store"))
        tag = f"{version(cast)}-manifests"
        applications = list((cast.folder / "working" / "argo-apps").glob("*.yaml"))
        assert applications
        assert all(f"targetRevision: {tag}\n" in path.read_text() for path in applications)
        assert f"\nrevision='{tag}'\n" in (stack(cast) / "deploy.sh").read_text()

    def test_there_are_none_with_zstd(self, cast: Workspace, registry: HabitualRegistry, tmp_path: Path) -> None:
        cast.replace("input/config.yaml", "gitops:", "image: {compression: zstd}\ngitops:")
        cast.ok("forge", "--store", str(cast.folder / "store"))
        result = cast.ok("push", "--to", f"oci://{registry.host}/x")
        assert "nothing for Argo CD and Flux" in result.out
        assert ("x", f"{version(cast)}-manifests") not in registry.manifests
        cast.ok("pull", f"oci://{registry.host}/x", "-o", str(tmp_path / "x"))
        assert tree(tmp_path / "x") == tree(stack(cast))


class TestTags:
    def test_one_that_names_something_else_stays(self, cast: Workspace, registry: HabitualRegistry) -> None:
        for tag in ("1.0", "1.0-manifests"):
            registry.manifests["x", tag] = (MANIFEST_TYPE, b"{}")
        refused = cast.run("push", "--to", f"oci://{registry.host}/x", "--tag", "1.0")
        assert refused.code == 51
        assert refused.err.count("the tag names sha256:44136fa355b3") == 2
        assert registry.count("PUT") == registry.count("POST") == 0
        moved = cast.ok(
            "push", "--to", f"oci://{registry.host}/x", "--tag", "1.0", "--force-tag", "--format", "json"
        ).json
        assert [tag["change"] for tag in moved["tags"]] == ["added"] * 3 + ["moved", "moved", "added"]

    def test_a_trial_sends_nothing(self, cast: Workspace, registry: HabitualRegistry) -> None:
        result = cast.ok("push", "--to", f"oci://{registry.host}/x", "--dry-run")
        assert "would be there" in result.out
        assert {line.split()[0] for line in registry.requests} == {"HEAD"}

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--to", "oci://HOST/x:1"], "is more than a repository"),
            (["--to", "oci://HOST/X"], "it must be lower case"),
            (["--to", "https://HOST/x"], "is not an image reference"),
            (["--to", "oci://user:secret@HOST/x"], "comes with a user or a password"),
            ([], "the description names no repository"),
            (["--to", "oci://HOST/x", "--tag", "a b", "--tag", "1.0-stack"], "2 errors"),
            (["--to", "oci://HOST/x", "--tag", "a" * 119], "is not a tag to push under"),
            (["--to", "oci://HOST/x", "--offline"], "--offline: the command needs a registry"),
        ],
    )
    def test_wrong_words_are_errors(
        self, cast: Workspace, registry: HabitualRegistry, options: list[str], message: str
    ) -> None:
        result = cast.run("push", *(option.replace("HOST", registry.host) for option in options))
        assert message in result.err
        assert "secret" not in result.err
        assert 10 <= result.code < 60
        assert registry.requests == []


class TestTheCastFolder:
    @pytest.mark.parametrize(
        ("path", "content", "code", "message"),
        [
            ("deploy.sh", b"changed", 21, "is not as cast left it: edited deploy.sh"),
            ("mine.txt", b"", 21, "is not as cast left it: added mine.txt"),
            ("repo.git/HEAD", None, 21, "is not as cast left it: deleted repo.git/HEAD"),
            (".written", None, 22, "cast has not written this folder"),
            ("image/index.json", b"{}", 23, "the image is damaged"),
        ],
    )
    def test_only_what_cast_left_is_pushed(  # noqa: PLR0917
        self, cast: Workspace, registry: HabitualRegistry, path: str, content: bytes | None, code: int, message: str
    ) -> None:
        target = stack(cast) / path
        target.unlink(missing_ok=True)
        if content is not None:
            target.write_bytes(content)
        result = cast.run("push", "--to", f"oci://{registry.host}/x")
        assert (result.code, registry.requests) == (code, [])
        assert message in result.err

    @pytest.mark.parametrize("which", ["manifest", "layer"])
    def test_a_damaged_blob_is_not_pushed(self, cast: Workspace, registry: HabitualRegistry, which: str) -> None:
        blobs = sorted((stack(cast) / "image" / "blobs" / "sha256").iterdir(), key=lambda path: path.stat().st_size)
        victim = blobs[0 if which == "manifest" else -1]
        victim.write_bytes(victim.read_bytes() + b" ")
        result = cast.run("push", "--to", f"oci://{registry.host}/x")
        assert result.code == 23
        assert "its content is not what its name says" in result.err
        assert not registry.manifests


def layer_of(files: Mapping[str, bytes], *more: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755 if name == "deploy.sh" else 0o644
            archive.addfile(entry, io.BytesIO(content))
        for entry in more:
            archive.addfile(entry, io.BytesIO(bytes(entry.size)))
    packer = zlib.compressobj(wbits=31)
    return packer.compress(buffer.getvalue()) + packer.flush()


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


class TestWhatIsPulled:
    """Whoever controls a registry writes what is in it."""

    @pytest.fixture
    def put(self, cast: Workspace, registry: HabitualRegistry) -> Callable[[bytes], None]:
        """Put another layer behind the stack's tag."""
        cast.ok("push", "--to", f"oci://{registry.host}/x")
        tag = f"{version(cast)}-stack"
        document = json.loads(registry.manifests["x", tag][1])
        index = json.loads((stack(cast) / "image" / "index.json").read_text())["manifests"][0]
        subject = Descriptor(media_type=index["mediaType"], digest=Digest.parse(index["digest"]), size=index["size"])

        def put(layer: bytes) -> None:
            described = Descriptor.of(layer, LAYER)
            built = artifact.build(
                artifact.STACK_TYPE, described, described.digest, document["annotations"], subject=subject
            )
            registry.blobs["x", digest_of(layer)] = layer
            registry.manifests["x", tag] = (MANIFEST_TYPE, built.content)

        return put

    @pytest.fixture
    def files(self, cast: Workspace) -> dict[str, bytes]:
        return {
            name: content
            for name, (_, content) in tree(stack(cast)).items()
            if (stack(cast) / name).is_file() and not name.startswith("image/blobs/")
        }

    def test_the_same_files_pass(
        self,
        cast: Workspace,
        registry: HabitualRegistry,
        tmp_path: Path,
        put: Callable[[bytes], None],
        files: dict[str, bytes],
    ) -> None:
        put(layer_of(files))
        cast.ok("pull", f"oci://{registry.host}/x", "-o", str(tmp_path / "x"))
        assert tree(tmp_path / "x") == tree(stack(cast))

    @pytest.mark.parametrize(
        ("change", "more", "message"),
        [
            ({}, [link("repo.git/objects/x", "/etc/passwd")], "is not a file"),
            ({}, [link("repo.git/objects/x", "deploy.sh", tarfile.LNKTYPE)], "is not a file"),
            ({}, [link("dev", "", tarfile.CHRTYPE)], "is not a file"),
            ({}, [tarfile.TarInfo("deploy.sh")], "is there twice"),
            ({"../../x": b""}, [], "not a relative path"),
            ({"/x": b""}, [], "not a relative path"),
            ({"deploy.sh/x": b""}, [], "both a file and a folder"),
            ({"\x1b[31mred": b""}, [], "is not a file"),
            ({"more": b""}, [], "not those of its record: more"),
            ({"deploy.sh": b"rm -rf /"}, [], "not those of its record: deploy.sh"),
            ({"repo.git/HEAD": None}, [], "not those of its record: repo.git/HEAD"),
            ({".written": None}, [], "not those of its record"),
        ],
    )
    def test_an_unsafe_layer_writes_nothing(  # noqa: PLR0917
        self,
        cast: Workspace,
        registry: HabitualRegistry,
        tmp_path: Path,
        put: Callable[[bytes], None],
        files: dict[str, bytes],
        change: dict[str, bytes | None],
        more: list[tarfile.TarInfo],
        message: str,
    ) -> None:
        changed = {name: content for name, content in {**files, **change}.items() if content is not None}
        put(layer_of(changed, *more))
        result = cast.run("pull", f"oci://{registry.host}/x", "-o", str(tmp_path / "x"))
        assert result.code == 23
        assert message in result.err
        assert "\x1b" not in result.err
        assert not (tmp_path / "x").exists()

    @pytest.mark.parametrize("layer", [b"", b"x", zlib.compress(b"x"), b"\x1f\x8b\x08"])
    def test_a_broken_layer_writes_nothing(
        self, cast: Workspace, registry: HabitualRegistry, tmp_path: Path, put: Callable[[bytes], None], layer: bytes
    ) -> None:
        put(layer)
        result = cast.run("pull", f"oci://{registry.host}/x", "-o", str(tmp_path / "x"))
        assert (result.code, (tmp_path / "x").exists()) == (23, False)
        assert "the layer cannot be unpacked" in result.err

    @pytest.mark.parametrize("name", ["../../x", ".hidden", "a/b", ""])
    def test_a_folder_elsewhere_is_not_written(
        self, cast: Workspace, registry: HabitualRegistry, put: Callable[[bytes], None], name: str
    ) -> None:
        tag = ("x", f"{version(cast)}-stack")
        document = json.loads(registry.manifests[tag][1])
        document["annotations"][artifact.FOLDER_ANNOTATION] = name
        registry.manifests[tag] = (MANIFEST_TYPE, json.dumps(document).encode())
        result = cast.run("pull", f"oci://{registry.host}/x")
        assert result.code == 23
        assert "is not the name of a folder" in result.err

    def test_a_changed_blob_writes_nothing(
        self, cast: Workspace, registry: HabitualRegistry, tmp_path: Path, put: Callable[[bytes], None]
    ) -> None:
        for (name, digest), content in list(registry.blobs.items()):
            registry.blobs[name, digest] = content[:-1] + b"?"
        result = cast.run("pull", f"oci://{registry.host}/x", "-o", str(tmp_path / "x"))
        assert (result.code, (tmp_path / "x").exists()) == (13, False)
        assert "not what its digest promises" in result.err

    def test_an_index_of_very_many_images_is_not_followed(
        self, cast: Workspace, registry: HabitualRegistry, tmp_path: Path, put: Callable[[bytes], None]
    ) -> None:
        entry = {"mediaType": MANIFEST_TYPE, "digest": digest_of(b"{}"), "size": 2}
        index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [entry] * 1_000}
        content = json.dumps(index).encode()
        tag = ("x", f"{version(cast)}-stack")
        document = json.loads(registry.manifests[tag][1])
        document["subject"] = {"mediaType": INDEX_TYPE, "digest": digest_of(content), "size": len(content)}
        registry.manifests[tag] = (MANIFEST_TYPE, json.dumps(document).encode())
        registry.manifests["x", digest_of(content)] = (INDEX_TYPE, content)
        before = registry.count("GET", "manifests")
        result = cast.run("pull", f"oci://{registry.host}/x:{version(cast)}", "-o", str(tmp_path / "x"))
        assert (result.code, (tmp_path / "x").exists()) == (23, False)
        assert "at most 50 architectures" in result.err
        assert registry.count("GET", "manifests") == before + 2


class TestReferences:
    @pytest.fixture(params=[True, False], ids=["api", "tag"])
    def registry(self, request: pytest.FixtureRequest) -> Iterator[HabitualRegistry]:
        with habits.running(Habits(referrers_api=request.param)) as running:
            yield running

    def test_an_image_of_two_stacks_needs_a_tag(
        self, cast: Workspace, registry: HabitualRegistry, tmp_path: Path
    ) -> None:
        address = f"oci://{registry.host}/x"
        image = cast.ok("push", "--to", address, "--format", "json").json["image"]["digest"]
        text = (stack(cast) / "images.txt").read_text()
        record = (stack(cast) / ".written").read_text()
        (stack(cast) / "images.txt").write_text("more\n")
        digests = [Digest.of(content.encode()).hex for content in (text, "more\n")]
        (stack(cast) / ".written").write_text(record.replace(digests[0], digests[1]))
        cast.ok("push", "--to", address, "--force-tag")
        several = cast.run("pull", f"{address}@{image}", "-o", str(tmp_path / "x"))
        assert several.code == 13
        assert "2 stacks belong to it" in several.err
        cast.ok("pull", address, "-o", str(tmp_path / "x"))
        assert tree(tmp_path / "x") == tree(stack(cast))

    def test_without_a_tag_the_only_version_or_latest(
        self, cast: Workspace, registry: HabitualRegistry, tmp_path: Path
    ) -> None:
        address = f"oci://{registry.host}/x"
        cast.ok("push", "--to", address, "--tag", "1.0")
        several = cast.run("pull", address)
        assert several.code == 13
        assert f"2 versions of the stack, and none is called 'latest': 1.0, {version(cast)}" in several.err
        cast.ok("push", "--to", address, "--tag", "latest")
        cast.ok("pull", address, "-o", str(tmp_path / "x"))

    def test_what_is_missing_is_the_digest_where_there_is_one(
        self, cast: Workspace, registry: HabitualRegistry
    ) -> None:
        address = f"oci://{registry.host}/x"
        cast.ok("push", "--to", address, "--tag", "1.0")
        assert "there is no stack under the tag '2.0'" in cast.run("pull", f"{address}:2.0").err
        wrong = cast.run("pull", f"{address}:1.0@{digest_of(b'another')}")
        assert (wrong.code, "there is no stack with this digest" in wrong.err) == (13, True)

    @pytest.mark.parametrize("reference", ["", ":1.0", f"@{digest_of(b'{}')}"])
    def test_what_is_not_a_stack_is_named(self, cast: Workspace, registry: HabitualRegistry, reference: str) -> None:
        empty = Descriptor.of(b"{}", "x/y").to_json()
        content = json.dumps({"config": empty, "layers": [empty]}).encode()
        for key in ("1.0", digest_of(b"{}"), digest_of(content)):
            registry.manifests["x", key] = (MANIFEST_TYPE, content)
        result = cast.run("pull", f"oci://{registry.host}/x{reference}")
        assert result.code == 13
        assert "cluster-forge push" in result.err or "not what its digest promises" in result.err


class TestTheFolder:
    @pytest.mark.parametrize("inside", [True, False], ids=["workspace", "elsewhere"])
    @pytest.mark.parametrize(("name", "problem"), [("mine.txt", "did not write"), ("deploy.sh", "edited by hand")])
    def test_files_of_the_user_stay(  # noqa: PLR0917
        self, cast: Workspace, registry: HabitualRegistry, tmp_path: Path, inside: bool, name: str, problem: str
    ) -> None:
        cast.ok("push", "--to", f"oci://{registry.host}/x")
        before, target = tree(stack(cast)), stack(cast) if inside else tmp_path / "x"
        command = ["pull", f"oci://{registry.host}/x", *([] if inside else ["-o", str(target)])]
        cast.ok(*command)
        (target / name).write_text("mine")
        refused = cast.run(*command)
        assert refused.code == 21
        assert problem in refused.err
        assert (target / name).read_text() == "mine"
        cast.ok(*command, "--overwrite")
        assert tree(target) == before

    @pytest.mark.parametrize("kind", ["file", "link", "foreign folder"])
    def test_what_is_not_such_a_folder_stays(
        self, cast: Workspace, registry: HabitualRegistry, tmp_path: Path, kind: str
    ) -> None:
        cast.ok("push", "--to", f"oci://{registry.host}/x")
        target, other = tmp_path / "x", tmp_path / "other"
        other.mkdir()
        (other / "file").write_text("mine")
        match kind:
            case "file":
                target.write_text("mine")
            case "link":
                target.symlink_to(other)
            case _:
                other.rename(target)
        result = cast.run("pull", f"oci://{registry.host}/x", "-o", str(target))
        assert result.code in (20, 21)
        assert (target if kind == "file" else (target / "file")).read_text() == "mine"

    @pytest.mark.parametrize("output", [".", "..", "/", "x/.."])
    def test_the_current_folder_is_not_replaced(
        self, cast: Workspace, monkeypatch: pytest.MonkeyPatch, output: str
    ) -> None:
        monkeypatch.chdir(cast.folder)
        result = cast.run("pull", "oci://registry.example.com/x", "-o", output)
        assert result.code == 2
        assert "is the current folder, or above it: name a new one" in result.err

    def test_no_workspace_is_needed(
        self, cast: Workspace, registry: HabitualRegistry, empty: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cast.ok("push", "--to", f"oci://{registry.host}/x")
        monkeypatch.chdir(empty.folder)
        assert run(["pull", f"oci://{registry.host}/x", "-o", "deep/er/x"]) == 0
        assert tree(empty.folder / "deep" / "er" / "x") == tree(stack(cast))
        assert [path.name for path in empty.folder.iterdir()] == ["deep"]
