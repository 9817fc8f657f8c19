"""The values of a component that set an image: the path to write in the description, found in the values of chart and description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks.vulnerabilities.names import parsed
from cluster_forge.foundation import chart_archives
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests import field_path
from cluster_forge.manifests.field_path import Step
from cluster_forge.stack import merge
from cluster_forge.stack.component import Component
from cluster_forge.stages.build.rendering.component_sources import ComponentSources
from cluster_forge.stages.toolbox import Toolbox

_VALUES: Final = "values.yaml"
_MOST: Final = 5 << 20
"""Bytes of a chart's default values that are read."""


ImagePaths = Mapping[tuple[str, str], str]
"""The paths of values by the registry and the repository of the image that they set."""


def path_of(image: str, paths: ImagePaths) -> str:
    """The value that sets an image; empty if none names its repository."""
    reference = parsed(image)
    if reference is None:
        return ""
    return paths.get((reference.registry, reference.repository)) or paths.get(("", reference.repository), "")


def of(component: Component, sources: ComponentSources, toolbox: Toolbox) -> ImagePaths:
    """The paths of the values that name an image, by its registry and repository, and by the repository alone with an empty
    registry: ``values.image.repository``.

    A chart that cannot be read has none: what it renders is known all the same.
    """
    given = component.values or (component.upstream.values if component.upstream else {})
    merged = merge.values(_defaults(sources, toolbox), given)
    paths: dict[tuple[str, str], str] = {}
    for name, steps in _names(merged, ("values",)):
        if reference := parsed(name):
            paths.setdefault((reference.registry, reference.repository), field_path.text(steps))
            paths.setdefault(("", reference.repository), field_path.text(steps))
    return paths


def _names(value: object, steps: tuple[Step, ...]) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """The images that values name, mostly without a tag, which comes from the chart's version: ``repository``, ``image``."""
    if isinstance(value, Mapping):
        registry = value.get("registry")
        for key, member in value.items():
            if isinstance(member, str) and member:
                if key.lower().endswith("repository"):
                    is_joined = isinstance(registry, str) and registry and not member.startswith(f"{registry}/")
                    yield f"{registry}/{member}" if is_joined else member, (*steps, key)
                elif key.lower().endswith("image"):
                    yield member, (*steps, key)
            else:
                yield from _names(member, (*steps, str(key)))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _names(item, (*steps, place))


def _defaults(sources: ComponentSources, toolbox: Toolbox) -> Mapping[str, Any]:
    if sources.chart is None:
        return {}
    try:
        packed = toolbox.store.get(sources.chart.digest)
        files = dict(_value_files(packed)) if packed else {}
        return _read(files, "", toolbox)
    except (ForgeError, UnicodeDecodeError):
        return {}


def _value_files(packed: bytes) -> Iterator[tuple[str, bytes]]:
    """The values files of a chart and of its unpacked subcharts, by their paths in it."""
    archive = chart_archives.opened(packed)
    for name, member in archive.files():
        path = name.partition("/")[2]
        is_values = path == _VALUES or (path.startswith("charts/") and path.endswith(f"/{_VALUES}"))
        if is_values and member.size <= _MOST:
            yield path, archive.read(member)


def _read(files: Mapping[str, bytes], folder: str, toolbox: Toolbox) -> dict[str, Any]:
    """The values of the chart in a folder; those of its subcharts are below their names."""
    start = f"{folder}charts/"
    names = sorted({path.removeprefix(start).partition("/")[0] for path in files if path.startswith(start)})
    below = {name: _read(files, f"{start}{name}/", toolbox) for name in names}
    own = toolbox.reader.read(files.get(f"{folder}{_VALUES}", b"").decode())
    return merge.values(below, mapping(own))
