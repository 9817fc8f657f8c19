"""Repositories that Git itself accepts, with the same bytes every time; complete, and as the image carries them."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import threading
import zlib
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cluster_forge.adapters.git.bare_repositories import BareRepositories
from cluster_forge.adapters.git.pack_file import header
from cluster_forge.adapters.storage.cache import NoCache
from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.foundation.errors import RepositoryError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.oci import image_content, layer
from cluster_forge.oci.compression import Compression
from cluster_forge.ports.git import Repositories, Repository

STORE: Repositories = BareRepositories(ThreadWorkers(1), NoCache())
TIME = 1700000000
TREE = FileTree(
    {
        "argo-apps/root.yaml": b"kind: Application\n",
        "shop/web.yaml": b"kind: Deployment\n" * 3000,
        "shop/again.yaml": b"kind: Deployment\n" * 3000,
        "shop/inner/crlf.txt": b"a\r\nb\r\n",
        "shop.yaml": b"",
        "shop0": "ü\n".encode(),
        "tool.sh": b"#!/bin/sh\n",
        ".gitattributes": b"*.txt text eol=crlf\n",
    },
    frozenset({"tool.sh"}),
)


def git(folder: Path, *arguments: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return (done.stdout + done.stderr).decode()


def write(tree: FileTree, folder: Path) -> Path:
    for path in tree:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(tree[path])
    return folder


def repository_of(tree: FileTree = TREE, tag: str = "") -> Repository:
    return STORE.bare(tree, message="Cast shop", time=TIME, tag=tag)


def test_git_accepts_and_clones_the_repository(tmp_path: Path) -> None:
    repository = repository_of(tag="v1.2.0")
    bare = write(repository.files, tmp_path / "repo.git")
    assert git(bare, "fsck", "--strict", "--full", "--no-progress") == ""
    assert git(tmp_path, "-c", "core.autocrlf=false", "clone", "-q", "repo.git", "clone") == ""
    clone = tmp_path / "clone"
    assert (clone / "shop0").read_text(encoding="utf-8") == "ü\n"
    assert os.access(clone / "tool.sh", os.X_OK)
    assert git(clone, "rev-parse", "HEAD", "v1.2.0").split() == [repository.commit] * 2
    shown = git(clone, "log", "--format=%an <%ae> %at %cn %ct %s", "HEAD").strip()
    identity = "Cluster-Forge <cluster-forge@localhost>"
    assert shown == f"{identity} {TIME} Cluster-Forge {TIME} Cast shop"
    assert git(clone, "symbolic-ref", "HEAD").strip() == "refs/heads/main"


def test_commit_has_every_file_byte_for_byte(tmp_path: Path) -> None:
    bare = write(repository_of().files, tmp_path / "repo.git")
    with tarfile.open(fileobj=io.BytesIO(_archived(bare))) as tar:
        assert {member.name for member in tar.getmembers() if member.isfile()} == set(TREE)
    names = git(bare, "ls-tree", "-r", "--name-only", "HEAD").split()
    assert names == sorted(TREE, key=str.encode)
    for path in TREE:
        shown = subprocess.run(["git", "cat-file", "blob", f"HEAD:{path}"], cwd=bare, capture_output=True, check=True)
        assert shown.stdout == TREE[path]


def _archived(bare: Path) -> bytes:
    return subprocess.run(["git", "archive", "HEAD"], cwd=bare, capture_output=True, check=True).stdout


def test_repository_can_be_cloned_from_a_plain_web_server(tmp_path: Path) -> None:
    repository = repository_of(tag="v1")
    write(repository.files, tmp_path / "www" / "repo.git")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path / "www")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_address[1]}/repo.git"
        git(tmp_path, "clone", "-q", address, "clone")
    finally:
        server.shutdown()
        server.server_close()
    assert git(tmp_path / "clone", "rev-parse", "HEAD", "v1").split() == [repository.commit] * 2


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        pass


def test_bytes_do_not_depend_on_workers_or_run() -> None:
    again = BareRepositories(ThreadWorkers(8), NoCache()).bare(TREE, message="Cast shop\n", time=TIME)
    assert again == repository_of()
    assert repository_of(tag="v1").commit == repository_of().commit
    assert repository_of(tag="v1").files != repository_of().files


def test_contents_that_are_known_are_not_unpacked() -> None:
    repository = repository_of().files
    assert STORE.files(repository) == FileTree(TREE.files)
    other = {**TREE.files, "shop.yaml": b"other", "tool.sh": b"", "no such file": b"x"}
    known = FileTree({path: bytes(bytearray(content)) for path, content in other.items()})
    files = STORE.files(repository, known)
    assert files == FileTree(TREE.files)
    assert {path for path in files if files[path] is known.files.get(path)} == TREE.files.keys() - {
        "shop.yaml",
        "tool.sh",
    }


def test_every_content_has_its_zlib_stream() -> None:
    repository = repository_of()
    assert {content: zlib.decompress(stream) for content, stream in repository.streams.items()} == {
        content: content for content in TREE.files.values()
    }
    [pack] = [content for path, content in repository.files.files.items() if path.endswith(".pack")]
    assert all(stream in pack for stream in repository.streams.values())


def test_commit_and_pack_are_pinned() -> None:
    """Git defines the commit; the pack's name changes with the compressor, which takes a decision (ADR 0010)."""
    [pack] = [path for path in repository_of().files if path.endswith(".pack")]
    assert (repository_of().commit, pack.rpartition("-")[2]) == PINNED


