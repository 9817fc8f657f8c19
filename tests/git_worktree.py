"""A Git repository that a test commits to."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path


class Worktree:
    """A repository in ``folder``, made by the ``git`` program without anybody's configuration."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main", ".")

    @property
    def address(self) -> str:
        """The address as a description has it."""
        return f"git+file://{self.folder}"

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """The output of a call."""
        identity = {
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@b",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@b",
        }
        dates = {"GIT_AUTHOR_DATE": "1700000000 +0000", "GIT_COMMITTER_DATE": "1700000000 +0000"}
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "HOME": str(self.folder),
            **identity,
            **dates,
        }
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=environment, input=stdin, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def commit(self, files: Mapping[str, bytes | str], *, links: Mapping[str, str] | None = None, tag: str = "") -> str:
        """Write files and links, commit everything, and tag it; the commit's id."""
        for path, content in files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_bytes(content if isinstance(content, bytes) else content.encode())
        for path, target in (links or {}).items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).symlink_to(target)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "a change")
        if tag:
            self.git("tag", "-f", tag)
        return self.git("rev-parse", "HEAD")

    def commit_tree(self, entries: Mapping[str, tuple[str, str]], *, tag: str) -> str:
        """Commit a tree of entries that Git's own index refuses: ``name`` to mode and blob id; the commit's id."""
        body = b"".join(
            f"{mode} {name}".encode("utf-8", "surrogateescape") + b"\0" + bytes.fromhex(blob)
            for name, (mode, blob) in sorted(entries.items())
        )
        tree = self.git("hash-object", "-t", "tree", "-w", "--stdin", "--literally", stdin=body)
        commit = self.git("commit-tree", tree, "-m", "odd")
        self.git("tag", "-f", tag, commit)
        return commit

    def blob(self, content: bytes) -> str:
        """The id of a content that was added to the repository."""
        return self.git("hash-object", "-w", "--stdin", stdin=content)
