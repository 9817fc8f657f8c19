"""A chart whose templates see another time: Helm's engine has no option for it, and two renders in one second are equal.

``now`` in an action is replaced by a fixed time (Sprig, "Date Functions": ``toDate``). Random functions (``randAlphaNum``,
``genCA``, ``uuidv4``, ``htpasswd``) draw something else in each render anyway: the engine's source is the machine's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from cluster_forge.foundation import chart_archives
from cluster_forge.ports.rendering import RenderRequest

_TIME: Final = '(toDate "2006-01-02T15:04:05Z07:00" "2001-02-03T04:05:06Z")'
_ACTION: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_TOKEN: Final = re.compile(r'"(?:\\.|[^"\\])*"|`[^`]*`|(?<![\w.$])now(?!\w)')
_TEMPLATES: Final = (".yaml", ".yml", ".tpl", ".txt", ".json")


def seen_by(request: RenderRequest) -> RenderRequest:
    """The request with the other time in templates, also those in values.

    Raises:
        ArchiveError: if the chart cannot be read.
    """
    chart = chart_archives.rewritten(chart_archives.opened(request.chart), _rewritten)
    return replace(request, chart=chart.packed(), values=_in_values(request.values), draw=request.draw + 1)


def _rewritten(name: str, read: Callable[[], bytes]) -> bytes | None:
    if not name.endswith(_TEMPLATES) or name.endswith(("/Chart.yaml", "/values.yaml")):
        return None
    content = read()
    if b"now" not in content:
        return None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    after = in_text(text)
    return None if after == text else after.encode()


def in_text(text: str) -> str:
    """A template that sees the other time."""
    return _ACTION.sub(lambda action: _TOKEN.sub(_replaced, action[0]), text)


def _replaced(token: re.Match[str]) -> str:
    return _TIME if token[0] == "now" else token[0]


def _in_values(value: Any) -> Any:
    if isinstance(value, str):
        return in_text(value) if "{{" in value else value
    if isinstance(value, Mapping):
        return {key: _in_values(member) for key, member in value.items()}
    return [_in_values(item) for item in value] if isinstance(value, list | tuple) else value
