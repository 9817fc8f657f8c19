"""Files of remote repositories: the commit that a REF means, and the files below a path, without all others.

One bare repository for each remote one, in a temporary folder that ends with the process. The commit is fetched without
history and without contents (``--depth=1 --filter=blob:none``), then the contents that are needed, in one request. Of a
server that cannot do that, more is fetched (`_Extent`).
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import Final

from cluster_forge.adapters.git import failures, remote_access, remote_refs
from cluster_forge.adapters.git.program import NO_ACCESS, Access, GitError, GitProgram
from cluster_forge.adapters.git.remote_refs import RemoteRef
from cluster_forge.adapters.git.tree_listing import Entry, TreeListing
from cluster_forge.adapters.http.policy import HostSettings, Policy
from cluster_forge.adapters.http.retrying import Attempts, TemporaryError
from cluster_forge.foundation.errors import FetchError, LockError, StoreError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.git_addresses import GitAddress, is_commit
from cluster_forge.foundation.names import counted
from cluster_forge.foundation.stopping import at_stop
from cluster_forge.ports.credentials import Credentials
from cluster_forge.ports.progress import NO_TRANSFERS, Transfers
from cluster_forge.ports.sources import GitOffer

_MOST_FILE: Final = 64 << 20
_MOST_BYTES: Final = 200 << 20
_LFS: Final = b"version https://git-lfs.github.com/spec/"
_UPLOAD_PACK: Final = "git -c uploadpack.allowFilter=true upload-pack"


class _Extent(IntEnum):
    """How much of a repository is fetched. Each step is for servers that refuse the one before."""

    COMMIT = 0
    """One commit, without contents."""
    HISTORY = 1
    """A branch with its history, without contents: the server sends no commit by its id."""
    ALL = 2
    """The same with all contents: the server sends no content by its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteTrees:
    """The trees of remote repositories. Safe for several threads; each commit is fetched once in a run."""

    program: GitProgram = field(default_factory=GitProgram)
    policy: Policy = field(default_factory=Policy)
    transfers: Transfers = NO_TRANSFERS
    credentials: Callable[[], Credentials] | None = None
    """Called for the first repository on a server, as are ``hosts``: what the user says about single hosts."""
    hosts: Callable[[], Mapping[str, HostSettings]] = dict
    _clones: dict[str, _Clone] = field(default_factory=dict, init=False, repr=False)
    _guard: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def commit(self, address: GitAddress, locked: str = "") -> str:
        """The commit that an address means: the ``locked`` one, unless it is that of a tag which has moved.

        Raises:
            DescriptionError: if the REF does not exist, or is both a branch and a tag.
            LockError: if a tag is at another commit than the ``locked`` one.
            FetchError: if the repository cannot be read.
        """
        if locked and not is_commit(locked):
            raise LockError(
                f"{address.shown}: {locked!r} is not the id of a commit",
                fix="restore cluster-forge.lock from version control",
            )
        clone = self._clone(address)
        with clone.guard:
            ref = clone.resolved(address)
        if locked and locked != ref.commit and not ref.is_branch:
            raise LockError(
                f"{address.shown}: the tag has moved: the lock has commit {locked}, the repository has {ref.commit}",
                fix="find out why; to accept the change: cluster-forge mine --update NAME",
            )
        return locked or ref.commit

    def offer(self, address: GitAddress) -> GitOffer:
        """What an address means now; the refs of a repository are listed once in a run.

        Raises:
            DescriptionError: if the REF does not exist, or is both a branch and a tag.
            FetchError: if the repository cannot be read.
        """
        clone = self._clone(address)
        with clone.guard:
            return clone.offered(address)

    def files(self, address: GitAddress, commit: str, *, whole: bool = False) -> FileTree:
        """The files at or below an address, by their paths in the repository; ``whole`` adds all others.

        Contents are what was committed: nothing is filtered or checked out. Links are replaced by the files that they lead
        to. Of what is only added, links and submodules are left out.

        Raises:
            DescriptionError: if there is no such path.
            FetchError: if it cannot be fetched; for a submodule, a file in Git LFS, an unsafe link or name, and for more
                than 20,000 files, 64 MB in a file or 200 MB in all.
        """
        clone = self._clone(address)
        with clone.guard:
            return clone.files(address, commit, whole=whole)

    def _clone(self, address: GitAddress) -> _Clone:
        with self._guard:
            if address.repository not in self._clones:
                self._clones[address.repository] = _Clone(self, address.repository)
            return self._clones[address.repository]


