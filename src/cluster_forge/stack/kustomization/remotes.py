"""What kustomize would fetch for a kustomization, as sources that are fetched and pinned here instead."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qs

from cluster_forge.foundation.git_addresses import GitAddress

_LONGEST: Final = 1_000
_FILE: Final = re.compile(r"https?://[^/?#]+/[^?#]*\.(?:ya?ml|json)(?:\?[^#]*)?", re.I)
_FORCED: Final = re.compile(r"git::", re.I)
_GITHUB: Final = re.compile(r"(?:gh:|(?:https?://)?(?:www\.)?github\.com[:/])", re.I)
_URL: Final = re.compile(r"(https?|ssh)://([^/]+/)", re.I)
_LOCAL: Final = re.compile(r"file://", re.I)
_SCP: Final = re.compile(r"([a-z][\w-]*@[\w.-]+):", re.I)
_SEGMENTS: Final = 2
"""A repository without a mark in its path is ``ORGANIZATION/NAME``, as at GitHub."""


def is_file(text: str) -> bool:
    """Whether a resource is a file of objects on a web server."""
    return bool(_FILE.fullmatch(text))


def address(text: str) -> str | None:
    """The URL of a resource that is a file; of a base in Git, its address here. None if it cannot be fetched.

    The forms of an address in Git: kustomize, ``api/internal/git/repospec.go``.
    """
    if len(text) > _LONGEST:
        return None
    if is_file(text):
        return text
    place, _, query = _FORCED.sub("", text, count=1).partition("?")
    start, rest = _host(place)
    if not start:
        return None
    repository, folder = _divided(rest, is_whole=start == "file://")
    values = parse_qs(query)
    ref = (values.get("ref") or values.get("version") or [""])[0]
    result = f"git+{start}{repository}{'@' if ref else ''}{ref}{'//' if folder else ''}{folder}"
    try:
        GitAddress.parse(result)
    except ValueError:
        return None
    return result


def _host(place: str) -> tuple[str, str]:
    """Scheme and host as Git takes them, and what follows."""
    if match := _GITHUB.match(place):
        return "https://github.com/", place[match.end() :]
    if match := _URL.match(place):
        return f"{match[1].lower()}://{match[2]}", place[match.end() :]
    if match := _LOCAL.match(place):
        return "file://", place[match.end() :]
    if match := _SCP.match(place):
        return f"ssh://{match[1]}/", place[match.end() :]
    return "", place


def _divided(path: str, *, is_whole: bool) -> tuple[str, str]:
    """The repository and the folder in it: divided at ``_git/NAME``, ``//`` or ``.git``, else after two segments."""
    if "_git/" in path:
        before, _, after = path.partition("_git/")
        name, _, folder = after.partition("/")
        return f"{before}_git/{name}", folder.strip("/")
    if "//" in path:
        before, _, folder = path.partition("//")
        return before, folder.strip("/")
    if ".git" in path:
        before, _, folder = path.partition(".git")
        return f"{before}.git", folder.strip("/")
    segments = path.split("/")
    count = len(segments) if is_whole else _SEGMENTS
    return "/".join(segments[:count]) if len(segments) >= count else "", "/".join(segments[count:]).strip("/")
