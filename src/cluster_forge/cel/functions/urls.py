"""Addresses of the web (Kubernetes, ``library.URLs``), read as Go's ``url.ParseRequestURI`` does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final
from urllib.parse import parse_qsl, quote, unquote

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.errors import EvaluationError
from cluster_forge.cel.functions.overloads import Overload, Table

_SCHEME: Final = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):(.*)", re.DOTALL)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9a-fA-F]{2})")
_AUTHORITY: Final = re.compile(
    r"(?:[^@\s<>\"\\^`{|}]*@)?(\[[0-9A-Fa-f:.]+(?:%25[^\]]*)?\]|[^\s:@<>\"\\^`{|}/\[\]%]*)(?::(\d*))?"
)
_SAFE: Final = "/!$&'()*+,;=:@-._~%"


@dataclass(frozen=True, slots=True)
class URL:
    """``host`` is without, ``port`` without the colon; ``path`` is escaped."""

    TYPE_NAME: ClassVar[str] = "kubernetes.URL"
    scheme: str
    host: str
    port: str
    path: str
    query: str

    @property
    def authority(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host


def parsed(budget: Budget, text: str) -> URL:
    """An absolute address, or an absolute path.

    Raises:
        EvaluationError: if the text is neither.
    """
    budget.traverse(len(text))
    match = _SCHEME.fullmatch(text)
    scheme, rest = match.groups() if match else ("", text)
    if not rest or _CONTROL.search(text) or (not scheme and not rest.startswith("/")):
        raise EvaluationError(f"{text[:200]!r} is not a URL")
    rest, _, query = rest.partition("?")
    host = port = ""
    if scheme and rest.startswith("//") and not rest.startswith("///"):
        authority, slash, path = rest[2:].partition("/")
        host_and_port = _AUTHORITY.fullmatch(authority)
        if not host_and_port:
            raise EvaluationError(f"{authority[:200]!r} is not a host")
        host, port, rest = host_and_port[1], host_and_port[2] or "", slash + path
    elif scheme and not rest.startswith("/"):
        rest = ""  # opaque, as in mailto:me
    if _BAD_ESCAPE.search(rest):
        raise EvaluationError(f"{text[:200]!r} has an invalid escape")
    return URL(scheme.lower(), host, port, quote(rest, safe=_SAFE), query)


def _is_url(budget: Budget, text: str) -> bool:
    try:
        parsed(budget, text)
    except EvaluationError:
        return False
    return True


def _query(budget: Budget, url: URL) -> dict[str, list[str]]:
    budget.spend(1 + len(url.query))
    values: dict[str, list[str]] = {}
    for key, value in parse_qsl(url.query, keep_blank_values=True):
        values.setdefault(key, []).append(value)
    return values


GLOBALS: Final[Table] = {"url": [Overload((str,), parsed)], "isURL": [Overload((str,), _is_url)]}
MEMBERS: Final[Table] = {
    "getScheme": [Overload((URL,), lambda _, url: url.scheme)],
    "getHost": [Overload((URL,), lambda _, url: url.authority)],
    "getHostname": [Overload((URL,), lambda _, url: unquote(url.host.strip("[]")))],
    "getPort": [Overload((URL,), lambda _, url: url.port)],
    "getEscapedPath": [Overload((URL,), lambda _, url: url.path)],
    "getQuery": [Overload((URL,), _query)],
}
