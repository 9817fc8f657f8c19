from __future__ import annotations

import base64
import io
import os
import re
import subprocess
import tarfile
from pathlib import Path

import pytest

from cluster_forge.adapters.git.bare_repositories import BareRepositories
from cluster_forge.adapters.storage.cache import NoCache
from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops import git_chunks, git_image, git_server
from cluster_forge.oci import image_content
from cluster_forge.stack.model import GitOps, ImageSettings, RepositorySource, Stack

STACK = Stack(name="demo")
PERSISTENT = Stack(name="demo", gitops=GitOps(persistent=True))
KUBERNETES_LIMIT = 1024 * 1024


def test_the_archive_is_the_same_for_the_same_files() -> None:
    tree = FileTree({"b": b"2", "a/c": b"1"}, frozenset({"b"}))
    packed = git_chunks.archive(tree)
    assert packed == git_chunks.archive(FileTree({"a/c": b"1", "b": b"2"}, frozenset({"b"})))
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        assert {(entry.name, entry.mode, entry.mtime, entry.uid) for entry in tar} == {
            ("a/c", 0o644, 0, 0),
            ("b", 0o755, 0, 0),
        }


def test_chunks_hold_the_archive_and_fit_into_config_maps() -> None:
    packed = os.urandom(2 * git_chunks.CHUNK + 1)
    bodies = list(git_chunks.chunks(STACK, packed, "c" * 40))
    assert b"".join(base64.b64decode(body["binaryData"]["chunk"]) for body in bodies) == packed
    assert all(len(body["binaryData"]["chunk"]) < KUBERNETES_LIMIT for body in bodies)
    assert all(body["immutable"] for body in bodies)
    names = [body["metadata"]["name"] for body in bodies]
    assert names == sorted(set(names))
    assert not set(names) & {body["metadata"]["name"] for body in git_chunks.chunks(STACK, packed + b"x", "c" * 40)}
    (volume,) = (
        volume
        for volume in git_server.deployment(STACK, git_chunks.content(STACK, packed, "i"), "c")["spec"]["template"][
            "spec"
        ]["volumes"]
        if volume["name"] == "chunks"
    )
    sources = [source["configMap"] for source in volume["projected"]["sources"]]
    assert [source["name"] for source in sources] == names
    paths = [source["items"][0]["path"] for source in sources]
    assert paths == sorted(paths)


def test_the_pod_is_restricted_and_replaced_with_the_commit() -> None:
    body = git_server.deployment(
        STACK, git_chunks.content(STACK, b"x", "example.com/argocd:1", [{"name": "pull"}]), "c" * 40
    )
    template = body["spec"]["template"]
    assert template["metadata"]["annotations"] == {"cluster-forge/commit": "c" * 40}
    pod = template["spec"]
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert pod["imagePullSecrets"] == [{"name": "pull"}]
    for container in (*pod["initContainers"], *pod["containers"]):
        assert container["image"] == "example.com/argocd:1"
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]
    assert pod["containers"][0]["command"][-1] == "/repository/demo.git"
    assert (
        "imagePullSecrets"
        not in git_server.deployment(STACK, git_chunks.content(STACK, b"x", "i"), "c")["spec"]["template"]["spec"]
    )


def test_a_persistent_repository_has_a_volume() -> None:
    kinds = [body["kind"] for body in git_server.surroundings(PERSISTENT, "argocd")]
    assert kinds == ["Namespace", "PersistentVolumeClaim", "Service", "NetworkPolicy"]
    pod = git_server.deployment(PERSISTENT, git_chunks.content(PERSISTENT, b"x", "i"), "c")["spec"]["template"]["spec"]
    assert pod["volumes"][0] == {"name": "repository", "persistentVolumeClaim": {"claimName": "git-demo"}}
    assert pod["securityContext"]["fsGroup"]


@pytest.mark.parametrize(
    ("namespace", "client"),
    [
        ("argocd", {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "argocd"}}}),
        ("", {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app.kubernetes.io/part-of": "argocd"}}}),
    ],
)
def test_only_argo_cd_has_access_to_the_server(namespace: str, client: dict[str, object]) -> None:
    policy = list(git_server.surroundings(STACK, namespace))[-1]
    assert policy["spec"]["ingress"] == [{"from": [client], "ports": [{"port": "git", "protocol": "TCP"}]}]


def test_a_long_name_is_cut_to_a_valid_one() -> None:
    assert len(git_server.name(Stack(name="a" * 58 + "-" + "b" * 4))) <= 63


def git(*arguments: str | Path) -> str:
    who = {
        f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in (("NAME", "n"), ("EMAIL", "e"))
    }
    finished = subprocess.run(
        ["git", *arguments], check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **who}
    )
    return finished.stdout.strip()


