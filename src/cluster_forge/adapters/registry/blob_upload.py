"""One blob on its way into a repository: mounted, sent whole or in chunks (OCI distribution spec, "Pushing blobs").

A small blob is sent in one request after its session is opened (``POST``, ``PUT``), as containerd and oras do. A large one
goes in chunks (``PATCH``), so that a broken connection costs at most one of them: the registry is asked how much it has.
Registries that take no chunks, or smaller ones (GitHub's), get the blob whole.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import BinaryIO, Final

from cluster_forge.adapters.http.client import HttpClient
from cluster_forge.adapters.http.responses import Response
from cluster_forge.adapters.registry import answers
from cluster_forge.adapters.registry.endpoints import PUSH, Endpoints, next_request, with_digest
from cluster_forge.foundation.errors import FetchError, ForgeError
from cluster_forge.oci.reference import ImageReference
from cluster_forge.ports.registry import Upload

CHUNK: Final = 16 << 20
"""Bytes of a chunk; Azure's registry takes at most 20 MB."""
_LARGEST_CHUNK: Final = 1 << 30
_WHOLE: Final = 4
"""Chunks up to which a blob is sent in one request."""
_MOST_SESSIONS: Final = 3
_MOST_BREAKS: Final = 8
"""How many chunks may be sent in vain, beside one for each that arrives."""
_RANGE: Final = re.compile(r"(?:bytes=)?0-([0-9]{1,15})")
_BYTES: Final = {"Content-Type": "application/octet-stream"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Session:
    """An open upload: where its next request goes, and the least size of a chunk."""

    location: str = ""
    chunk: int = 0

    def after(self, response: Response) -> _Session:
        """The session as a response describes it: each may name another address (relative, or of another host)."""
        place = response.headers.get("Location", "")
        return replace(self, location=next_request(response.url, place) if place else self.location)


class _RefusedError(Exception):
    """The registry does not take this session, or no chunks: another way may succeed. ``error`` says what it answered."""

    def __init__(self, error: ForgeError) -> None:
        super().__init__(error.message)
        self.error = error


@dataclass(frozen=True, slots=True)
class BlobUpload:
    """A blob, and the repository that it is brought into; large ones in parts of ``chunk`` bytes, or more if it must be."""

    client: HttpClient
    endpoints: Endpoints
    upload: Upload
    chunk: int = CHUNK

    @property
    def _what(self) -> str:
        return f"the blob {self.upload.blob.digest}"

    def is_present(self) -> bool:
        url = self.endpoints.blob(self.upload.blob.digest)
        with self.client.send("HEAD", url, scope=self.endpoints.scope(PUSH)) as response:
            if response.status in (401, 403):
                raise answers.writing_error(response, self.endpoints.repository, self._what)
            return response.status == 200

    def is_mounted(self, origin: ImageReference) -> bool:
        """Whether the registry took the blob from another repository; otherwise its session is given up.

        Some refuse the request as a whole: Amazon ECR without a setting of it, others if the origin may not be read.
        """
        url = self.endpoints.uploads(mount=str(self.upload.blob.digest), **{"from": origin.repository})
        with self.client.send("POST", url, body=b"", scope=self.endpoints.scope(PUSH, [origin])) as response:
            is_mounted, session = response.status == 201, _Session().after(response)
            is_open = response.status == 202
        if is_open:
            self._cancel(session)
        return is_mounted

    def send(self) -> None:
        """Upload the blob: in chunks if it is large, else whole; from the beginning if a session is lost.

        Raises:
            RegistryError, FetchError: if every way fails.
        """
        is_large = self.upload.blob.size > _WHOLE * self.chunk
        ways = [self._send_chunks] * is_large + [self._send_whole] * (_MOST_SESSIONS - is_large)
        for number, way in enumerate(ways, 1):
            session = self._open()
            try:
                way(session)
            except _RefusedError as refused:
                if self.is_present():  # only the answer was lost, and the session was closed when it was asked again
                    return
                self._cancel(session)
                if number == len(ways):
                    raise refused.error from refused
            else:
                return

    def _open(self) -> _Session:
        with self.client.send("POST", self.endpoints.uploads(), body=b"", scope=self.endpoints.scope(PUSH)) as response:
            session = _Session().after(response)
            if response.status != 202 or not session.location:
                raise answers.writing_error(response, self.endpoints.repository, self._what)
            least = response.headers.get("OCI-Chunk-Min-Length", "")
            number = int(least) if re.fullmatch(r"[0-9]{1,12}", least) else 0
            return replace(session, chunk=max(self.chunk, min(number, _LARGEST_CHUNK)))

    def _send_whole(self, session: _Session) -> None:
        size = self.upload.blob.size
        with self._request("PUT", self._end(session), _BYTES, self.upload.open, size) as response:
            self._check_stored(response)

    def _send_chunks(self, session: _Session) -> None:
        size, sent = self.upload.blob.size, 0
        for _ in range(2 * (size // session.chunk + 1) + _MOST_BREAKS):
            try:
                session, sent = self._send_chunk(session, sent, min(sent + session.chunk, size))
            except FetchError as error:  # the connection broke: the registry knows how much it has
                session, sent = self._status(session, error)
            if sent >= size:
                break
        with self._request("PUT", self._end(session), {}, None, 0) as response:
            self._check_stored(response)

    def _send_chunk(self, session: _Session, begin: int, end: int) -> tuple[_Session, int]:
        """Send the bytes from ``begin`` to before ``end``; the session after that, and how much the registry has."""
        headers = {**_BYTES, "Content-Range": f"{begin}-{end - 1}"}
        body = partial(_section, self.upload, begin, end)
        with self._request("PATCH", session.location, headers, body, end - begin) as response:
            if response.status in (202, 204, 201):
                after = session.after(response)
                return after, _received(response.headers, end)
            error = answers.writing_error(response, self.endpoints.repository, self._what)
            if response.status != 416:
                raise _RefusedError(error)
        return self._status(session, error)

    def _status(self, session: _Session, error: ForgeError) -> tuple[_Session, int]:
        """The session as the registry knows it, and how much it has; ``error`` is why it is asked."""
        with self._request("GET", session.location, {}, None, 0) as response:
            if response.status not in (200, 202, 204):
                raise _RefusedError(error)
            return session.after(response), _received(response.headers, 0)

    def _check_stored(self, response: Response) -> None:
        if response.status not in (200, 201, 202, 204):
            error = answers.writing_error(response, self.endpoints.repository, self._what)
            raise error if response.status in (401, 402, 403, 507) else _RefusedError(error)

    def _cancel(self, session: _Session) -> None:
        """Let the registry forget a session. Whether it does is its own matter (distribution spec, "Cancel")."""
        if session.location:
            with contextlib.suppress(FetchError), self._request("DELETE", session.location, {}, None, 0):
                pass

    def _end(self, session: _Session) -> str:
        return with_digest(session.location, self.upload.blob.digest)

    def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: Callable[[], BinaryIO] | None, length: int
    ) -> AbstractContextManager[Response]:
        scope, home = self.endpoints.scope(PUSH), self.endpoints.base
        return self.client.send(method, url, headers=headers, body=body, length=length, scope=scope, home=home)


class _Section(io.RawIOBase):
    """A part of a file as a file, which closes the whole one."""

    def __init__(self, whole: BinaryIO, length: int) -> None:
        self._whole = whole
        self._left = length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # the type of the standard library is internal
        part = self._whole.read(min(len(buffer), self._left))
        buffer[: len(part)] = part
        self._left -= len(part)
        return len(part)

    def close(self) -> None:
        self._whole.close()
        super().close()


def _section(upload: Upload, begin: int, end: int) -> BinaryIO:
    """The bytes of a blob from ``begin`` to before ``end``."""
    whole = upload.open()
    whole.seek(begin)
    return io.BufferedReader(_Section(whole, end - begin))


def _received(headers: Mapping[str, str], otherwise: int) -> int:
    """How many bytes the registry has, by its ``Range`` header; distribution says ``0-0`` for none and for one."""
    match = _RANGE.fullmatch(headers.get("Range", "").strip())
    if not match:
        return otherwise
    last = int(match[1])
    return last + 1 if last else 0
