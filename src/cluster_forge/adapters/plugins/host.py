"""The process of one plug-in: it loads the plug-in, calls it for its parent, and says how it failed.

It imports nothing of this program but what plug-ins may import, too, and what it takes to talk to its parent.
"""

from __future__ import annotations

import faulthandler
import importlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Final

from cluster_forge import plugin_api
from cluster_forge.adapters.plugins import answers
from cluster_forge.adapters.plugins.failures import describe
from cluster_forge.adapters.plugins.frames import Frame, receive, send
from cluster_forge.adapters.processes import child

_METHODS: Final = {"transformers": "transform", "checks": "check", "sources": "get", "deliveries": "deliver"}


def main() -> None:
    """Serve one plug-in until the parent closes the pipe: ``python -c … KIND MODULE:ATTRIBUTE BYTES FOLDER…``.

    The last arguments are the folders with packages that the parent has.
    """
    kind, target, memory, *path = sys.argv[1:]
    sys.path += [folder for folder in path if folder not in sys.path]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its processes itself
    faulthandler.enable()
    requests, results = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # what a plug-in reads must not be a request
    os.dup2(2, 1)  # what it prints must not be an answer
    child.limit_memory(int(memory))
    child.end_with_parent()
    method: Callable[..., Any] | None = None
    while True:
        try:
            request = receive(requests)
        except (EOFError, ValueError):
            break
        try:
            if method is None:
                method = _loaded(kind, target)
                send(results, {"summary": _summary(method)})
                continue
            _answer(kind, method, request, results)
        except BaseException as error:  # noqa: BLE001 - whatever a plug-in raises, SystemExit too, is its failure
            send(results, {"failed": describe(error, target.partition(":")[0])})
    os._exit(0)  # a plug-in may have left threads behind that an orderly exit would wait for


def _loaded(kind: str, target: str) -> Callable[..., Any]:
    """The method of the plug-in that its kind calls."""
    module, _, attribute = target.partition(":")
    value: Any = importlib.import_module(module)
    for name in filter(None, attribute.split(".")):
        value = getattr(value, name)
    plugin = value() if isinstance(value, type) else value
    version = getattr(plugin, "api_version", None)
    if version != plugin_api.API_VERSION:
        reason = "does not say its `api_version`" if version is None else f"was written for API version {version!r}"
        raise answers.NonsenseError(f"{target} {reason}; this program has {plugin_api.API_VERSION}")
    method: Callable[..., Any] | None = getattr(plugin, _METHODS[kind], None)
    if not callable(method):
        raise answers.NonsenseError(f"{target} has no method `{_METHODS[kind]}`")
    return method


def _summary(method: Callable[..., Any]) -> str:
    """The first line of the plug-in's docstring."""
    owner = getattr(method, "__self__", None)
    lines = str(getattr(owner, "__doc__", None) or "").strip().splitlines()
    return lines[0][:200] if lines else ""


def _answer(kind: str, method: Callable[..., Any], request: Frame, results: IO[bytes]) -> None:
    value = request.value
    if kind == "transformers":
        context = _context(value["context"], request)
        send(results, answers.transformed(method(value["objects"], context)))
    elif kind == "checks":
        objects = [plugin_api.StackObject(**one) for one in value["objects"]]
        send(results, answers.checked(method(objects, _context(value["context"], request))))
    elif kind == "sources":
        send(results, {}, [answers.fetched(method(value["address"], value["limit"]), value["limit"])])
    else:
        for one in method(_stack(value)):
            send(results, answers.event(one))
        send(results, {"end": True})


def _context(value: Mapping[str, Any], request: Frame) -> plugin_api.Context:
    files = dict(zip(request.value["files"], request.contents, strict=True))
    return plugin_api.Context(**{**value, "files": files})


def _stack(value: Mapping[str, Any]) -> plugin_api.CastStack:
    components = [plugin_api.CastComponent(**component) for component in value["components"]]
    return plugin_api.CastStack(**{**value, "folder": Path(value["folder"]), "components": components})
