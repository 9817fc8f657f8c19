"""`ports.Plugins` and `ports.Deliveries`: installed plug-ins, each in a process of its own."""

from __future__ import annotations

import contextlib
import os
import site
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

from cluster_forge import plugin_api
from cluster_forge.adapters.plugins import discovery
from cluster_forge.adapters.plugins.discovery import FoundPlugin
from cluster_forge.adapters.plugins.frames import Frame
from cluster_forge.adapters.plugins.process import EndedError, Limits, PluginProcess, empty_folder
from cluster_forge.adapters.plugins.reading import event_of, failure, findings_of, transformed_of
from cluster_forge.adapters.plugins.refusals import failed, missing, stopped, unusable
from cluster_forge.foundation.errors import PluginError
from cluster_forge.ports.plugins import (
    CheckedObject,
    DeliveredStack,
    DeliveryEvent,
    InstalledPlugin,
    PluginContext,
    PluginFinding,
    PluginKind,
    Transformed,
    TransformTask,
)
from cluster_forge.stack.plugin_uses import PluginUse

_START: Final = "from cluster_forge.adapters.plugins.host import main; main()"
_MIB: Final = 1 << 20
_TO_LOAD: Final = 30
"""Seconds in which a plug-in must be loaded."""
_KEPT: Final = ("PATH", "PYTHONPATH", "SYSTEMROOT", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
"""What a plug-in that computes gets of the environment: what Python needs, and nothing that differs between two runs."""
_FIXED: Final = {"PYTHONUTF8": "1", "PYTHONHASHSEED": "0", "LANG": "C.UTF-8", "TZ": "UTC"}


@dataclass(frozen=True)
class InstalledPlugins:
    """The plug-ins of the packages in ``path``: as a rule those beside this program (`discovery.search_path`)."""

    limits: Limits = field(default_factory=Limits)
    path: Sequence[str] = field(default_factory=discovery.search_path)

    def installed(self) -> Sequence[InstalledPlugin]:
        return [self._loaded(plugin) for kind in PluginKind for plugin in self._found[kind]]

    def identity(self, kind: PluginKind, use: PluginUse) -> str:
        return discovery.identity(self._named(kind, use), self.path)

    def transform(
        self, use: PluginUse, files: Mapping[str, bytes], tasks: Sequence[TransformTask]
    ) -> Sequence[Transformed]:
        plugin = self._named(PluginKind.TRANSFORMER, use)
        with self._running(plugin, use.where, _calm()) as running:
            return [
                transformed_of(
                    running.ask(
                        f"component {task.context.component}: ",
                        {**_asked(use, files, task.context), "objects": list(task.objects)},
                        list(files.values()),
                    ),
                    plugin.name,
                )
                for task in tasks
            ]

    def check(
        self, use: PluginUse, files: Mapping[str, bytes], context: PluginContext, objects: Sequence[CheckedObject]
    ) -> Sequence[PluginFinding]:
        plugin = self._named(PluginKind.CHECK, use)
        listed = [{"component": one.component, "wave": one.wave, "body": one.body} for one in objects]
        with self._running(plugin, use.where, _calm()) as running:
            answer = running.ask("", {**_asked(use, files, context), "objects": listed}, list(files.values()))
        return findings_of(answer, plugin.name)

    def fetch(self, address: str, limit: int) -> bytes:
        """What a source plug-in has at an address: the plug-in that its scheme names.

        Raises:
            PluginError: if there is none, or it fails.
            FetchError: if it says that it cannot fetch it.
            FileNotFoundError: if there is nothing at the address.
        """
        plugin = self._named(PluginKind.SOURCE, PluginUse(name=address.partition("://")[0].lower()))
        with self._running(plugin, "", dict(os.environ)) as running:
            frame = running.frame("", {"address": address, "limit": limit})
        if len(frame.contents) != 1:
            raise failed(plugin, "", f"{address}: it gave no content")
        return frame.contents[0]

    def deliver(self, name: str, stack: DeliveredStack, patience: float) -> Iterator[DeliveryEvent]:
        plugin = self._named(PluginKind.DELIVERY, PluginUse(name=name))
        components = [
            {"name": one.name, "namespace": one.namespace, "wave": one.wave, "objects": list(one.objects)}
            for one in stack.components
        ]
        value = {
            "folder": stack.folder,
            "name": stack.name,
            "environment": stack.environment,
            "settings": dict(stack.settings),
            "components": components,
        }
        patient = replace(self, limits=replace(self.limits, seconds=patience))
        with patient._running(plugin, "", dict(os.environ)) as running:  # noqa: SLF001 - the same class
            answer = running.ask("", value)
            while "end" not in answer:
                yield event_of(answer, plugin)
                answer = running.more()

    @cached_property
    def _found(self) -> Mapping[PluginKind, Sequence[FoundPlugin]]:
        return discovery.find(self.path)

    def _named(self, kind: PluginKind, use: PluginUse) -> FoundPlugin:
        plugin = next((one for one in self._found[kind] if one.name == use.name), None)
        if plugin is None:
            raise missing(kind, use, [one.name for one in self._found[kind]])
        if plugin.problem:
            raise unusable(plugin, use.where, [one.package for one in self._found[kind] if one.name == use.name])
        return plugin

    def _loaded(self, plugin: FoundPlugin) -> InstalledPlugin:
        """The plug-in after it was loaded once, or why it cannot be."""
        shown = InstalledPlugin(kind=plugin.kind, name=plugin.name, package=plugin.package, version=plugin.version)
        if plugin.problem:
            return replace(shown, problem=plugin.problem, fix="uninstall all but one of them")
        try:
            with self._running(plugin, "", _calm()) as running:
                return replace(shown, api_version=plugin_api.API_VERSION, summary=running.summary)
        except PluginError as error:
            place = f"{error.where}: " if error.where else ""
            return replace(shown, problem=place + error.message, fix=error.fix or "")

    @contextlib.contextmanager
    def _running(self, plugin: FoundPlugin, where: str, environment: Mapping[str, str]) -> Iterator[_Running]:
        """The plug-in, loaded."""
        memory = str(self.limits.memory * _MIB)
        command = [sys.executable, "-P", "-c", _START, str(plugin.kind), plugin.target, memory, *self.path]
        with empty_folder() as folder, contextlib.ExitStack() as stack:
            is_calm = plugin.kind in (PluginKind.TRANSFORMER, PluginKind.CHECK)
            process = PluginProcess(command, environment, str(folder) if is_calm else None)
            stack.callback(process.close)
            running = _Running(process, plugin, where, self.limits)
            running.load()
            yield running


@dataclass
class _Running:
    """A plug-in in its process, and what its errors say."""

    process: PluginProcess
    plugin: FoundPlugin
    where: str
    limits: Limits
    summary: str = ""

    def load(self) -> None:
        answer = self._answer("", lambda: self.process.ask(_TO_LOAD, {}), _TO_LOAD)
        self.summary = str(answer.value.get("summary") or "")

    def ask(self, subject: str, value: Any, contents: Sequence[bytes] = ()) -> Mapping[str, Any]:
        """The value of an answer; ``subject`` begins the message of an error."""
        result: Mapping[str, Any] = self.frame(subject, value, contents).value
        return result

    def frame(self, subject: str, value: Any, contents: Sequence[bytes] = ()) -> Frame:
        seconds = self.limits.seconds
        return self._answer(subject, lambda: self.process.ask(seconds, value, contents), seconds)

    def more(self) -> Mapping[str, Any]:
        seconds = self.limits.seconds
        result: Mapping[str, Any] = self._answer("", lambda: self.process.next_answer(seconds), seconds).value
        return result

    def _answer(self, subject: str, receive: Callable[[], Frame], seconds: float) -> Frame:
        try:
            answer = receive()
        except EndedError as error:
            raise stopped(
                self.plugin, self.where, subject, self.process, replace(self.limits, seconds=seconds)
            ) from error
        if not isinstance(answer.value, dict):
            raise failed(self.plugin, self.where, f"{subject}its process gave no answer")
        if "failed" in answer.value:
            raise failure(self.plugin, self.where, subject, answer.value["failed"])
        return answer


def _asked(use: PluginUse, files: Mapping[str, bytes], context: PluginContext) -> dict[str, Any]:
    """The context of a request, and the names of the files that go with it, as they are below ``input/``."""
    return {
        "context": {
            "stack": context.stack,
            "environment": context.environment,
            "kubernetes": context.kubernetes,
            "size": context.size,
            "component": context.component,
            "namespace": context.namespace,
            "settings": use.settings,
        },
        "files": [path.removeprefix("input/") for path in files],
    }


def _calm() -> dict[str, str]:
    """An environment in which the same call gives the same result: nothing of the user's but where packages are."""
    kept = {key: value for key, value in os.environ.items() if key in _KEPT}
    base = site.getuserbase() if site.ENABLE_USER_SITE else ""
    return {**kept, **_FIXED, **({"PYTHONUSERBASE": base} if base else {})}
