"""Templates that see the API versions of a render request, and none besides.

Helm's library and its program put the API versions of their own Kubernetes client before those that they are given (Helm,
``Capabilities.APIVersions``, ``DefaultVersionSet``), and have no option to leave them out: a chart that asks whether
Kubernetes 1.33 serves ``resource.k8s.io/v1`` gets the answer of 1.34. So each expression ``….Capabilities.APIVersions`` in
a template becomes the end of that list. A template that reaches the list in another way sees all of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from cluster_forge.foundation import chart_archives
from cluster_forge.foundation.chart_archives import ChartArchive

_NAME = b".APIVersions"
_ACTION = re.compile(r"\{\{.*?\}\}", re.S)
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|`[^`]*`|/\*.*?\*/|[()]|[$.\w]*\.Capabilities\.APIVersions\b', re.S)
"""Texts and comments, in which nothing is an expression; parentheses; the expression."""


def restricted(chart: ChartArchive, served: int) -> ChartArchive:
    """The chart whose templates see the last ``served`` API versions only.

    Raises:
        ArchiveError: see `chart_archives.rewritten`.
    """

    def rewrite(name: str, read: Callable[[], bytes]) -> bytes | None:
        return _template(read(), served) if "/templates/" in name else None

    return chart_archives.rewritten(chart, rewrite)


def _template(content: bytes, served: int) -> bytes | None:
    """The template with what it asks restricted; None if it asks for nothing."""
    if _NAME not in content:
        return None
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
