"""Pushing to Git repositories: files of others stay, tags stay, nothing is forced."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.servers import git_http, git_ssh

from cluster_forge.adapters.git.program import GitProgram
from cluster_forge.adapters.git.publishing import GitPublisher
from cluster_forge.foundation.errors import EditedError, FetchError, RepositoryError, TagError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.git_addresses import GitAddress
from cluster_forge.ports.credentials import Credential
from cluster_forge.ports.git import Publication

FILES = FileTree({"shop/a.yaml": b"kind: A\n", "flux/x y\"'.yaml": b"kind: B\n"})
PUBLICATION = Publication(files=FILES, path="", branch="main", base="main", tag="v-1", message="platform v-1\n")
CLEAN = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent"}
IDENTITY = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


class Remote:
    """A bare repository, and what is in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", folder], check=True)
        self.git("config", "http.receivepack", "true")

    def git(self, *arguments: str) -> str:
        environment = {**os.environ, **IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull}
        done = subprocess.run(
            ["git", "-C", self.folder, *arguments], check=True, capture_output=True, text=True, env=environment
        )
        return done.stdout.strip()

    def files(self, revision: str = "main") -> dict[str, str]:
        names = filter(None, self.git("ls-tree", "-r", "-z", "--name-only", revision).split("\0"))
        return {name: self.git("show", f"{revision}:{name}") for name in names if not name.endswith(".cluster-forge")}

    def add(self, path: str, content: str, branch: str = "main") -> str:
        """A commit of somebody else."""
        index = {**os.environ, **IDENTITY, "GIT_INDEX_FILE": str(self.folder / "index-of-test")}

        def run(*arguments: str, given: str | None = None) -> str:
            command = ["git", "-C", str(self.folder), *arguments]
            return subprocess.run(
                command, check=True, capture_output=True, text=True, env=index, input=given
            ).stdout.strip()

        parent = run("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")
        run("read-tree", "--empty")
        if parent:
            run("read-tree", parent)
        blob = run("hash-object", "-w", "--stdin", given=content)
        run("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
        commit = run("commit-tree", run("write-tree"), "-m", "other", *(("-p", parent) if parent else ()))
        run("update-ref", f"refs/heads/{branch}", commit)
        return commit

    @property
    def address(self) -> GitAddress:
        return GitAddress.parse(f"git+file://{self.folder}")


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path / "remote.git")


def publisher(**environment: str) -> GitPublisher:
    return GitPublisher(program=GitProgram(environment={**CLEAN, **environment}), now=lambda: 1_700_000_000.0)


def test_an_empty_repository_gets_a_commit_and_a_tag(remote: Remote) -> None:
    done = publisher().publish(remote.address, PUBLICATION)
    assert (done.is_new, done.is_tag_new, done.commit) == (True, True, done.tagged)
    assert remote.files() == {"shop/a.yaml": "kind: A", "flux/x y\"'.yaml": "kind: B"}
    assert remote.git("rev-parse", "main", "v-1").split() == [done.commit] * 2
    assert remote.git("log", "-1", "--format=%an %cI %B") == "Cluster-Forge 2023-11-14T22:13:20+00:00 platform v-1"


def test_the_same_again_changes_nothing(remote: Remote) -> None:
    first = publisher().publish(remote.address, PUBLICATION)
    again = publisher().publish(remote.address, PUBLICATION)
    assert (again.commit, again.is_new, again.is_tag_new) == (first.commit, False, False)


def test_the_next_release_removes_what_it_no_longer_has_and_keeps_what_others_wrote(remote: Remote) -> None:
    remote.add("README.md", "ours")
    publisher().publish(remote.address, PUBLICATION)
    remote.add("shop/others.yaml", "theirs")
    head = remote.git("rev-parse", "main")
    newer = replace(PUBLICATION, files=FileTree({"shop/a.yaml": b"kind: C\n"}), tag="v-2")
    done = publisher().publish(remote.address, newer)
    assert remote.files() == {"README.md": "ours", "shop/a.yaml": "kind: C", "shop/others.yaml": "theirs"}
    assert remote.git("rev-parse", f"{done.commit}^") == head
    assert remote.files("v-1")["shop/a.yaml"] == "kind: A"


def test_a_folder_of_a_repository_is_written_alone(remote: Remote) -> None:
    remote.add("src/main.c", "int main;")
    publisher().publish(remote.address, replace(PUBLICATION, path="clusters/one"))
    assert set(remote.files()) == {"src/main.c", "clusters/one/shop/a.yaml", "clusters/one/flux/x y\"'.yaml"}


