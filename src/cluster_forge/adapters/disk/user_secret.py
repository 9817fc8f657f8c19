"""The user's secret, which is in no workspace and no store: it proves that this user wrote what is read again."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path
from typing import Final

from cluster_forge.adapters.disk import plain_files

_NAME: Final = "secret"
_SIZE: Final = 32


def load() -> bytes:
    """The user's secret (`kept`), or a new one at each call if it cannot be kept: then nothing is recognized later."""
    return kept() or secrets.token_bytes(_SIZE)


def kept() -> bytes | None:
    """The secret of this user on this machine, ``$XDG_STATE_HOME/cluster-forge/secret``; created when it is first needed.

    None: there is no place that only this user can write.

    Raises:
        WorkspaceError: if a link, a pipe or a device is in its place.
    """
    place = folder()
    if place is None:
        return None
    path = place / _NAME
    try:
        return _read(path) or _create(path)
    except OSError:
        return None


def sign(secret: bytes, purpose: str, *contents: bytes) -> str:
    """An HMAC over the contents, in hexadecimal digits; one for another ``purpose`` is not valid."""
    state = hmac.new(secret, purpose.encode(), hashlib.sha256)
    for content in contents:
        state.update(len(content).to_bytes(8, "big"))
        state.update(content)
    return state.hexdigest()


def is_signed(signature: str, secret: bytes, purpose: str, *contents: bytes) -> bool:
    """Whether `sign` gave that signature."""
    return hmac.compare_digest(signature.encode(), sign(secret, purpose, *contents).encode())


def folder() -> Path | None:
    """The directory of the XDG Base Directory Specification for what a program remembers; a relative one is invalid there."""
    state = os.environ.get("XDG_STATE_HOME", "")
    if Path(state).is_absolute():
        return Path(state, "cluster-forge")
    try:
        return Path.home() / ".local" / "state" / "cluster-forge"
    except RuntimeError:  # a user without a home directory
        return None


def _read(path: Path) -> bytes | None:
    """The secret; None if there is none, or one that others can read.

    Raises:
        OSError: if it cannot be read, or belongs to another user.
    """
    try:
        descriptor = plain_files.open_file(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        status = os.fstat(descriptor)
        if os.name == "posix":
            if status.st_uid != os.geteuid():
                raise PermissionError(f"{path} belongs to another user")
            if stat.S_IMODE(status.st_mode) & 0o077:
                return None
        content = os.read(descriptor, _SIZE + 1)
    finally:
        os.close(descriptor)
    return content if len(content) == _SIZE else None


def _create(path: Path) -> bytes:
    """A new secret, or the one that another process has created meanwhile."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{_NAME}-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        descriptor = plain_files.open_file(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, secrets.token_bytes(_SIZE))
        finally:
            os.close(descriptor)
        try:
            os.link(draft, path)
        except OSError:  # it exists, or the file system has no links
            if _read(path) is None:
                draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    content = _read(path)
    if content is None:
        raise PermissionError(f"{path} cannot be kept from others")
    return content
