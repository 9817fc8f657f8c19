"""Requests to one API server over kept connections, again where that is safe, within limits of time and size.

What is sent again: whatever was certainly not executed (no connection, 429, 503), and what has the same effect twice.
An API server that answered before is waited for longer than one that never did: it may be restarting.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from urllib3 import BaseHTTPResponse, HTTPHeaderDict, PoolManager, ProxyManager, Timeout, disable_warnings
from urllib3.exceptions import HTTPError, InsecureRequestWarning

from cluster_forge.adapters.http import proxies, trust
from cluster_forge.adapters.http.connections import without_user
from cluster_forge.adapters.http.policy import HostSettings
from cluster_forge.adapters.http.retrying import seconds_to_wait
from cluster_forge.adapters.http.timing import Call
from cluster_forge.adapters.kubernetes import refusals, tls, unreachable
from cluster_forge.adapters.kubernetes.access import Access
from cluster_forge.adapters.kubernetes.answers import Answer, Request
from cluster_forge.adapters.kubernetes.credentials import Credential, Credentials
from cluster_forge.adapters.kubernetes.unreachable import BrokenError
from cluster_forge.foundation.errors import ClusterError, FetchError

_CHUNK: Final = 1 << 18
_CONNECTIONS: Final = 32
_BUSY: Final = frozenset({429, 503})
_UNSURE: Final = frozenset({502, 504})
"""A gateway's answers when it does not know what became of a request."""

