"""What lies in the one layer: the manifests as plain files, and a Git repository that does not hold them once more.

Argo CD's OCI sources and Flux' ``OCIRepository`` read the files under ``manifests/``. ``repo.git`` has the commit and its
trees alone; `COMPLETE`, shipped as ``complete.sh``, puts the files' contents into it and so makes it the very repository
that the stack was cast with, same commit (ADR 0010).
"""

from __future__ import annotations

from cluster_forge.foundation.file_tree import FileTree, join

MANIFESTS = "manifests"
REPOSITORY = "repo.git"
SCRIPT = "complete.sh"
COMPLETE = f"""\
#!/bin/sh
# Completes {REPOSITORY}: its commit and trees are there, the files' contents are those of {MANIFESTS}/. Needs git.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")/{MANIFESTS}"
GIT_DIR=../{REPOSITORY}
export GIT_DIR
find . -type f | git hash-object -w --no-filters --stdin-paths > /dev/null
git fsck --strict --no-dangling --no-progress
git rev-parse --verify HEAD
"""


def of(manifests: FileTree, skeleton: FileTree) -> FileTree:
    """The layer's files; ``skeleton`` is the bare repository of ``manifests`` without blobs."""
    script = FileTree({SCRIPT: COMPLETE.encode()}, frozenset({SCRIPT}))
    return join(script, manifests.under(MANIFESTS), skeleton.under(REPOSITORY))