def test_a_file_of_others_is_not_replaced(remote: Remote) -> None:
    remote.add("shop/a.yaml", "theirs")
    with pytest.raises(EditedError, match=r"shop/a\.yaml is in the way on branch main"):
        publisher().publish(remote.address, PUBLICATION)
    assert remote.files() == {"shop/a.yaml": "theirs"}


def test_a_file_in_the_place_of_a_folder_is_not_replaced(remote: Remote) -> None:
    remote.add("clusters", "theirs")
    with pytest.raises(EditedError, match="clusters is in the way"):
        publisher().publish(remote.address, replace(PUBLICATION, path="clusters/one"))


def test_a_tag_of_other_files_stays(remote: Remote) -> None:
    publisher().publish(remote.address, PUBLICATION)
    other = replace(PUBLICATION, files=FileTree({"shop/a.yaml": b"kind: C\n"}))
    before = remote.git("show-ref")
    with pytest.raises(TagError, match="the tag v-1 names commit"):
        publisher().publish(remote.address, other)
    assert remote.git("show-ref") == before


def test_a_tag_of_these_files_is_kept_where_the_branch_went_on(remote: Remote) -> None:
    first = publisher().publish(remote.address, PUBLICATION)
    publisher().publish(remote.address, replace(PUBLICATION, files=FileTree({"a.yaml": b"x: 1\n"}), tag="v-2"))
    back = publisher().publish(remote.address, PUBLICATION)
    assert (back.tagged, back.is_tag_new, back.is_new) == (first.commit, False, True)
    assert remote.files() == remote.files("v-1")


def test_a_new_branch_starts_from_the_base(remote: Remote) -> None:
    head = remote.add("README.md", "ours")
    done = publisher().publish(remote.address, replace(PUBLICATION, branch="upgrade"))
    assert remote.git("rev-parse", "upgrade^", "main").split() == [head, head]
    assert done.is_new
    assert "README.md" in remote.files("upgrade")


def test_a_trial_pushes_nothing(remote: Remote) -> None:
    done = publisher().publish(remote.address, PUBLICATION, is_trial=True)
    assert done.is_new
    assert remote.git("for-each-ref") == ""


def test_what_others_push_meanwhile_becomes_the_parent(remote: Remote) -> None:
    """A commit of somebody else arrives between the fetch and the push."""
    remote.add("README.md", "one")

    class Overtaken(GitProgram):
        is_first = True

        def run(self, arguments: object, *more: object, **named: object) -> bytes:
            if arguments[0] == "push" and self.is_first:  # type: ignore[index]
                self.is_first = False
                remote.add("README.md", "two")
            return super().run(arguments, *more, **named)  # type: ignore[arg-type]

    GitPublisher(program=Overtaken(environment=CLEAN)).publish(remote.address, PUBLICATION)
    assert remote.files()["README.md"] == "two"
    assert remote.git("rev-list", "--count", "main") == "3"


def test_a_refused_push_says_why_and_names_the_way(remote: Remote) -> None:
    hook = remote.folder / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'main is protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(RepositoryError, match=r"the push to main was refused: .*main is protected") as caught:
        publisher().publish(remote.address, PUBLICATION)
    assert "--branch NAME" in str(caught.value.fix)
    assert remote.git("for-each-ref") == ""


def test_a_repository_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FetchError):
        publisher().publish(GitAddress.parse(f"git+file://{tmp_path}/gone.git"), PUBLICATION)


class Known:
    """Credentials of a user."""

    def of(self, _: str) -> Credential:
        return Credential(source="test", user=git_http.USER, secret=git_http.PASSWORD)


def test_over_http_with_a_login(remote: Remote) -> None:
    with git_http.serving(remote.folder.parent, login=True) as server:
        address = GitAddress.parse(f"{server.address}/{remote.folder.name}")
        with pytest.raises(FetchError):
            publisher().publish(address, PUBLICATION)
        credentials: Callable[[], Known] = Known
        done = replace(publisher(), credentials=credentials).publish(address, PUBLICATION)
    assert remote.git("rev-parse", "main") == done.commit


@pytest.mark.skipif(git_ssh.PROGRAM is None, reason=git_ssh.MISSING)
def test_over_ssh_with_a_key(remote: Remote, tmp_path: Path) -> None:
    with git_ssh.serving(tmp_path / "ssh") as server:
        address = GitAddress.parse(server.address(remote.folder))
        done = publisher(GIT_SSH_COMMAND=server.client).publish(address, PUBLICATION)
    assert remote.git("rev-parse", "main") == done.commit