disable_warnings(InsecureRequestWarning)  # the kubeconfig says so


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds: until a connection is there, between two parts of an answer, for one request as a whole; and how long a
    request that fails is repeated, at first and when the server has answered before.
    """

    connect: float = 10.0
    silence: float = 60.0
    whole: float = 120.0
    at_first: float = 2.0
    later: float = 60.0
    first_pause: float = 0.1
    longest_pause: float = 5.0


class Transport:
    """The connection to an API server. Safe for several threads. ``counts`` has the requests by method, and ``WATCH``."""

    def __init__(self, access: Access, credentials: Credentials, patience: Patience | None = None) -> None:
        self.access = access
        self.counts: Counter[str] = Counter()
        self._credentials = credentials
        self._patience = patience or Patience()
        self._lock = threading.Lock()
        self._pools: dict[tuple[bytes, bytes] | None, PoolManager] = {}
        self._server = access.cluster.server
        self._has_answered = False
        self._away_since: float | None = None
        """When requests began to fail; None after one that has not."""

    def send(self, request: Request) -> Answer:
        """The answer with a status below 300.

        Raises:
            ClusterError, RefusedError: for any other one, and if there is none.
        """
        answer = self.ask(request)
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise refusals.of(answer, self.access, request.where)
        return answer

    def ask(self, request: Request) -> Answer:
        """The answer, whatever its status is, but for one that is there for a while only.

        Raises:
            ClusterError: if there is none, or the user is not known.
            KubeconfigError: if there is nothing to prove who the user is.
        """
        return self._repeated(request, self._whole)

    @contextmanager
    def stream(self, request: Request, silence: float) -> Iterator[BaseHTTPResponse]:
        """A response whose body comes in parts, with at most ``silence`` seconds between two.

        Raises:
            ClusterError, RefusedError, KubeconfigError: as `send`, but not for what happens while it is read.
        """
        answer = self._repeated(request, partial(self._opened, silence=silence))
        if answer.stream is None:
            raise refusals.of(answer, self.access, request.where)
        try:
            yield answer.stream
        finally:
            answer.stream.close()
            answer.stream.release_conn()

    def _repeated(self, request: Request, attempt: Callable[[Request, Credential], Answer]) -> Answer:
        began, failed, is_renewed = time.monotonic(), 0, False
        credential = self._credentials.current()
        while True:
            outcome: Answer | BrokenError
            try:
                outcome = attempt(request, credential)
            except BrokenError as broken:
                outcome = broken
            if isinstance(outcome, Answer) and outcome.status == HTTPStatus.UNAUTHORIZED:
                credential, is_renewed = self._renewed(outcome, credential, is_renewed=is_renewed), True
                continue
            self._has_answered |= isinstance(outcome, Answer)
            is_passing = _is_passing(outcome, request)
            is_answered = isinstance(outcome, Answer) and not is_passing
            self._away_since = None if is_answered else self._away_since or time.monotonic()
            if not is_passing or not self._pauses(request, began, failed, _wait(outcome)):
                return _settled(outcome)
            failed += 1

    def _pauses(self, request: Request, began: float, failed: int, wait: float) -> bool:
        """Wait before the next attempt; False if there is none. Between nothing and a pause that doubles each time."""
        patience = self._patience
        longest = min(patience.longest_pause, patience.first_pause * 2.0 ** min(failed, 30))
        seconds = max(wait, longest * random.random())  # noqa: S311 - so that many do not come back at once
        if time.monotonic() - began + seconds > min(self._limit, request.within):
            return False
        time.sleep(seconds)
        return True

    @property
    def _limit(self) -> float:
        """How long a request is repeated. A server that is away is waited for once, not again by each request."""
        patience, away = self._patience, self._away_since
        is_gone = away is not None and time.monotonic() - away > patience.later
        return patience.later if self._has_answered and not is_gone else patience.at_first

    def _renewed(self, answer: Answer, refused: Credential, *, is_renewed: bool) -> Credential:
        """Another credential after a 401.

        Raises:
            ClusterError: if there is none.
        """
        renewed = None if is_renewed else self._credentials.renewed(refused)
        if renewed is None:
            status = refusals.status_of(answer.body)
            raise self._credentials.refused(
                refused, str(status["message"]) if status and "message" in status else "401"
            )
        return renewed

    def _whole(self, request: Request, credential: Credential) -> Answer:
        end = time.monotonic() + self._patience.whole
        with self._explained(request):
            return self._read(self._response(request, credential, self._patience.silence, end), request, end)

    def _opened(self, request: Request, credential: Credential, *, silence: float) -> Answer:
        """An answer whose body is still to be read, unless it is an error."""
        end = time.monotonic() + self._patience.whole
        with self._explained(request):
            response = self._response(request, credential, silence, end)
            if response.status >= HTTPStatus.MULTIPLE_CHOICES:
                return self._read(response, request, end)
            return Answer(status=response.status, headers=_headers(response), body=b"", stream=response)

    def _response(self, request: Request, credential: Credential, silence: float, end: float) -> BaseHTTPResponse:
        """The response as soon as its headers are there, which is before ``end``, whatever the server does."""
        headers = HTTPHeaderDict(request.headers)
        for name, value in credential.headers:
            headers.add(name, value)
        with self._lock:
            self.counts["WATCH" if "watch" in request.query else request.method] += 1
        sending = partial(
            self._pool(credential).urlopen,
            request.method,
            self._server + request.target,
            body=request.body,
            headers=headers,
            timeout=Timeout(connect=self._patience.connect, read=silence),
            redirect=False,
            retries=False,
            preload_content=False,
            decode_content=False,
        )
        return Call(sending, _close).result(lambda: end)

    def _read(self, response: BaseHTTPResponse, request: Request, end: float) -> Answer:
        """The whole answer, within limits of size and time."""
        parts, size = [], 0
        try:
            while part := response.read1(_CHUNK, decode_content=False):
                parts.append(part)
                size += len(part)
                if size > request.largest or time.monotonic() > end:
                    response.close()
                    raise BrokenError(self._too_much(request, is_large=size > request.largest), may_go_away=False)
        except BaseException:
            response.close()
            raise
        finally:
            response.release_conn()
        return Answer(status=response.status, headers=_headers(response), body=b"".join(parts))

    def _too_much(self, request: Request, *, is_large: bool) -> ClusterError:
        what = (
            f"is larger than {request.largest >> 20} MiB"
            if is_large
            else f"takes longer than {self._patience.whole:g} s"
        )
        return ClusterError(
            f"{self._server}: the answer {what}", where=request.where, fix="look at the server's load and its log"
        )

    @contextmanager
    def _explained(self, request: Request) -> Iterator[None]:
        try:
            yield
        except (HTTPError, OSError, ValueError) as error:
            raise unreachable.of(self.access, self._proxy(), error, request.where) from error

    def _pool(self, credential: Credential) -> PoolManager:
        """The connections with the certificate of a credential."""
        with self._lock:
            pool = self._pools.get(credential.certificate)
            if pool is None:
                for old in self._pools.values():
                    old.clear()
                pool = self._new_pool(credential)
                self._pools = {credential.certificate: pool}
            return pool

    def _new_pool(self, credential: Credential) -> PoolManager:
        proxy = self._proxy()
        is_tls = self._server.startswith("https:")
        options: dict[str, Any] = {"maxsize": _CONNECTIONS}
        if is_tls:
            options["ssl_context"] = tls.context(self.access, credential.certificate)
        if is_tls and self.access.cluster.server_name:
            options["server_hostname"] = self.access.cluster.server_name
        if not proxy:
            return PoolManager(**options)
        return ProxyManager(
            without_user(proxy),
            proxy_ssl_context=trust.context("", HostSettings()) if proxy.startswith("https:") else None,
            proxy_headers=proxies.login(proxy),
            **options,
        )

    def _proxy(self) -> str:
        """Of the kubeconfig, else of the environment; empty for a direct connection.

        Raises:
            ClusterError: if the environment's value is not one.
        """
        if self.access.cluster.proxy:
            return self.access.cluster.proxy
        try:
            return proxies.proxy_for(self._server)
        except FetchError as error:
            raise ClusterError(error.message, where=self.access.where, fix=error.fix) from error


def _close(response: BaseHTTPResponse) -> None:
    response.close()


def _headers(response: BaseHTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.itermerged()}


def _is_passing(outcome: Answer | BrokenError, request: Request) -> bool:
    """Whether another attempt may and should be made: at a server that is busy, starts or elects its leader, at a gateway
    without one, and after a connection that broke off.
    """
    if not request.waits:
        return False
    if isinstance(outcome, BrokenError):
        return outcome.may_go_away and (request.repeats or not outcome.is_sent)
    has_wait = outcome.status == HTTPStatus.INTERNAL_SERVER_ERROR and bool(outcome.header("Retry-After"))
    return outcome.status in _BUSY or (request.repeats and (has_wait or outcome.status in _UNSURE))


def _wait(outcome: Answer | BrokenError) -> float:
    """The seconds that the server asks for."""
    return seconds_to_wait(outcome.header("Retry-After")) if isinstance(outcome, Answer) else 0.0


def _settled(outcome: Answer | BrokenError) -> Answer:
    """The answer.

    Raises:
        ClusterError: why there is none.
    """
    if isinstance(outcome, BrokenError):
        raise outcome.error from outcome.__cause__
    return outcome