def bare(folder: Path, tag: str) -> FileTree:
    """A bare repository with one commit, as its files."""
    git("init", "-q", "-b", "main", folder / tag)
    (folder / tag / "file").write_text(tag)
    git("-C", folder / tag, "add", "file")
    git("-C", folder / tag, "commit", "-q", "-m", tag)
    git("-C", folder / tag, "tag", tag)
    clone = folder / f"{tag}.git"
    git("clone", "-q", "--bare", folder / tag, clone)
    return FileTree(
        {path.relative_to(clone).as_posix(): path.read_bytes() for path in clone.rglob("*") if path.is_file()}
    )


def unpack(stack: Stack, repository: FileTree, pod: Path, *, damage: bytes = b"") -> subprocess.CompletedProcess[str]:
    """Run the init container's own command with its own environment, its folders moved to ``pod``."""
    packed = git_chunks.archive(repository)
    for folder in ("chunks", "repository", "tmp"):
        (pod / folder).mkdir(parents=True, exist_ok=True)
    for number, body in enumerate(git_chunks.chunks(stack, packed, "c" * 40)):
        (pod / "chunks" / f"{number:03}").write_bytes(base64.b64decode(body["binaryData"]["chunk"]) + damage)
    (container,) = git_server.deployment(stack, git_chunks.content(stack, packed, "i"), "c")["spec"]["template"][
        "spec"
    ]["initContainers"]

    def moved(text: str) -> str:
        return re.sub(r"(?<!\w)/(repository|chunks|tmp)\b", rf"{pod}/\1", text)

    environment = {variable["name"]: moved(variable["value"]) for variable in container["env"]}
    command = [moved(argument) for argument in container["command"]]
    return subprocess.run(command, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True, check=False)


def test_the_image_has_the_repository(tmp_path: Path) -> None:
    """The server's first container, in the place of the image's files: the commit that was cast, with all its files."""
    stack = Stack(
        name="demo",
        gitops=GitOps(source=RepositorySource.IMAGE, secret="login"),
        image=ImageSettings(repository="oci://registry.example.com/team/demo"),
    )
    manifests = FileTree({"argo-apps/web.yaml": b"a: 1\n", "web/one.yaml": b"b: 2\n"})
    repositories = BareRepositories(ThreadWorkers(1), NoCache())
    cast = repositories.bare(manifests, message="v-1\n", time=1_700_000_000, tag="v-1")
    image = image_content.of(manifests, cast.skeleton)
    root = tmp_path / "image"
    for path, content in image.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    for folder in ("repository", "tmp"):
        (root / folder).mkdir()

    digest = Digest.of(b"image")
    body = git_server.deployment(stack, git_image.content(stack, digest), "c" * 40)
    pod = body["spec"]["template"]["spec"]
    assert pod["imagePullSecrets"] == [{"name": "login"}]
    assert {one["image"] for one in (*pod["initContainers"], *pod["containers"])} == {
        f"registry.example.com/team/demo@{digest}"
    }
    (container,) = pod["initContainers"]
    mounts = "repository|tmp|manifests|repo.git"

    def moved(text: str) -> str:
        return re.sub(rf"(?<![\w.])/({mounts})\b", rf"{root}/\1", text)

    environment = {variable["name"]: moved(variable["value"]) for variable in container["env"]}
    command = [moved(argument) for argument in container["command"]]
    subprocess.run(command, env={**os.environ, **environment}, check=True)
    served = root / "repository" / "demo.git"
    assert git("-C", served, "rev-parse", "v-1^{commit}") == cast.commit
    assert git("-C", served, "show", "v-1:web/one.yaml") == "b: 2"
    git("-C", served, "fsck", "--strict")


def test_the_pod_unpacks_the_repository_and_a_volume_keeps_earlier_revisions(tmp_path: Path) -> None:
    pod = tmp_path / "pod"
    assert unpack(PERSISTENT, bare(tmp_path, "v-1"), pod).returncode == 0
    served = pod / "repository" / "demo.git"
    git("-C", served, "fsck", "--strict")
    assert git("-C", served, "show", "v-1:file") == "v-1"
    assert unpack(PERSISTENT, bare(tmp_path, "v-2"), pod).returncode == 0
    assert git("-C", served, "tag").split() == ["v-1", "v-2"]
    assert [path.name for path in (pod / "repository").iterdir()] == ["demo.git"]


def test_damaged_chunks_are_not_served(tmp_path: Path) -> None:
    finished = unpack(STACK, bare(tmp_path, "v-1"), tmp_path / "pod", damage=b"x")
    assert finished.returncode == 1
    assert "not the repository" in finished.stderr
