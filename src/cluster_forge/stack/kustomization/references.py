"""What a kustomization refers to: resources, components, patches, the content of generated objects, plug-ins.

Keys and their meaning: kustomize, ``api/types/kustomization.go`` and ``api/internal/target/kusttarget.go``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cluster_forge.yaml.positioned import Positioned

NAMES: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""The names of a kustomization's file (``konfig.RecognizedKustomizationFileNames``)."""

BUILTIN: Final = "builtin"
"""The ``apiVersion`` of the generators and transformers that are part of kustomize."""

_REMOTE: Final = re.compile(r"(?:git::)?(?:[a-z][a-z0-9+.-]*://|gh:|github\.com[:/]|[a-z][a-z0-9.-]*@[^/]*[:/])", re.I)
"""What kustomize fetches (``git.NewRepoSpecFromURL``, ``loader.IsRemoteFile``); all of it, and perhaps more."""

_KEYS: Final = {
    key.casefold(): key
    for key in (
        *("resources", "bases", "components", "crds", "configurations", "generators", "transformers", "validators"),
        *("patches", "patchesStrategicMerge", "patchesJson6902", "replacements", "openapi", "configMapGenerator"),
        *("secretGenerator", "helmCharts", "helmChartInflationGenerator", "helmGlobals"),
        *("path", "paths", "files", "envs", "env"),
    )
}
"""The keys that lead to other files, or to a chart, in a kustomization and in what configures a plug-in."""


class Role(StrEnum):
    """What is at a path."""

    FILE = "file"
    RESOURCE = "resource"
    """A file of objects, or the folder of another kustomization."""
    FOLDER = "folder"
    """The folder of another kustomization."""
    PLUGIN = "plug-in"
    """As a resource, but the objects configure generators, transformers and validators."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A path, relative to the kustomization's folder, and the ``file:line`` where it is written."""

    role: Role
    path: str
    where: str


def is_remote(path: str) -> bool:
    """Whether kustomize would fetch what is there."""
    return bool(_REMOTE.match(path))


def misspelled(document: Positioned) -> Iterator[tuple[str, str, str]]:
    """Keys that kustomize takes for another one, with that one and their ``file:line``.

    Go's ``encoding/json`` compares keys without their case, also in Unicode (``reſources``): what they name would be read.
    """
    for path, where in document.origins():
        keys = [step for step in path if isinstance(step, str)]
        meant = [_KEYS.get(key.casefold()) for key in keys]
        if path[-1:] == tuple(keys[-1:]) and all(meant) and keys[-1] != meant[-1]:
            yield keys[-1], str(meant[-1]), where


def of_kustomization(document: Positioned) -> Iterator[Reference]:
    """Everything that a kustomization refers to, without the plug-ins that are written in it (`inline_plugins`)."""
    for key in ("resources", "bases"):
        yield from _listed(document, key, Role.RESOURCE)
    yield from _listed(document, "components", Role.FOLDER)
    for key in ("crds", "configurations"):
        yield from _listed(document, key, Role.FILE)
    for key in ("patches", "patchesStrategicMerge"):  # of texts, `patches` has the older meaning
        yield from _unless_inline(document, key, Role.FILE)
    for key in ("generators", "transformers", "validators"):
        yield from _unless_inline(document, key, Role.PLUGIN)
    for key in ("patches", "patchesJson6902", "replacements"):
        yield from _paths(document.get(key))
    openapi = document.get("openapi")
    yield from _single(openapi, "path") if openapi else ()
    for key in ("configMapGenerator", "secretGenerator"):
        generated = document.get(key)
        for entry in generated.items if generated else ():
            yield from _content(entry)


def of_plugin(document: Positioned) -> Iterator[Reference]:
    """Everything that the configuration of a built-in generator or transformer refers to (``api/internal/builtins``)."""
    kind = document.string_of("kind")
    if kind in ("PatchTransformer", "PatchJson6902Transformer"):
        yield from _single(document, "path")
    elif kind == "PatchStrategicMergeTransformer":
        yield from _unless_inline(document, "paths", Role.FILE)
    elif kind == "ReplacementTransformer":
        yield from _paths(document.get("replacements"))
    elif kind in ("ConfigMapGenerator", "SecretGenerator"):
        yield from _content(document)


def inline_plugins(document: Positioned) -> Iterator[Positioned]:
    """The texts among a kustomization's plug-ins that are their configuration, not its path."""
    for key in ("generators", "transformers", "validators"):
        yield from (item for item in document.strings(key) if _is_inline(item))


def _content(entry: Positioned) -> Iterator[Reference]:
    """The files of a generated ConfigMap or Secret; one with a key is written ``KEY=PATH``."""
    for file in entry.strings("files"):
        path = str(file.string)
        yield Reference(role=Role.FILE, path=path.partition("=")[2] or path, where=file.where)
    yield from _listed(entry, "envs", Role.FILE)
    yield from _single(entry, "env")


def _paths(entries: Positioned | None) -> Iterator[Reference]:
    for entry in entries.items if entries else ():
        yield from _single(entry, "path")


def _single(entry: Positioned, key: str) -> Iterator[Reference]:
    member = entry.get(key)
    if member and member.string:
        yield Reference(role=Role.FILE, path=member.string, where=member.where)


def _listed(document: Positioned, key: str, role: Role) -> Iterator[Reference]:
    for item in document.strings(key):
        yield Reference(role=role, path=str(item.string), where=item.where)


def _unless_inline(document: Positioned, key: str, role: Role) -> Iterator[Reference]:
    for item in document.strings(key):
        if not _is_inline(item):
            yield Reference(role=role, path=str(item.string), where=item.where)


def _is_inline(item: Positioned) -> bool:
    """Whether a text is an object, where it may also be the path of one."""
    text = str(item.string).strip()
    return "\n" in text or text.startswith("{")
