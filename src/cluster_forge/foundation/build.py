"""Which build of Cluster-Forge this is: the one place where keys of caches and of "is it current" tests are made.

The version alone does not tell two builds apart: it is the same for all commits between two releases, and for a
catalog that was edited in place. So the build is identified by the content of the package: code, templates and data.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from cluster_forge import __version__
from cluster_forge.foundation.digest import Digest

_PACKAGE = f"{Path(__file__).parents[1]}{os.sep}"


@functools.cache
def identity() -> str:
    """``0.1.0+7d865e959b246691``: the version, and 16 hex digits of a digest over all packaged files.

    Reading them takes 5 ms, so a wheel needs no digest of its own: the same files give the same identity however they
    were installed.
    """
    digest = hashlib.sha256()
    for path in sorted(_files(_PACKAGE)):
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - 500 files at each start: Path takes twice as long
            content = file.read()
        digest.update(f"{path.removeprefix(_PACKAGE)}\0{len(content)}\0".encode())
        digest.update(content)
    return f"{__version__}+{digest.hexdigest()[:16]}"


def key(kind: str, *parts: bytes) -> Digest:
    """The digest over this build, ``kind`` (what the key is for: ``objects``) and ``parts``, in their order.

    Two keys are equal only if all of that is: no cache may keep a result by anything less.
    """
    digest = hashlib.sha256(f"{identity()}\n{kind}\n".encode())
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return Digest(digest.hexdigest())


def _files(folder: str) -> Iterator[str]:
    for entry in os.scandir(folder):
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _files(entry.path)
        elif not entry.name.endswith(".pyc"):
            yield entry.path
