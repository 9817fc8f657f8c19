"""Which failures are temporary, and what their messages say."""

from __future__ import annotations

import socket

import pytest
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NameResolutionError, ProxyError

from cluster_forge.adapters.http import failures
from cluster_forge.adapters.http.retrying import TemporaryError

URL = "https://charts.test/index.yaml"


@pytest.mark.parametrize(
    ("code", "is_temporary", "message"),
    [
        (socket.EAI_AGAIN, True, "the name charts.test cannot be resolved now"),
        (socket.EAI_NONAME, False, "unknown host charts.test"),
    ],
)
def test_a_resolver_that_is_down_is_asked_again(code: int, message: str, *, is_temporary: bool) -> None:
    cause = socket.gaierror(code, "what the system says")
    error = NameResolutionError("charts.test", HTTPConnection("charts.test"), cause)
    error.__cause__ = cause
    failure = failures.of_connection(URL, error)
    assert failure.message == f"{URL}: {message}"
    assert isinstance(failure, TemporaryError) is is_temporary


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503, 522, 400, 401, 403, 404, 407, 501, 505, 511])
def test_statuses_that_go_away(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    is_temporary = status in (408, 425, 429, 500, 503, 522)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert isinstance(failures.of_status(URL, status), TemporaryError) is is_temporary
    tunnel = ProxyError("no tunnel", OSError(f"Tunnel connection failed: {status} Something"))
    assert isinstance(failures.of_connection(URL, tunnel), TemporaryError) is is_temporary


@pytest.mark.parametrize(
    ("seconds", "text"), [(40, "in 40 s"), (600, " UTC"), (9e4, " UTC"), (1e15, "never"), (float("inf"), "never")]
)
def test_the_end_of_a_rate_limit_is_named(seconds: float, text: str) -> None:
    assert failures.of_status(URL, 429, seconds).message.endswith(text)


def test_credentials_are_named_where_they_are_refused() -> None:
    message = failures.of_status(URL, 403, credential="robot (from ~/.netrc)").message
    assert message == f"{URL} answered 403 Forbidden to robot (from ~/.netrc)"
