"""Why there is no answer of an API server."""

from __future__ import annotations

import ssl
from typing import Final

from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    SSLError,
)
from urllib3.exceptions import TimeoutError as LateError

from cluster_forge.adapters.http import failures
from cluster_forge.adapters.http.retrying import TemporaryError
from cluster_forge.adapters.kubernetes import tls
from cluster_forge.adapters.kubernetes.access import Access
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import ClusterError

_UNSENT: Final = (NewConnectionError, NameResolutionError, ConnectTimeoutError, ProxyError, SSLError)
_FIX: Final = "check that the cluster is running, and `server` in the kubeconfig"


class BrokenError(Exception):
    """An exchange without an answer. ``may_go_away``: another attempt may succeed; ``is_sent``: it may have been executed."""

    def __init__(self, error: ClusterError, *, may_go_away: bool, is_sent: bool = False) -> None:
        super().__init__(error.message)
        self.error = error
        self.may_go_away = may_go_away
        self.is_sent = is_sent


def of(access: Access, proxy: str, error: Exception, where: str) -> BrokenError:
    """The failure that an exception of the HTTP library means; ``where`` is what was asked about."""
    server = access.cluster.server
    cause = _tls_error(error)
    if cause is not None and not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return BrokenError(tls.failure(access, proxy, cause), may_go_away=False)
    known = failures.of_connection(server, error)
    message, fix = known.message, _FIX
    if isinstance(error, ProxyError):
        shown = without_credentials(proxy)
        message = f"{server}: the proxy {shown} does not let it through ({_reason(error)})"
        place = "`proxy-url` in the kubeconfig" if access.cluster.proxy else "HTTPS_PROXY and NO_PROXY"
        fix = f"check {place}"
    elif isinstance(error, TimeoutError | LateError) and not isinstance(error, NewConnectionError):
        message = f"{server} does not answer in time"
    is_sent = not isinstance(error, _UNSENT)
    explained = ClusterError(message, where=f"{where}, {access.where}" if where and is_sent else access.where, fix=fix)
    return BrokenError(explained, may_go_away=isinstance(known, TemporaryError), is_sent=is_sent)


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    """The error of OpenSSL below an exception of the HTTP library."""
    while error is not None and not isinstance(error, ssl.SSLError):
        inner = getattr(error, "original_error", None)
        error = inner if isinstance(inner, BaseException) else (error.__cause__ or error.__context__)
    return error


def _reason(error: ProxyError) -> str:
    inner = error.original_error
    text = getattr(inner, "strerror", None) or str(inner)
    return text.rpartition(": ")[2][:100]
