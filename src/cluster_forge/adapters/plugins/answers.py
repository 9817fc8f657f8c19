"""What a plug-in gives, as values that a frame takes; everything else is its failure. In the plug-in's process."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from cluster_forge import plugin_api
from cluster_forge.adapters.plugins.json_values import NotJsonError, plain

_CODE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class NonsenseError(Exception):
    """What a plug-in gave instead of what its kind gives."""


def transformed(given: Any) -> dict[str, Any]:
    """The objects and the findings of a transformer."""
    objects: list[Any] = []
    findings: list[dict[str, Any]] = []
    for one in _iterated(given, "transform"):
        if isinstance(one, plugin_api.Finding):
            findings.append(_finding(one))
        else:
            objects.append(_object(one, f"object {len(objects) + 1} that `transform` gave"))
    return {"objects": objects, "findings": findings}


def checked(given: Any) -> dict[str, Any]:
    """The findings of a check."""
    return {"findings": [_finding(one) for one in _iterated(given, "check")]}


def fetched(given: Any, limit: int) -> bytes:
    """The content of a source."""
    if not isinstance(given, bytes | bytearray | memoryview):
        raise NonsenseError(f"`get` gave {_type(given)}, not bytes")
    if len(given) > limit:
        raise NonsenseError(f"`get` gave {len(given):,} bytes; the limit is {limit:,}")
    return bytes(given)


def event(given: Any) -> dict[str, Any]:
    """An event of a delivery."""
    if not isinstance(given, plugin_api.Event):
        raise NonsenseError(f"`deliver` gave {_type(given)}, not an Event")
    try:
        state = plugin_api.State(given.state)
    except ValueError as error:
        raise NonsenseError(
            f"the state of an Event is {given.state!r}: one of {', '.join(plugin_api.State)}"
        ) from error
    return {"component": _string(given.component), "state": state.value, "message": _string(given.message)}


def _iterated(given: Any, method: str) -> Iterable[Any]:
    if given is None or isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise NonsenseError(f"`{method}` gave {_type(given)}, not a list or an iterator")
    return given


def _object(given: Any, what: str) -> Any:
    if not isinstance(given, Mapping):
        raise NonsenseError(f"{what} is {_type(given)}, not a mapping")
    try:
        return plain(given)
    except NotJsonError as error:
        raise NonsenseError(f"{what} is not JSON: {error}") from error


def _finding(given: Any) -> dict[str, Any]:
    if not isinstance(given, plugin_api.Finding):
        raise NonsenseError(f"it gave {_type(given)}, not a Finding")
    if not _CODE.fullmatch(str(given.code)):
        raise NonsenseError(f"the code of a Finding is {given.code!r}: lower-case letters, digits and hyphens")
    try:
        severity = plugin_api.Severity(given.severity)
    except ValueError as error:
        choices = ", ".join(plugin_api.Severity)
        raise NonsenseError(f"the severity of a Finding is {given.severity!r}: one of {choices}") from error
    return {
        "code": str(given.code),
        "severity": severity.value,
        "message": _string(given.message),
        "fix": _string(given.fix),
        "object": identity(given.object),
    }


def identity(given: Any) -> dict[str, str] | None:
    """What names an object."""
    if not isinstance(given, Mapping):
        return None
    metadata = given.get("metadata")
    named = metadata if isinstance(metadata, Mapping) else {}
    return {
        "apiVersion": _string(given.get("apiVersion")),
        "kind": _string(given.get("kind")),
        "namespace": _string(named.get("namespace")),
        "name": _string(named.get("name")),
    }


def _string(given: Any) -> str:
    return str(given or "").encode(errors="replace").decode()


def _type(given: Any) -> str:
    return "nothing" if given is None else f"a value of the type {type(given).__name__}"
