"""The fingerprint of everything that a smelted stack depends on: it shows whether `working/` is current."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

import orjson

from cluster_forge.foundation import build, json_codec
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.error_groups import gathered
from cluster_forge.foundation.names import ComponentName
from cluster_forge.ports.plugins import PluginKind
from cluster_forge.stack.component import Component
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import Stack
from cluster_forge.stack.plugin_uses import PluginUse
from cluster_forge.stages.build.rendering.component_sources import ComponentSources, has_sources, is_url, sourced_folder
from cluster_forge.stages.toolbox import Toolbox

_CHECKS: Final = "input/checks"
"""The folder of the workspace's own checks."""


def own_files(stack: Stack, toolbox: Toolbox) -> dict[str, str]:
    """The digests of the files and folders in ``input/`` that components name and that no stage writes, by path.

    Taken before the files are read: a later change gives another digest, and the next run notices it.
    """
    written = {component.upstream.folder for component in stack.components if component.upstream}
    paths = _in_input(_entries(stack) - written) | _of_objects(stack) | _of_plugins(stack) | {_CHECKS}
    return _digests(paths, toolbox)


def fingerprint(
    stack: Stack,
    sources: Mapping[ComponentName, ComponentSources],
    lock: Lock,
    toolbox: Toolbox,
    known: Mapping[str, str] | None = None,
) -> Digest:
    """Over the stack, the digests of its sources, the files in ``input/`` that it uses, the renderer and this build.

    ``known`` are digests that were taken before (`own_files`). The places in the description (``where`` and the like) do not
    count, nor how hosts are reached.
    """
    known = known or {}
    sourced = {sourced_folder(component) for component in stack.components if has_sources(component)}
    named = _in_input(sourced | _entries(stack)) | _of_objects(stack) | _of_plugins(stack) | {_CHECKS}
    paths = named - known.keys()
    components = tuple(map(_without_places, stack.components))
    engine_where = "is written" if stack.gitops.engine_where else ""
    gitops = replace(stack.gitops, engine_where=engine_where, default_where="")
    whole = replace(
        stack,
        components=components,
        gitops=gitops,
        registries=(),
        transformers=_uses(stack.transformers),
        checks=_uses(stack.checks),
        changes=stack.changes.without_places,
    )
    parts = {
        "stack": orjson.loads(json_codec.dump(whole)),
        "sources": {str(name): list(map(str, locked.digests)) for name, locked in sources.items() if locked.digests},
        "engine": toolbox.renderer.version,
        "kustomize": toolbox.kustomize.version if any(one.kustomize for one in stack.components) else "",
        "plugins": _identities(stack, toolbox),
        "rendered": {str(name): str(locked.rendered) for name, locked in lock.components.items() if name in sources},
        "files": {**_digests(paths, toolbox), **known},
    }
    return build.key("inputs", orjson.dumps(parts, option=orjson.OPT_SORT_KEYS))


def _without_places(component: Component) -> Component:
    objects = tuple(replace(described, where="") for described in component.objects_of_files)
    return replace(
        component,
        where="",
        null_places=(),
        object_places=(),
        objects_of_files=objects,
        transformers=_uses(component.transformers),
        changes=component.changes.without_places,
    )


def _uses(uses: tuple[PluginUse, ...]) -> tuple[PluginUse, ...]:
    return tuple(replace(use, where="") for use in uses)


def _identities(stack: Stack, toolbox: Toolbox) -> list[str]:
    """The plug-ins that the stack uses, each with its version and the digest of its files.

    Raises:
        PluginError, ExceptionGroup: for each that is not installed.
    """
    transforming = ((PluginKind.TRANSFORMER, use) for use in stack.transforming if not use.is_function)
    checking = ((PluginKind.CHECK, use) for use in stack.checks)
    calls = (partial(toolbox.plugins.identity, kind, use) for kind, use in (*transforming, *checking))
    return sorted(set(gathered(calls)))


def _entries(stack: Stack) -> set[str]:
    """The files and folders in ``input/`` that components name."""
    return {entry.strip("/") for component in stack.components for entry in component.manifests if not is_url(entry)}


def _in_input(entries: set[str]) -> set[str]:
    return {f"input/{entry}" for entry in entries}


def _of_objects(stack: Stack) -> set[str]:
    """The files that are the content of ConfigMaps and Secrets, by their paths in the workspace."""
    return {
        path
        for component in stack.components
        for described in component.objects_of_files
        for path in described.files.values()
    }


def _of_plugins(stack: Stack) -> set[str]:
    """The files that plug-ins get, and functions, by their paths in the workspace."""
    return {path for use in (*stack.transforming, *stack.checks) for path in (*use.files, *filter(None, [use.program]))}


def _digests(named: set[str], toolbox: Toolbox) -> dict[str, str]:
    paths = sorted(named)
    trees = toolbox.digests.of(paths)
    others = [path for path in paths if path not in trees]
    contents = zip(others, toolbox.workers.map(toolbox.files.read, others), strict=True)
    digests = {path: tree.digest for path, tree in trees.items()}
    digests |= {path: Digest.of(content or b"") for path, content in contents}
    return {path: str(digest) for path, digest in digests.items()}
