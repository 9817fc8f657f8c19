"""Requests: retried, redirected and authorized. What a response means is for the caller."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from http import HTTPStatus
from typing import Final

from urllib3 import BaseHTTPResponse

from cluster_forge.adapters.http import failures
from cluster_forge.adapters.http.authorization import Authorization
from cluster_forge.adapters.http.connections import Connections
from cluster_forge.adapters.http.download import ChangedError, Download
from cluster_forge.adapters.http.fetched import Fetched
from cluster_forge.adapters.http.origins import host_of, is_loopback
from cluster_forge.adapters.http.policy import HostSettings, Policy
from cluster_forge.adapters.http.requests import Body, Request
from cluster_forge.adapters.http.responses import Response
from cluster_forge.adapters.http.retrying import Attempts, TemporaryError
from cluster_forge.adapters.http.timing import Call
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import FetchError
from cluster_forge.ports.progress import NO_TRANSFERS, Transfers

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS: Final = 10
_MOST_ANSWERS: Final = 2
"""To challenges: a first one, and one with a new token in place of an expired one."""
_HEADERS: Final = {"User-Agent": "cluster-forge", "Accept-Encoding": "identity"}


class HttpClient:
    """Requests over pooled connections. Safe for several threads."""

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        authorization: Authorization | None = None,
        transfers: Transfers = NO_TRANSFERS,
    ) -> None:
        self.policy = policy or Policy()
        self._authorization = authorization
        self._transfers = transfers
        self._connections = Connections(self.policy)

    def configure(self, hosts: Mapping[str, HostSettings]) -> None:
        """Use these settings, by ``host`` or ``host:port``, from the next request on."""
        self._connections.configure(hosts)

    def settings(self, url: str) -> HostSettings:
        """What the user says about the host of an address."""
        return self._connections.settings(url)

    def may_be_plain(self, url: str) -> bool:
        """Whether an address may be reached without TLS, credentials included: the user says so by name, or it is this
        machine, as Docker has it (127.0.0.0/8).
        """
        return is_loopback(url) or self.settings(url).is_plain_http

    def get(self, url: str, limit_bytes: int, *, headers: Mapping[str, str] | None = None, scope: str = "") -> bytes:
        """The body of a ``200 OK`` at ``url``, redirects followed.

        Raises:
            FetchError: for any other status, more than ``limit_bytes``, a slow response, an encoding that was not asked
                for, no connection, a certificate that is not trusted, or something that is not an HTTP address.
        """
        return self.get_changed(url, limit_bytes, "", headers=headers, scope=scope).content or b""

    def get_changed(
        self, url: str, limit_bytes: int, tag: str, *, headers: Mapping[str, str] | None = None, scope: str = ""
    ) -> Fetched:
        """The same, unless it is the file that ``tag`` stands for (``If-None-Match``, RFC 9110, 13.1.2).

        Raises:
            FetchError: as `get`.
        """
        wanted = {**(headers or {}), **({"If-None-Match": tag} if tag else {})}
        attempts = self._attempts(url)
        while True:
            download = self._download(url, limit_bytes, wanted, scope, attempts)
            try:
                content = b"".join(download)
            except ChangedError as failure:  # nothing of it was used: from the beginning
                if not attempts.pause(failure):
                    raise failure.lasting() from failure
            else:
                return Fetched(content=None if download.is_unchanged else content, tag=download.tag)

    def stream(
        self, url: str, limit_bytes: int, *, headers: Mapping[str, str] | None = None, scope: str = ""
    ) -> Iterator[bytes]:
        """The same in parts, in constant memory.

        Raises:
            FetchError: as `get`, also after some parts, and if the file has changed since the first of them.
        """
        try:
            yield from self._download(url, limit_bytes, headers or {}, scope, self._attempts(url))
        except ChangedError as failure:
            raise failure.lasting() from failure

    @contextlib.contextmanager
    def send(  # noqa: PLR0913 - what a request has
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        length: int | None = None,
        scope: str = "",
        redirects: bool = True,
        retries: bool = True,
        home: str = "",
    ) -> Iterator[Response]:
        """The response to a request, for as long as the context lasts; its status is for the caller to judge.

        Failures before the headers are there, and statuses, that are temporary are retried; the last response is returned.
        A ``body`` that is a callable is opened for every attempt, and has ``length`` bytes. ``home`` is whose request it is,
        if its answer named ``url`` (`Request`).

        Raises:
            FetchError: if there is no response.
        """
        known = len(body) if isinstance(body, bytes) else length
        sizes = {} if known is None else {"Content-Length": str(known)}
        request = Request(
            method=method,
            url=url,
            headers={**(headers or {}), **sizes},
            body=body,
            scope=scope,
            retries=retries,
            home=home,
        )
        with self._responding(request, self._attempts(url), redirects=redirects) as response:
            yield response

    def _attempts(self, url: str) -> Attempts:
        end = time.monotonic() + self.policy.timeouts.whole
        return Attempts(self.policy, host_of(url), end, self._transfers)

    def _download(
        self, url: str, limit_bytes: int, headers: Mapping[str, str], scope: str, attempts: Attempts
    ) -> Download:
        def send(wanted: Mapping[str, str], attempts: Attempts) -> AbstractContextManager[Response]:
            return self._responding(Request(method="GET", url=url, headers=wanted, scope=scope), attempts)

        return Download(send, attempts, url, limit_bytes, headers)

    @contextlib.contextmanager
    def _responding(self, request: Request, attempts: Attempts, *, redirects: bool = True) -> Iterator[Response]:
        response = self._redirected(request, attempts) if redirects else self._retried(request, attempts)
        try:
            yield response
        finally:
            response.close()

    def _redirected(self, request: Request, attempts: Attempts) -> Response:
        asked = request.url
        for _ in range(_MOST_REDIRECTS + 1):
            response = self._retried(request, attempts)
            target = response.headers.get("Location")
            if response.status not in _REDIRECTS or not target:
                return response
            response.settle()
            request = request.redirected(response.status, target)
        raise FetchError(
            f"{without_credentials(asked)} has too many redirects, the last to {without_credentials(request.url)}",
            fix="check the address",
        )

    def _retried(self, request: Request, attempts: Attempts) -> Response:
        """The response that is not temporary, or the last one."""
        while True:
            try:
                response = self._authorized(request, attempts)
            except TemporaryError as failure:
                if not request.retries or not attempts.pause(failure):
                    raise failure.lasting() from failure
                continue
            problem = response.failure() if request.retries and response.status >= 400 else None
            if not isinstance(problem, TemporaryError):
                return response
            response.settle()
            self._connections.hold(request.url, problem.wait)
            if not attempts.pause(problem):
                return response

    def _authorized(self, request: Request, attempts: Attempts) -> Response:
        """The response after what the server wants to see first."""
        authorization, url, scope = self._authorization, request.url, request.scope
        if authorization is None or not request.is_authorized:
            return self._exchanged(request, {}, attempts)
        headers = authorization.headers(url, scope)
        response = self._exchanged(request, headers, attempts)
        for _ in range(_MOST_ANSWERS):
            if response.status != HTTPStatus.UNAUTHORIZED:
                break
            response.settle()  # the connection may be needed to fetch a token
            answered = authorization.answer(url, scope, response.challenges, headers.get("Authorization", ""))
            if answered is None:
                break
            headers = answered
            response = self._exchanged(request, headers, attempts)
        return response

    def _exchanged(self, request: Request, headers: Mapping[str, str], attempts: Attempts) -> Response:
        """One request, and its response as soon as the headers are there."""
        url = request.url
        time.sleep(max(0.0, min(self._connections.pause(url), attempts.left)))
        permit = self._connections.permit(url)
        if not permit.acquire(timeout=max(0.0, attempts.left)):
            raise attempts.late(url)
        try:
            raw = self._call(request, {**_HEADERS, **request.headers, **headers}, attempts)
        except BaseException:
            permit.release()
            raise
        return Response(
            raw,
            url,
            attempts,
            credential=self._authorization.used(url) if self._authorization else "",
            when_read=partial(self._transfers.received, host_of(url)),
            when_closed=permit.release,
        )

    def _call(self, request: Request, headers: Mapping[str, str], attempts: Attempts) -> BaseHTTPResponse:
        began, body = time.monotonic(), request.opened_body()
        seconds = self.policy.timeouts.headers

        def end() -> float:
            return min(attempts.end, (body.moved if body else began) + seconds)

        call = Call(partial(self._connections.open, request.method, request.url, headers, body), _close)
        try:
            return call.result(end)
        except TimeoutError as error:
            if attempts.left <= 0:
                raise attempts.late(request.url) from error
            raise TemporaryError(
                f"{without_credentials(request.url)} had not answered after {seconds:g} s",
                fix=failures.LATER,
                reason="no answer",
            ) from error
        finally:
            if body:
                body.close()


def _close(response: BaseHTTPResponse) -> None:
    response.close()
