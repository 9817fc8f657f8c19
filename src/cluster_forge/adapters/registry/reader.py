"""Reading registries: tags, manifests, blobs and referrers, everything checked against its digest."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence, Sized
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final

import orjson

from cluster_forge.adapters.http.client import HttpClient
from cluster_forge.adapters.http.responses import Response
from cluster_forge.adapters.http.retrying import TemporaryError
from cluster_forge.adapters.registry import answers
from cluster_forge.adapters.registry.endpoints import PULL, Endpoints
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import FetchError, ImageError
from cluster_forge.oci import manifest
from cluster_forge.oci.image import Descriptor
from cluster_forge.oci.manifest import Index
from cluster_forge.oci.reference import ImageReference, is_tag
from cluster_forge.ports.registry import StoredManifest

_ACCEPT: Final = {"Accept": ", ".join((*manifest.MANIFEST_TYPES, *manifest.INDEX_TYPES))}
_GENERIC_TYPES: Final = ("application/json", "application/octet-stream", "text/plain", "binary/octet-stream")
"""What registries on plain file servers say; then the manifest says itself what it is."""
_PAGE: Final = 1_000
_MOST_PAGES: Final = 1_000
_MOST_LISTED: Final = 200_000
"""Tags, or referrers, of all pages."""
_DIGEST_HEADER: Final = "Docker-Content-Digest"
_SHA256: Final = "sha256:"
_NO_SUCH_API: Final = (400, 404, 405, 501)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """A complete response with the status 200."""

    content: bytes
    headers: Mapping[str, str]


class RegistryReader:
    """`ports.registry.Registry` over HTTP."""

    def __init__(self, client: HttpClient, login: str = "") -> None:
        """``login`` is ``user:password@``, as an address has it."""
        self._client = client
        self._login = login

    def tags(self, repository: ImageReference) -> Sequence[str]:
        """All tags: by the ``Link`` headers, or from the last tag of a full page (distribution spec, "Listing Tags")."""
        endpoints = self._endpoints(repository)
        tags: dict[str, None] = {}
        url, asked, end = endpoints.tags(number=_PAGE), set[str](), self._end()
        while url and url not in asked:
            asked.add(url)
            if _is_endless(asked, tags, end):
                raise FetchError(
                    f"{repository.bare.address}: its list of tags has no end: {len(tags):,} tags on {len(asked) - 1:,} pages",
                    fix="write an exact version: it needs no list of tags",
                )
            page = self._get(url, repository.bare, "tags of this repository")
            new = _tags(page.content, repository)
            is_more = any(tag not in tags for tag in new)
            tags.update(dict.fromkeys(new))
            following = endpoints.tags(number=_PAGE, last=new[-1]) if is_more and len(new) >= _PAGE else ""
            url = endpoints.next_page(page.headers.get("Link", "")) or following
        return tuple(tags)

    def digest(self, reference: ImageReference) -> Digest | None:
        url = self._endpoints(reference).manifest(_name(reference))
        with self._send("HEAD", url, reference) as response:
            if response.status == 404:
                return None
            text = response.headers.get(_DIGEST_HEADER, "")
            if response.status == 200 and text.startswith(_SHA256):
                return _parsed(text, reference)
            if response.status not in (200, 405):
                raise answers.reading_error(response, reference, _what(reference))
        return self.manifest(reference).digest  # of a registry that does not tell

    def manifest(self, reference: ImageReference) -> StoredManifest:
        answer = self._get(self._endpoints(reference).manifest(_name(reference)), reference, _what(reference))
        media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        header = answer.headers.get(_DIGEST_HEADER, "")
        try:
            read = manifest.parse(answer.content, "" if media_type in _GENERIC_TYPES else media_type)
        except ImageError as error:
            raise ImageError(error.message, where=reference.address, fix=error.fix) from error
        stored = StoredManifest.of(answer.content, read.media_type)
        promised = reference.digest or (_parsed(header, reference) if header.startswith(_SHA256) else stored.digest)
        if promised != stored.digest:
            raise _differs(reference, promised, stored.digest)
        return stored

    def blob(self, repository: ImageReference, blob: Descriptor, write: Callable[[bytes], object]) -> None:
        endpoints = self._endpoints(repository)
        state, size = hashlib.sha256(), 0
        try:
            for part in self._client.stream(endpoints.blob(blob.digest), blob.size, scope=endpoints.scope(PULL)):
                state.update(part)
                size += len(part)
                write(part)
        except FetchError as error:
            raise FetchError(f"{repository.bare.address}: {error.message}", where=error.where, fix=error.fix) from error
        received = Digest(state.hexdigest())
        if received != blob.digest or size != blob.size:
            raise _differs(repository.bare, blob.digest, received)

    def referrers(self, subject: ImageReference, artifact_type: str = "") -> Sequence[Descriptor]:
        """From the referrers API, or from the tag that stands for it (distribution spec, "Listing Referrers")."""
        listed = self._api_referrers(subject, artifact_type)
        if listed is None:
            tagged = replace(subject, tag=referrers_tag(subject.digest), digest=None)
            listed = () if self.digest(tagged) is None else _entries(self.manifest(tagged).content, subject)
        wanted = (entry for entry in listed if artifact_type in ("", entry.artifact_type))
        return tuple({entry.digest: entry for entry in wanted}.values())

    def _api_referrers(self, subject: ImageReference, artifact_type: str) -> Sequence[Descriptor] | None:
        """None: the registry has no such API."""
        endpoints = self._endpoints(subject)
        url, asked, entries = endpoints.referrers(subject, artifact_type), set[str](), list[Descriptor]()
        end = self._end()
        with self._send("GET", url, subject) as response:
            if response.status in _NO_SUCH_API:
                return None
        while url and url not in asked:
            asked.add(url)
            if _is_endless(asked, entries, end):
                raise FetchError(
                    f"{subject.address}: its list of referrers has no end: {len(entries):,} on {len(asked) - 1:,} pages",
                    fix="name the digest of what is wanted itself",
                )
            page = self._get(url, subject, "its referrers")
            entries += _entries(page.content, subject)
            url = endpoints.next_page(page.headers.get("Link", ""))
        return entries

    def _get(self, url: str, reference: ImageReference, what: str) -> _Answer:
        """The whole answer to a request, from the beginning again if it is interrupted.

        Raises:
            FetchError: for another status than 200, or a body of more than `manifest.LARGEST` bytes.
        """
        for _ in range(self._client.policy.retries):
            with contextlib.suppress(TemporaryError):
                return self._answer(url, reference, what)
        return self._answer(url, reference, what)

    def _answer(self, url: str, reference: ImageReference, what: str) -> _Answer:
        content = bytearray()
        with self._send("GET", url, reference) as response:
            if response.status != 200:
                raise answers.reading_error(response, reference, what)
            while part := response.read():
                content += part
                if len(content) > manifest.LARGEST:
                    raise FetchError(
                        f"{reference.address}: the answer to the request for {what} has more than "
                        f"{manifest.LARGEST:,} bytes",
                        fix="check the address",
                    )
            return _Answer(content=bytes(content), headers=response.headers)

    def _end(self) -> float:
        """When a list that is requested now must be complete (monotonic seconds)."""
        return time.monotonic() + self._client.policy.timeouts.whole

    def _endpoints(self, reference: ImageReference) -> Endpoints:
        return Endpoints(reference, self._client.settings, self._login)

    def _send(self, method: str, url: str, reference: ImageReference) -> AbstractContextManager[Response]:
        return self._client.send(method, url, headers=_ACCEPT, scope=self._endpoints(reference).scope(PULL))


def _is_endless(pages: Sized, entries: Sized, end: float) -> bool:
    """Whether a list is given up: each page has its own limits, but a server can always name one more."""
    return len(pages) > _MOST_PAGES or len(entries) > _MOST_LISTED or time.monotonic() > end


def referrers_tag(subject: Digest | None) -> str:
    """The tag that lists referrers where the API is missing (distribution spec, "Referrers Tag Schema")."""
    return str(subject).replace(":", "-", 1)


def _entries(content: bytes, subject: ImageReference) -> Sequence[Descriptor]:
    try:
        listed = manifest.parse(content)
    except ImageError as error:
        raise FetchError(f"{subject.address}: its list of referrers is {error.message}", fix=error.fix) from error
    return listed.manifests if isinstance(listed, Index) else ()


def _tags(content: bytes, repository: ImageReference) -> Sequence[str]:
    """The tags of a page. A name that is none is left out: it cannot be asked for."""
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise FetchError(
            f"{repository.bare.address}: the list of tags is not one of an OCI registry", fix="check the address"
        )
    listed = document.get("tags")
    return [tag for tag in listed if isinstance(tag, str) and is_tag(tag)] if isinstance(listed, list) else []


def _name(reference: ImageReference) -> str:
    return str(reference.digest) if reference.digest else reference.effective_tag


def _what(reference: ImageReference) -> str:
    return f"the digest {reference.digest}" if reference.digest else f"a tag {reference.effective_tag!r}"


def _parsed(text: str, reference: ImageReference) -> Digest:
    try:
        return Digest.parse(text)
    except ValueError as error:
        raise FetchError(
            f"{reference.address}: the registry answers with {text[:80]!r} for a digest", fix="check the address"
        ) from error


def _differs(reference: ImageReference, promised: Digest, received: Digest) -> FetchError:
    return FetchError(
        f"{reference.address}: the content is not what its digest promises: {promised} was asked for, {received} received",
        fix="try again; if it stays so, what the registry stores is damaged: push it again",
    )
