"""From texts to objects: what templates gave, what was fetched, and what lies in ``input/``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from cluster_forge.foundation.errors import ForgeError, ManifestError, leaves, raise_all
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import emit, normalize, split
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.ports import Rendered, StackFiles, YamlReader
from cluster_forge.stack.model import Component
from cluster_forge.stages.means import Tools, has_sources, is_url, sourced_folder

_YAML = (".yaml", ".yml", ".json")

Texts = Iterable[tuple[split.Document, str]]
"""Documents, each with the file, template or URL that it stands in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The objects of one entry of a component: its chart, or one URL, file or folder of ``manifests``."""

    origin: str
    manifests: tuple[Manifest, ...]


def read(texts: Texts, component: ComponentName, reader: YamlReader) -> tuple[Manifest, ...]:
    """The objects in documents, each with the place that it came from and its own document, written anew.

    Raises:
        ManifestError, ExceptionGroup: one for each document that is not YAML or not a Kubernetes object.
    """
    found: list[Manifest] = []
    errors: list[ForgeError] = []
    for document, origin in texts:
        where = f"{origin}:{document.line}"
        try:
            value = reader.read(document.text)
            objects = normalize.objects(value, Provenance(component=component, origin=where))
            found += [replace(manifest, text=emit.text(manifest)) for manifest in objects]
        except ManifestError as error:
            place = f"component {component}: "
            message = error.message if error.message.startswith(place) else place + error.message
            errors.append(ManifestError(message, where=error.where or where, fix=error.fix))
        except RecursionError:
            message = f"component {component}: nested deeper than anybody reads"
            errors.append(ManifestError(message, where=where, fix="leave the document out"))
    raise_all(errors)
    return tuple(found)


def rendered(output: Rendered) -> Texts:
    """The documents of a rendered chart: its templates', then those of its ``crds/`` folders."""
    for path, text in output.templates.items():
        for document in split.rendered(text):
            yield document, path
    for path, text in output.crds:
        for document in split.written(text):
            yield document, path


def written(content: bytes, origin: str) -> Texts:
    """The documents of a file that somebody wrote.

    Raises:
        ManifestError: if it is not UTF-8.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise ManifestError(f"not UTF-8 text: {error}", where=origin, fix="save the file as UTF-8") from error
    for document in split.written(text):
        yield document, origin


def own(component: Component, tools: Tools) -> tuple[Group, ...]:
    """The objects in the component's own files and folders, one group for each entry.

    Raises:
        ManifestError, ExceptionGroup: for a file that is not there or not readable as objects, all of them.
    """
    groups, errors = [], []
    for entry in component.manifests:
        if not is_url(entry):
            texts = _in_input(f"input/{entry.strip('/')}", component, tools.files)
            try:
                groups.append(Group(origin=entry, manifests=read(texts, component.name, tools.reader)))
            except (ForgeError, ExceptionGroup) as error:
                errors += [each for each in leaves(error) if isinstance(each, ForgeError)]
    raise_all(errors)
    return tuple(groups)


def _in_input(path: str, component: Component, files: StackFiles) -> Iterator[tuple[split.Document, str]]:
    tree = files.read_tree(path)
    if tree is None:
        content = files.read(path)
        if content is None:
            raise ManifestError(f"component {component.name}: there is no {path}", where=component.where)
        tree, path = FileTree({path.rpartition("/")[2]: content}), path.rpartition("/")[0]
    mined = f"input/{sourced_folder(component)}/"
    passes_over = has_sources(component) and not f"{path}/".startswith(mined)
    for name, content in tree.files.items():
        file = f"{path}/{name}"
        if name.endswith(_YAML) and not (passes_over and file.startswith(mined)):
            yield from written(content, file)
