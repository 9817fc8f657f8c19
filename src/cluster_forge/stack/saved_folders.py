"""Where saved hand edits are: the folders of a component in ``input/``."""

from __future__ import annotations


def patches_folder(component: str) -> str:
    """The folder of a component's saved patches, in the workspace."""
    return f"input/{component}/patches"


def objects_folder(component: str) -> str:
    """The folder of objects that were added to a component, in the workspace."""
    return f"input/{component}/objects"
