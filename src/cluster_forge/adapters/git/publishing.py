"""Pushing to a remote repository: a commit on top of its branch, fast-forward only, and a tag that never moves.

The files of an earlier publication are known by a list beside them (`WRITTEN`), so files of others stay.
Sources: git-fast-import(1), git-push(1) (``--atomic``).
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cluster_forge.adapters.git import failures, remote_access, remote_refs
from cluster_forge.adapters.git.program import NO_ACCESS, Access, GitError, GitProgram
from cluster_forge.adapters.http.policy import HostSettings, Policy
from cluster_forge.foundation.addresses import masked
from cluster_forge.foundation.errors import EditedError, RepositoryError, StoreError, TagError
from cluster_forge.foundation.git_addresses import GitAddress
from cluster_forge.foundation.names import counted
from cluster_forge.foundation.stopping import at_stop
from cluster_forge.ports.credentials import Credentials
from cluster_forge.ports.git import Publication, Published

WRITTEN: Final = ".cluster-forge"
"""In the folder of a publication: the path of each file that it wrote, one a line."""
_IDENTITY: Final = "Cluster-Forge <cluster-forge@localhost>"
_ATTEMPTS: Final = 5
"""Pushes until it is given up that others push at the same time."""
_OVERTAKEN: Final = ("fetch first", "non-fast-forward", "stale info", "cannot lock ref", "failed to update ref")
_NEW: Final = "refs/heads/publication"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitPublisher:
    """`ports.git.RemoteRepositories` with the ``git`` program."""

    program: GitProgram = field(default_factory=GitProgram)
    policy: Policy = field(default_factory=Policy)
    credentials: Callable[[], Credentials] | None = None
    hosts: Callable[[], Mapping[str, HostSettings]] = dict
    now: Callable[[], float] = time.time

    def publish(self, address: GitAddress, publication: Publication, *, is_trial: bool = False) -> Published:
        try:
            folder = Path(tempfile.mkdtemp(prefix="cluster-forge-git-"))
        except OSError as error:
            raise StoreError(
                f"no temporary folder can be made: {error.strerror}", fix="free space, or set TMPDIR"
            ) from error

        def remove() -> None:
            shutil.rmtree(folder, ignore_errors=True)

        at_stop(remove)
        try:
            remote_access.init(folder, address.repository)
            access = remote_access.of(address.repository, self.credentials, self.hosts, self.policy.ca_file)
            return _Push(self, address, publication, folder, access).run(is_trial=is_trial)
        finally:
            remove()


@dataclass(frozen=True, slots=True)
class _Push:
    publisher: GitPublisher
    address: GitAddress
    publication: Publication
    folder: Path
    access: Access

    def run(self, *, is_trial: bool) -> Published:
        for _ in range(_ATTEMPTS):
            head, tagged = self._remote()
            commit = self._commit(head)
            if tagged and self._written(tagged) != self._written(commit):
                raise self._taken(tagged)
            done = Published(
                commit=commit, tagged=tagged or commit, is_new=commit != self._branch(head), is_tag_new=not tagged
            )
            if is_trial or self._push(done):
                return done
        raise RepositoryError(
            f"{self.address.shown}: others pushed to {self.publication.branch} at each of {counted(_ATTEMPTS, 'attempt')}",
            fix="run `cluster-forge push --git` again",
        )

    def _remote(self) -> tuple[Mapping[str, str], str]:
        """The commits of the branches that count, fetched, and that of the tag; empty where there is none."""
        tag = f"refs/tags/{self.publication.tag}"
        branches = dict.fromkeys((self.publication.branch, self.publication.base))
        names = (*(f"refs/heads/{name}" for name in branches), tag)
        try:
            listed = remote_refs.parsed(
                self._git("ls-remote", "--end-of-options", "origin", *names, access=self.access)
            )
            wanted = [f"+{name}:refs/remote/{name}" for name in names if name in listed]
            if wanted:
                self._git(
                    *("fetch", "--no-tags", "--no-write-fetch-head", "--depth=1", "--end-of-options", "origin"),
                    *wanted,
                    access=self.access,
                )
        except GitError as failure:
            raise failures.of(failure, self.address) from failure
        heads = {name: self._fetched(f"refs/heads/{name}") for name in branches if f"refs/heads/{name}" in listed}
        return heads, self._fetched(tag) if tag in listed else ""

    def _fetched(self, name: str) -> str:
        """The commit of a ref as it was fetched; it may have moved since it was listed."""
        return self._git("rev-parse", f"refs/remote/{name}^{{commit}}").decode().strip()

    def _branch(self, heads: Mapping[str, str]) -> str:
        return heads.get(self.publication.branch, "")

    def _commit(self, heads: Mapping[str, str]) -> str:
        """A commit with the files on top of the branch, or the branch itself if it has them already."""
        parent = self._branch(heads) or heads.get(self.publication.base, "")
        there = self._listed(parent) if parent else {}
        self._check_in_the_way(there)
        stream = b"".join(self._stream(parent, there))
        self._git("fast-import", "--quiet", "--force", stdin=stream)
        commit = self._git("rev-parse", _NEW).decode().strip()
        is_same = parent and self._tree(parent) == self._tree(commit)
        return parent if is_same else commit

    def _stream(self, parent: str, there: Mapping[str, str]) -> Iterator[bytes]:
        """The commit for ``git fast-import``."""
        publication = self.publication
        files = {self._place(path): content for path, content in publication.files.files.items()}
        listed = "".join(f"{path}\n" for path in sorted(publication.files.files)).encode()
        files[self._place(WRITTEN)] = listed
        message = publication.message.encode()
        yield f"commit {_NEW}\ncommitter {_IDENTITY} {int(self.publisher.now())} +0000\n".encode()
        yield b"data %d\n%s\n" % (len(message), message)
        if parent:
            yield f"from {parent}\n".encode()
        for path in sorted(self._known(there) - files.keys()):
            yield f"D {_quoted(path)}\n".encode()
        programs = set(map(self._place, publication.files.executable))
        for path, content in files.items():
            yield f"M {'100755' if path in programs else '100644'} inline {_quoted(path)}\n".encode()
            yield b"data %d\n%s\n" % (len(content), content)

    def _check_in_the_way(self, there: Mapping[str, str]) -> None:
        """Check that no file of others is replaced.

        Raises:
            EditedError: for the first one.
        """
        known = self._known(there)
        places = [self._place(path) for path in self.publication.files]
        folders = {parent for path in places for parent in _parents(path)}  # a file or a link may be in their place
        for path in sorted({*places, *folders}):
            if path in there and path not in known:
                raise EditedError(
                    f"{self.address.shown}: {path} is in the way on branch {self.publication.branch}: push did not write it",
                    fix="write the stack to a folder of its own: `gitops: {path: …}`, or remove the file",
                )

    def _known(self, there: Mapping[str, str]) -> frozenset[str]:
        """The files of the publication before, by its list."""
        written = self._place(WRITTEN)
        if written not in there:
            return frozenset()
        listed = self._git("cat-file", "blob", there[written]).decode(errors="replace").splitlines()
        return frozenset(map(self._place, listed)) & there.keys() | {written}

    def _listed(self, commit: str) -> dict[str, str]:
        """The files of a commit, each with the id of its content."""
        files = {}
        for line in self._git("ls-tree", "-r", "-z", "--full-tree", commit).decode(errors="replace").split("\0"):
            about, _, path = line.partition("\t")
            if path:
                files[path] = about.split(" ")[2]
        return files

    def _written(self, commit: str) -> dict[str, str]:
        """The files of the publication in a commit that its tag stands for."""
        names = {self._place(path) for path in self.publication.files if path not in self.publication.notes}
        return {path: content for path, content in self._listed(commit).items() if path in names}

    def _tree(self, commit: str) -> bytes:
        return self._git("rev-parse", f"{commit}^{{tree}}")

    def _place(self, path: str) -> str:
        return f"{self.publication.path}/{path}" if self.publication.path else path

    def _push(self, done: Published) -> bool:
        """Push what is new, all or nothing; False if others pushed meanwhile.

        Raises:
            RepositoryError: if the repository refuses it.
        """
        refs = [f"{done.commit}:refs/heads/{self.publication.branch}"] if done.is_new else []
        refs += [f"{done.tagged}:refs/tags/{self.publication.tag}"] if done.is_tag_new else []
        if not refs:
            return True
        try:
            self._git("push", "--atomic", "--end-of-options", "origin", *refs, access=self.access)
        except GitError as failure:
            if not failure.is_limit and any(word in failure.text for word in _OVERTAKEN):
                return False
            raise self._refused(failure) from failure
        return True

    def _refused(self, failure: GitError) -> RepositoryError:
        lines = [line.strip() for line in failure.text.splitlines() if line.strip()]
        words = masked(" ".join(" ".join(lines[-6:]).split()))[:500]
        return RepositoryError(
            f"{self.address.shown}: the push to {self.publication.branch} was refused: {words}",
            fix="push to a branch that you may write, and make a pull request of it: --branch NAME; or log in: "
            "cluster-forge login, a credential helper of Git, an SSH key",
        )

    def _taken(self, tagged: str) -> TagError:
        return TagError(
            f"{self.address.shown}: the tag {self.publication.tag} names commit {tagged[:12]}, which has other files",
            fix="delete the tag there if nothing reads it, or cast again",
        )

    def _git(self, *arguments: str, access: Access = NO_ACCESS, stdin: bytes = b"") -> bytes:
        return self.publisher.program.run(arguments, self.folder, access, stdin=stdin)


def _parents(path: str) -> Iterator[str]:
    """The folders that a path is in."""
    while path := path.rpartition("/")[0]:
        yield path


def _quoted(path: str) -> str:
    """A path as ``git fast-import`` takes it, whatever it has in it."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