PINNED = ("1d441a610e0fa4a3fc140b854b93a9299ea9eddd", "9d3dc257ec96de98fed0df14f4d09c9f0a4b9103.pack")


@pytest.mark.parametrize("compression", [Compression.GZIP])
def test_image_completes_to_the_same_commit(tmp_path: Path, compression: Compression) -> None:
    repository = repository_of()
    packed = layer.build(image_content.of(TREE, repository.skeleton), compression, mtime=TIME)
    with tarfile.open(fileobj=io.BytesIO(packed.content), mode="r:gz") as tar:
        tar.extractall(tmp_path, filter="data")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CDPATH": "/"}
    done = subprocess.run(
        ["../complete.sh"], cwd=elsewhere, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{repository.commit}\n", "")
    bare = tmp_path / "repo.git"
    assert git(bare, "fsck", "--strict", "--full", "--no-progress") == ""
    assert git(bare, "rev-parse", "HEAD").strip() == repository.commit
    assert sum(len(repository.skeleton[path]) for path in repository.skeleton) < repository.files.size


names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12)
paths = st.lists(names.filter(lambda name: name not in (".", "..")), min_size=1, max_size=3).map("/".join)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(paths, st.binary(max_size=300), max_size=5))
def test_any_tree_passes_fsck_or_is_refused(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    try:
        repository = repository_of(FileTree(files))
    except RepositoryError:
        return
    bare = write(repository.files, tmp_path_factory.mktemp("any"))
    assert git(bare, "fsck", "--strict", "--full", "--no-progress") == ""
    listed = git(bare, "ls-tree", "-r", "-z", "--name-only", "HEAD").split("\0")
    assert sorted(filter(None, listed)) == sorted(files)


@pytest.mark.parametrize("name", [".git", "a/.GIT/b", "git~1", ".git ./x", ".git:x", "a\0b"])
def test_names_that_git_rejects_are_reported(name: str) -> None:
    with pytest.raises(RepositoryError, match="Git does not allow the name") as caught:
        repository_of(FileTree({name: b""}))
    assert caught.value.where == name


def test_path_that_is_both_file_and_directory_is_reported() -> None:
    with pytest.raises(RepositoryError, match="both a file and a directory"):
        repository_of(FileTree({"a": b"", "a/b": b""}))


@pytest.mark.parametrize("tag", ["a b", "a..b", "a/", "-x", "a.lock", "@", "x@{1", ".a", "a/.b", "a:b", "a."])
def test_tag_that_git_rejects_is_reported(tag: str) -> None:
    with pytest.raises(RepositoryError, match="not a valid tag name"):
        repository_of(tag=tag)


@given(st.integers(min_value=0, max_value=2**40))
def test_headers_encode_type_and_size(size: int) -> None:
    first, *rest = header(3, size)
    read, shift = first & 0xF, 4
    for byte in rest:
        read |= (byte & 0x7F) << shift
        shift += 7
    assert (first >> 4 & 7, read) == (3, size)
