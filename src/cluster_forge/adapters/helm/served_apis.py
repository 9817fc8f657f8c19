"""Templates that see the API versions of a render request, and none besides.

Helm's library and its program put the API versions of their own Kubernetes client before those that they are given (Helm,
``Capabilities.APIVersions``, ``DefaultVersionSet``), and have no option to leave them out: a chart that asks whether
Kubernetes 1.33 serves ``resource.k8s.io/v1`` gets the answer of 1.34. So each expression ``….Capabilities.APIVersions`` in
a template becomes the end of that list. A template that reaches the list in another way sees all of it.
"""

from __future__ import annotations

import io
import re
import tarfile
import zlib
from collections.abc import Iterator

from cluster_forge.foundation.gunzip import unpacked

_NAME = b".APIVersions"
_GZIP = b"\x1f\x8b"
_ACTION = re.compile(r"\{\{.*?\}\}", re.S)
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|`[^`]*`|/\*.*?\*/|[()]|[$.\w]*\.Capabilities\.APIVersions\b', re.S)
"""Texts and comments, in which nothing is an expression; parentheses; the expression."""


def restricted(content: bytes, served: int) -> bytes | None:
    """The chart in the tar archive ``content``, packed, whose templates see the last ``served`` API versions only.

    None if no template asks for API versions.
    """
    if _NAME not in content and _GZIP not in content:
        return None
    try:
        members = dict(_changed(content, served))
        return _packed(content, members) if members else None
    except (OSError, EOFError, zlib.error, tarfile.TarError):
        return None  # Helm says what is wrong with it


def _changed(content: bytes, served: int) -> Iterator[tuple[int, bytes]]:
    """The content of each member that changes, by the place of its header."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            is_asked = member.isfile() and ("/templates/" in member.name or "/charts/" in member.name)
            file = archive.extractfile(member) if is_asked else None
            if file is None:
                continue
            before = file.read()
            after: bytes | None = None
            if "/templates/" in member.name:
                after = _template(before, served)
            elif before.startswith(_GZIP):
                after = restricted(unpacked(before), served)
            if after is not None and after != before:
                yield member.offset, after


def _packed(content: bytes, members: dict[int, bytes]) -> bytes:
    buffer = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(content)) as before,
        tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=0) as after,  # it is read at once
    ):
        for member in before:
            file = before.extractfile(member) if member.isfile() else None
            if member.offset in members:
                file = io.BytesIO(members[member.offset])
                member.size = len(members[member.offset])
            after.addfile(member, file)
    return buffer.getvalue()


def _template(content: bytes, served: int) -> bytes:
    if _NAME not in content:
        return content
    text = content.decode(errors="surrogateescape")
    return _ACTION.sub(lambda action: _action(action[0], served), text).encode(errors="surrogateescape")


def _action(text: str, served: int) -> str:
    """An action (``{{ … }}``) with its expressions in parentheses; one may begin with a part in parentheses itself."""
    parts: list[str] = []
    done = 0
    opened: list[int] = []
    closed = (0, 0)
    for token in _TOKEN.finditer(text):
        match token[0]:
            case "(":
                opened.append(token.start())
            case ")":
                closed = (opened.pop() if opened else 0, token.end())
            case expression if expression.endswith(_NAME.decode()):
                start = closed[0] if closed[1] == token.start() else token.start()
                if start < done or ".Values." in expression:
                    continue
                whole = text[start : token.end()]
                parts += [text[done:start], f"(slice {whole} (int (sub (len {whole}) {served})))"]
                done = token.end()
    return "".join((*parts, text[done:]))
