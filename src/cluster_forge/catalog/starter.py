"""The starter stack: a small packaged platform, complete without a network."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.stack import description_edits
from cluster_forge.stack import name_scan as stack_names
from cluster_forge.stack.input_record import DESCRIPTION as _IN_WORKSPACE
from cluster_forge.stack.model import GitOpsEngine
from cluster_forge.stack.name_scan import Names

DESCRIPTION: Final = "config.yaml"


def tree(components: Collection[str] | None = None, engine: GitOpsEngine = GitOpsEngine.ARGOCD) -> FileTree:
    """The starter's ``input/`` folder with just these components in the stack; the others stay defined.

    Its ``engine`` runs in the cluster already, as the starter is complete without a network.
    """
    whole = FileTree(dict(_walk(_folder(), "")))
    text = whole[DESCRIPTION].decode()
    if components is not None and tuple(components) != names().resolved.stack:
        text = description_edits.with_components(text, components)
    if engine is not GitOpsEngine.ARGOCD:
        text = description_edits.with_engine(text, engine)
    return FileTree({**whole.files, DESCRIPTION: text.encode()})


def names() -> Names:
    """The components and collections that the starter contains or defines."""
    return stack_names.read({_IN_WORKSPACE: _description()}.get)


def remarks() -> Mapping[str, str]:
    """The comments on the starter's components, by their names."""
    return description_edits.remarks(_description().decode())


def _folder() -> Traversable:
    return files("cluster_forge.catalog") / "data" / "starter" / "input"


def _description() -> bytes:
    return (_folder() / DESCRIPTION).read_bytes()


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        path = f"{prefix}{entry.name}"
        if entry.is_dir():
            yield from _walk(entry, f"{path}/")
        else:
            yield path, entry.read_bytes()