class _Clone:
    """What was fetched of one repository. ``guard`` is held by who uses it."""

    def __init__(self, trees: RemoteTrees, repository: str) -> None:
        self.guard = threading.Lock()
        self._trees = trees
        self._repository = repository
        self._place: Path | None = None
        self._remove: Callable[[], object] = lambda: None
        self._extent = _Extent.COMMIT
        self._commits: set[str] = set()
        self._refs: dict[str, RemoteRef] = {}
        self._all_refs: dict[str, str] | None = None

    def resolved(self, address: GitAddress) -> RemoteRef:
        """The ref that an address means, asked once."""
        if address.ref not in self._refs:
            refs = {} if address.is_commit else self._listed(address, remote_refs.patterns(address))
            ref = remote_refs.chosen(address, refs)
            if ref is None:
                raise remote_refs.unknown(address, self._listed(address, ()))
            self._refs[address.ref] = ref
        return self._refs[address.ref]

    def offered(self, address: GitAddress) -> GitOffer:
        """What an address means among all refs, asked once."""
        if self._all_refs is None:
            self._all_refs = self._listed(address, remote_refs.ALL)
        return remote_refs.offer(address, self._all_refs)

    def files(self, address: GitAddress, commit: str, *, whole: bool) -> FileTree:
        while True:
            try:
                return self._files(address, commit, whole=whole)
            except GitError as failure:
                if self._extent is _Extent.ALL or not failures.is_unable(failure):
                    raise failures.of(failure, address) from failure
            self._forget()
            self._extent = _Extent(self._extent + 1)

    def _files(self, address: GitAddress, commit: str, *, whole: bool) -> FileTree:
        self._fetch_commit(address, commit)
        output = self._run("ls-tree", "-r", "-z", "--full-tree", commit)
        listing = TreeListing.parse(output, address, lambda ids: self._contents(address, ids))
        files = listing.files(address.path)
        wanted = {**listing.plain_files, **files} if whole else files
        contents = self._contents(address, (entry.id for entry in wanted.values()), wanted)
        for path, entry in files.items():
            if contents[entry.id].startswith(_LFS):
                raise FetchError(
                    f"{address.shown}: {path} is in Git LFS; the repository has only a pointer to it",
                    fix="commit the file itself, or name a path without it",
                )
        return FileTree(
            {path: contents[entry.id] for path, entry in wanted.items()},
            frozenset(path for path, entry in wanted.items() if entry.is_executable),
        )

    def _fetch_commit(self, address: GitAddress, commit: str) -> None:
        if commit in self._commits:
            return
        ref = self.resolved(address)
        if self._extent is _Extent.COMMIT:
            is_tip = bool(ref.name) and ref.commit == commit
            self._fetch(address, "--depth=1", "--end-of-options", "origin", ref.name if is_tip else commit)
        else:
            refs = (ref.name,) if ref.name else ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
            self._fetch(address, "--end-of-options", "origin", *refs)
        try:
            self._run("cat-file", "-e", f"{commit}^{{commit}}")
        except GitError as failure:
            raise _gone(address, commit, ref) from failure
        self._commits.add(commit)

    def _contents(
        self, address: GitAddress, ids: Iterable[str], entries: Mapping[str, Entry] | None = None
    ) -> dict[str, bytes]:
        """The contents of files by their ids, fetched if they are not there yet."""
        listed = "".join(f"{blob}\n" for blob in sorted(set(ids))).encode()
        if not self._has(listed):
            self._fetch(address, "--stdin", "origin", stdin=listed)
        _check_sizes(address, self._run("cat-file", "--batch-check", stdin=listed), entries or {})
        return _batch(self._run("cat-file", "--batch", stdin=listed, most=_MOST_BYTES + (8 << 20)))

    def _has(self, listed: bytes) -> bool:
        """Whether all of these contents are there."""
        try:
            return b" missing" not in self._run("cat-file", "--batch-check", stdin=listed)
        except GitError:  # it tried to fetch one by itself, without a protocol that is allowed
            return False

    def _fetch(self, address: GitAddress, *wanted: str, stdin: bytes = b"") -> None:
        arguments = ["fetch", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", "--progress"]
        arguments += ["--filter=blob:none"] if self._extent is not _Extent.ALL else []
        arguments += [f"--upload-pack={_UPLOAD_PACK}"] if address.is_local else []
        self._retried(address, [*arguments, *wanted], stdin)

    def _listed(self, address: GitAddress, patterns: Iterable[str]) -> dict[str, str]:
        try:
            return remote_refs.parsed(self._retried(address, ["ls-remote", "--end-of-options", "origin", *patterns]))
        except GitError as failure:
            raise failures.of(failure, address) from failure

    def _retried(self, address: GitAddress, arguments: Sequence[str], stdin: bytes = b"") -> bytes:
        """A call over the network, tried again where that may help."""
        policy, host = self._trees.policy, address.host or "this machine"
        end = time.monotonic() + policy.timeouts.whole
        attempts = Attempts(policy, host, end, self._trees.transfers)
        while True:
            try:
                return self._run(*arguments, stdin=stdin, access=self._access)
            except GitError as failure:
                reason = failures.temporary_reason(failure)
                if not reason or not attempts.pause(TemporaryError(str(failure), reason=reason)):
                    raise

    def _run(self, *arguments: str, stdin: bytes = b"", access: Access = NO_ACCESS, most: int = 64 << 20) -> bytes:
        return self._trees.program.run(arguments, self._folder, access, stdin=stdin, most=most)

    @cached_property
    def _access(self) -> Access:
        trees = self._trees
        return remote_access.of(self._repository, trees.credentials, trees.hosts, trees.policy.ca_file)

    @property
    def _folder(self) -> Path:
        if self._place is None:
            try:
                self._place = Path(tempfile.mkdtemp(prefix="cluster-forge-git-"))
                self._remove = weakref.finalize(self, shutil.rmtree, self._place, ignore_errors=True)
                at_stop(self._remove)
                remote_access.init(self._place, self._repository)
            except OSError as error:
                raise StoreError(
                    f"no temporary folder can be made: {error.strerror}", fix="free space, or set TMPDIR"
                ) from error
        return self._place

    def _forget(self) -> None:
        """Begin again with an empty repository."""
        self._remove()
        self._place = None
        self._commits.clear()


def _check_sizes(address: GitAddress, output: bytes, entries: Mapping[str, Entry]) -> None:
    """Refuse contents that are too large, before they are read.

    Raises:
        FetchError: with the path of the largest file.
        GitError: if one is missing.
    """
    sizes: dict[str, int] = {}
    for line in output.decode().splitlines():
        blob, _, size = line.split(" ", 2) if line.count(" ") == 2 else (line, "", "")
        if not size.isdigit():
            raise GitError(f"missing blob: {line}")
        sizes[blob] = int(size)
    paths = {entry.id: path for path, entry in entries.items()}
    largest = max(sizes, key=lambda blob: sizes[blob], default="")
    if largest and sizes[largest] > _MOST_FILE:
        raise FetchError(
            f"{address.shown}: {paths.get(largest, largest)} has {counted(sizes[largest], 'byte')} (limit {_MOST_FILE >> 20} MB)",
            fix="name a path without it",
        )
    total = sum(sizes[entry.id] for entry in entries.values()) if entries else sum(sizes.values())
    if total > _MOST_BYTES:
        raise FetchError(
            f"{address.shown} has more than {_MOST_BYTES >> 20} MB of files", fix="name a path with less below it"
        )


def _batch(output: bytes) -> dict[str, bytes]:
    """The contents in the output of ``git cat-file --batch``."""
    contents: dict[str, bytes] = {}
    position = 0
    while position < len(output):
        end = output.index(b"\n", position)
        blob, _, size = output[position:end].decode().split(" ")
        contents[blob] = output[end + 1 : end + 1 + int(size)]
        position = end + 1 + int(size) + 1
    return contents


def _gone(address: GitAddress, commit: str, ref: RemoteRef) -> FetchError | LockError:
    """The error for a commit that the repository no longer has."""
    if not ref.name or ref.commit == commit:
        return FetchError(
            f"{address.shown}: the repository has no commit {commit}", fix="check the address and the commit"
        )
    return LockError(
        f"{address.shown}: the repository has no commit {commit} (from the lock) any more; {ref.name} is at {ref.commit}",
        fix="its history was rewritten; to accept the change: cluster-forge mine --update NAME",
    )
