"""The content of the layer: the manifests as plain files, and a Git repository that does not repeat them.

Argo CD's OCI sources and Flux' ``OCIRepository`` read the files under ``manifests/``. ``repo.git`` has only the commit and
its trees; `COMPLETE`, shipped as ``complete.sh``, adds the files' contents, which gives the repository that was cast, with
the same commit (ADR 0010).
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
    """The layer's files. ``skeleton`` is the bare repository of ``manifests`` without blobs."""
    script = FileTree({SCRIPT: COMPLETE.encode()}, frozenset({SCRIPT}))
    return join(script, manifests.under(MANIFESTS), skeleton.under(REPOSITORY))
