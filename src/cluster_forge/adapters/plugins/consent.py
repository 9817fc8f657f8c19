"""Which functions of workspaces their user agreed to run on this machine: a list of digests, each signed with the user's secret.

A workspace is not trusted (ADR 0016), so the digest in its description says which program is meant, and not that it may run.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

from cluster_forge.adapters.disk import plain_files, user_secret
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import WorkspaceError

_NAME: Final = "allowed-functions"
_PURPOSE: Final = "function"
_LONGEST: Final = 1 << 20


def allowed() -> Collection[Digest]:
    """The digests that the user agreed to."""
    secret, path = user_secret.kept(), _path()
    if secret is None or path is None:
        return frozenset()
    lines = _lines(path)
    pairs = (line.split(" ") for line in lines if line.count(" ") == 1)
    return frozenset(
        Digest.parse(digest)
        for digest, signature in pairs
        if user_secret.is_signed(signature, secret, _PURPOSE, digest.encode())
    )


def allow(digests: Collection[Digest]) -> None:
    """Remember these, too.

    Raises:
        WorkspaceError: if there is no place for that.
    """
    _remember({*allowed(), *digests})


def forget(digests: Collection[Digest]) -> None:
    """Remember these no longer."""
    _remember({*allowed()} - {*digests})


def _remember(digests: Collection[Digest]) -> None:
    secret, path = user_secret.kept(), _path()
    if secret is None or path is None:
        raise WorkspaceError(
            "there is no place where only you can write, to remember what you agreed to",
            fix="set XDG_STATE_HOME to a folder of yours, or write --allow-exec DIGEST at each run",
        )
    lines = (f"{digest} {user_secret.sign(secret, _PURPOSE, str(digest).encode())}\n" for digest in sorted(digests))
    draft = path.with_name(f"{_NAME}-{os.getpid()}")
    try:
        descriptor = plain_files.open_file(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, "".join(lines).encode())
        finally:
            os.close(descriptor)
        draft.replace(path)
    except OSError as error:
        raise WorkspaceError(f"{path} cannot be written: {error.strerror}", fix="see whose it is") from error


def _lines(path: Path) -> list[str]:
    with contextlib.suppress(OSError):
        descriptor = plain_files.open_file(path, os.O_RDONLY)
        try:
            return os.read(descriptor, _LONGEST).decode(errors="replace").splitlines()
        finally:
            os.close(descriptor)
    return []


def _path() -> Path | None:
    folder = user_secret.folder()
    return folder / _NAME if folder else None
