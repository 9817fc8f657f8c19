"""A file that is fetched in parts: what an interrupted response left is asked for again, and checked to be the rest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from email.utils import parsedate_to_datetime
from typing import Final

from cluster_forge.adapters.http import bodies, failures
from cluster_forge.adapters.http.responses import Response
from cluster_forge.adapters.http.retrying import Attempts, TemporaryError
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import FetchError

_ENCODED_START: Final = 4096
"""Bytes that show whether a file is a gzip file."""
_PROGRESS: Final = 1 << 16
"""Bytes after which a new interruption is the first one again."""
_CONTENT_RANGE: Final = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15})")
_STRONG_TAG: Final = re.compile(r'"[\x21\x23-\x7e]{0,200}"')
_TAG: Final = re.compile(r'(W/)?"[\x21\x23-\x7e]{0,200}"')

Send = Callable[[Mapping[str, str], Attempts], AbstractContextManager[Response]]


class ChangedError(TemporaryError):
    """The file changed while it was read: its parts do not belong together."""


class Download:
    """The parts of a file at an address, at most ``limit_bytes`` together.

    After an interruption only the rest is requested (``Range``, RFC 9110, 14.2), if the server names the file so that it
    can say whether it is still the same (``If-Range``, 13.1.5). A server that sends all of it again is read up to where the
    interruption was, and what it sent before must be the same.
    """

    def __init__(
        self, send: Send, attempts: Attempts, url: str, limit_bytes: int, headers: Mapping[str, str] | None = None
    ) -> None:
        self.tag = ""
        self.is_unchanged = False
        self._send = send
        self._attempts = attempts
        self._url = url
        self._limit = limit_bytes
        self._headers = dict(headers or {})
        self._validator = ""
        self._received = 0
        self._digest = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        """The parts.

        Raises:
            ChangedError: if the file has changed since the first of them.
            FetchError: if there is no file, or it cannot be fetched.
        """
        while True:
            try:
                with self._send(self._wanted(), self._attempts) as response:
                    before = self._received
                    for part in self._rest(response):
                        if self._received - before >= _PROGRESS:
                            self._attempts.succeeded()
                        yield part
                    return
            except ChangedError:
                raise
            except TemporaryError as failure:
                if not self._attempts.pause(failure):
                    raise failure.lasting() from failure

    def _wanted(self) -> Mapping[str, str]:
        if not self._received:
            return self._headers
        rest = {"Range": f"bytes={self._received}-", "If-Range": self._validator} if self._validator else {}
        return {name: value for name, value in self._headers.items() if name.lower() != "if-none-match"} | rest

    def _rest(self, response: Response) -> Iterator[bytes]:
        """What of the file is not there yet."""
        match response.status:
            case 200:
                yield from self._whole(response)
            case 206 if self._received and self._validator:
                total = self._checked_range(response)
                for part in self._limited(response, self._received):
                    yield from self._noted(part)
                if self._received < total:
                    raise self._unresumed("the rest was not sent", "interrupted")
            case 304 if not self._received and "If-None-Match" in self._headers:
                self.is_unchanged, self.tag = True, self._headers["If-None-Match"]
            case 412 | 416 if self._received:
                raise self._unresumed(f"the server answered {response.status}", str(response.status))
            case _:
                raise response.failure()

    def _whole(self, response: Response) -> Iterator[bytes]:
        bodies.refuse_transfer_encoded(self._url, response.headers)
        encoding = response.headers.get("Content-Encoding", "")
        parts = _joined(self._limited(response, 0), _ENCODED_START if encoding else 0)
        if not self._received:
            self.tag, self._validator = _tag(response.headers), _validator(response.headers)
            first = next(parts, b"")
            bodies.refuse_encoded(self._url, encoding, first)
            yield from self._noted(first)
        else:
            yield from self._noted(self._after_the_same(parts))
        for part in parts:
            yield from self._noted(part)

    def _after_the_same(self, parts: Iterator[bytes]) -> bytes:
        """Read again what was received before; what follows it in the last part that this takes."""
        digest, left = hashlib.sha256(), self._received
        for part in parts:
            digest.update(part[:left])
            if len(part) >= left:
                if digest.digest() != self._digest.digest():
                    break
                return part[left:]
            left -= len(part)
        raise ChangedError(
            f"{self._address} has changed while it was read", fix="try again", reason="changed while it was read"
        )

    def _limited(self, response: Response, before: int) -> Iterator[bytes]:
        """The parts of a response that follow ``before`` other bytes."""
        total = before + (bodies.length(response.headers) or 0)
        while total <= self._limit:
            part = response.read()
            before += len(part)
            total = max(total, before)
            if not part:
                return
            if total <= self._limit:
                yield part
        raise FetchError(f"{self._address} is larger than {self._limit:,} bytes", fix="check the address")

    def _noted(self, part: bytes) -> Iterator[bytes]:
        if part:
            self._received += len(part)
            self._digest.update(part)
            yield part

    def _checked_range(self, response: Response) -> int:
        """The length of the whole file. The part must begin where the last one ended, and be the rest of the same file.

        Raises:
            TemporaryError: if it is another part.
        """
        sent = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        tag = response.headers.get("ETag", "").strip()
        if sent and int(sent[1]) == self._received and int(sent[2]) + 1 == int(sent[3]) and tag in ("", self.tag):
            return int(sent[3])
        raise self._unresumed("the server sent another part than the one that was asked for", "wrong range")

    def _unresumed(self, problem: str, reason: str) -> TemporaryError:
        """The error for a server whose parts cannot be used: the next attempt asks for the whole file."""
        self._validator = ""
        return TemporaryError(f"{self._address} cannot be resumed: {problem}", fix=failures.LATER, reason=reason)

    @property
    def _address(self) -> str:
        return without_credentials(self._url)


def _joined(parts: Iterator[bytes], least: int) -> Iterator[bytes]:
    """The parts, the first few of them as one of at least ``least`` bytes."""
    first = bytearray()
    for part in parts:
        first += part
        if len(first) >= least:
            break
    yield bytes(first)
    yield from parts


def _tag(headers: Mapping[str, str]) -> str:
    """The ``ETag``, if it is one (RFC 9110, 8.8.3)."""
    tag = headers.get("ETag", "").strip()
    return tag if _TAG.fullmatch(tag) else ""


def _validator(headers: Mapping[str, str]) -> str:
    """What ``If-Range`` may name: a strong ``ETag``, or a date that is one (RFC 9110, 8.8.2.2 and 13.1.5)."""
    tag = headers.get("ETag", "").strip()
    if tag:
        return tag if _STRONG_TAG.fullmatch(tag) else ""
    modified = headers.get("Last-Modified", "").strip()
    try:
        is_strong = parsedate_to_datetime(modified) < parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError, OverflowError):
        return ""
    return modified if is_strong else ""
