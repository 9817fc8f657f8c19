"""How a plug-in failed, as a value for its parent: what, and in which line of it. In the plug-in's process."""

from __future__ import annotations

import importlib.util
import os
import traceback
from pathlib import Path
from typing import Any

from cluster_forge import plugin_api
from cluster_forge.adapters.plugins.answers import NonsenseError


def describe(error: BaseException, module: str) -> dict[str, Any]:
    """The failure; ``module`` is the plug-in's."""
    if isinstance(error, plugin_api.ProblemError):
        return {"problem": str(error), "where": str(error.where), "fix": str(error.fix)}
    if isinstance(error, NonsenseError):
        return {"nonsense": str(error)}
    return {"type": type(error).__name__, "message": _message(error), "where": _place(error, module)}


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - also the text of an exception is code of others
        return ""


def _place(error: BaseException, module: str) -> str:
    """``cost_center/plugin.py:12``: the innermost line of the plug-in's own package, relative to where that is installed."""
    root = _root(module)
    if isinstance(error, SyntaxError) and error.filename and _is_below(error.filename, root):
        return f"{os.path.relpath(error.filename, root)}:{error.lineno}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if _is_below(frame.filename, root):
            return f"{os.path.relpath(frame.filename, root)}:{frame.lineno}"
    return ""


def _root(module: str) -> str:
    """The folder that holds the plug-in's top-level package or module."""
    top = module.partition(".")[0]
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return ""
    if spec is None:
        return ""
    origin = spec.origin or next(iter(spec.submodule_search_locations or ()), "")
    folder = Path(origin).parent
    return str(folder.parent if spec.submodule_search_locations is not None and spec.origin else folder)


def _is_below(file: str, root: str) -> bool:
    return bool(root) and file.startswith(root + os.sep)
