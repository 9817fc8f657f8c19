"""Answers of plug-ins as the values of `ports.plugins`. What a process sends is data: anything may stand there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster_forge import plugin_api
from cluster_forge.adapters.plugins.discovery import FoundPlugin
from cluster_forge.adapters.plugins.refusals import failed
from cluster_forge.foundation.errors import FetchError, PluginError
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.finding import Severity
from cluster_forge.ports.plugins import DeliveryEvent, PluginFinding, PluginKind, Transformed


def transformed_of(answer: Mapping[str, Any], name: str) -> Transformed:
    return Transformed(objects=sequence(answer.get("objects")), findings=findings_of(answer, name))


def findings_of(answer: Mapping[str, Any], name: str) -> tuple[PluginFinding, ...]:
    """The findings, with the plug-in's name before their codes."""
    return tuple(_finding(mapping(one), name) for one in sequence(answer.get("findings")))


def event_of(answer: Mapping[str, Any], plugin: FoundPlugin) -> DeliveryEvent:
    component, state, message = (str(answer.get(key) or "") for key in ("component", "state", "message"))
    if state not in tuple(plugin_api.State):
        raise failed(plugin, "", "its process sent something else than an event")
    return DeliveryEvent(component=component, state=state, message=message)


def failure(plugin: FoundPlugin, where: str, subject: str, value: Any) -> PluginError | FetchError | FileNotFoundError:
    """The error for what a plug-in raised."""
    failed_so = mapping(value)
    place = str(failed_so.get("where") or "")
    if "problem" in failed_so:
        fix = str(failed_so.get("fix") or "") or f"see the documentation of {plugin.package}"
        error = failed(plugin, place or where, f"{subject}{failed_so['problem']}", fix)
        return FetchError(error.message, fix=fix) if plugin.kind is PluginKind.SOURCE else error
    if "nonsense" in failed_so:
        return failed(plugin, where, f"{subject}{failed_so['nonsense']}")
    kind, message = str(failed_so.get("type") or "error"), " ".join(str(failed_so.get("message") or "").split())
    if kind == "FileNotFoundError" and plugin.kind is PluginKind.SOURCE:
        return FileNotFoundError(message)
    if kind == "SystemExit":
        return failed(plugin, place or where, f"{subject}it called sys.exit({message})")
    if kind == "MemoryError":
        return failed(plugin, place or where, f"{subject}needed more memory than it may", "allow more: --render-memory")
    return failed(plugin, place or where, f"{subject}{kind}: {message}" if message else f"{subject}{kind}")


def _finding(value: Mapping[str, Any], name: str) -> PluginFinding:
    named, severity = value.get("object"), str(value.get("severity"))
    return PluginFinding(
        code=f"{name}/{value.get('code')}",
        severity=Severity(severity) if severity in tuple(Severity) else Severity.ERROR,
        message=str(value.get("message") or ""),
        fix=str(value.get("fix") or ""),
        object={key: str(text) for key, text in named.items()} if isinstance(named, dict) else None,
    )
