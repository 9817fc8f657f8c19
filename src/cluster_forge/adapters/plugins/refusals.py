"""The errors of plug-ins: each names the plug-in, its package, the place and what to do."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from typing import Final

from cluster_forge.adapters.plugins.discovery import FoundPlugin
from cluster_forge.adapters.plugins.process import Limits, PluginProcess
from cluster_forge.foundation import out_of_memory
from cluster_forge.foundation.errors import PluginError
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.ports.plugins import PluginKind
from cluster_forge.stack.plugin_uses import PluginUse

_SHOWN: Final = 400
"""Characters of what a process printed in a message: the last ones."""


def missing(kind: PluginKind, use: PluginUse, names: Sequence[str]) -> PluginError:
    """No plug-in of a name is installed."""
    installed = f"installed are {', '.join(sorted(set(names)))}" if names else f"no {kind.noun} plug-in is installed"
    return PluginError(
        f"there is no {kind.noun} plug-in {use.name!r} ({installed}){did_you_mean(use.name, names)}",
        where=use.where or None,
        fix="correct the name, or install the package that brings it beside cluster-forge (in the same environment)",
    )


def unusable(plugin: FoundPlugin, where: str, packages: Sequence[str]) -> PluginError:
    """A plug-in whose entry point is wrong, or whose name several packages have."""
    return PluginError(
        f"{_named(plugin)}: {plugin.problem} ({', '.join(packages)})",
        where=where or None,
        fix="uninstall all but one of them",
    )


def failed(plugin: FoundPlugin, where: str, reason: str, fix: str = "") -> PluginError:
    """It did what a plug-in must not do."""
    return PluginError(
        f"{_named(plugin)}: {reason}", where=where or None, fix=fix or f"report this to the authors of {plugin.package}"
    )


def stopped(plugin: FoundPlugin, where: str, subject: str, process: PluginProcess, limits: Limits) -> PluginError:
    """Its process ended without an answer, or was stopped."""
    code = process.exit_code()
    printed = process.printed()
    if process.is_late:
        reason = f"took longer than {limits.seconds:g} s and was stopped"
        option = "--render-seconds" if plugin.kind in (PluginKind.TRANSFORMER, PluginKind.CHECK) else "--timeout"
        return failed(plugin, where, subject + reason, f"look for a loop in it, or allow more time: {option}")
    if out_of_memory.is_reported(printed):
        reason = f"needed more than {limits.memory} MiB of memory and was stopped"
        return failed(plugin, where, subject + reason, "allow more memory: --render-memory")
    if code is None:
        how = "sent something else than an answer"
    else:
        how = f"was ended by {_signal(-code)}" if code < 0 else f"ended its process with exit code {code}"
    return failed(plugin, where, f"{subject}{how}{_quoted(printed)}")


def said(printed: str) -> str:
    """The end of what a process printed, in one line."""
    return " ".join(printed.split())[-_SHOWN:]


def _quoted(printed: str) -> str:
    shown = said(printed)
    return f"; it printed: {shown}" if shown else ""


def _named(plugin: FoundPlugin) -> str:
    return f"{plugin.kind.noun} plug-in {plugin.name} ({plugin.package} {plugin.version})"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
