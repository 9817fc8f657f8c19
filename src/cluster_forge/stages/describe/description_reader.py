"""The description read: into the stack, if nothing is wrong with it."""

from __future__ import annotations

from cluster_forge.catalog.dependencies import StackCatalog
from cluster_forge.catalog.library import Library, packaged
from cluster_forge.foundation.errors import DescriptionError, ForgeError, raise_all
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.stack.input_files import Files, ListFiles, Read
from cluster_forge.stack.model import Stack
from cluster_forge.stack.parse import DESCRIPTION, Loaded, load
from cluster_forge.stack.selection import Selection
from cluster_forge.stages.describe import consistency
from cluster_forge.yaml import positioned_reader


def stack(read: Read, list_files: ListFiles, selection: Selection) -> tuple[Stack, tuple[Finding, ...]]:
    """The stack that is meant, and what its user should know of how it was read.

    Raises:
        DescriptionError, UnknownNameError, OrderError, ExceptionGroup: everything that is wrong in it.
    """
    found = loaded(read, list_files, selection)
    return found.stack, notices(found)


def loaded(read: Read, list_files: ListFiles, selection: Selection) -> Loaded:
    """The whole description with the origin of every value.

    Raises:
        DescriptionError, UnknownNameError, OrderError, ExceptionGroup: everything that is wrong in it.
    """
    found = load(
        read,
        catalog=StackCatalog(packaged()),
        list_files=list_files,
        environment=selection.environment,
        select_files=selection.select,
        names=selection.names,
        skip=selection.skip,
    )
    raise_all(consistency.faults(found))
    return found


def library(read: Read, list_files: ListFiles, *, may_be_empty: bool = False) -> Library:
    """The catalog with those over it that the description names, as far as that can be read.

    Raises:
        DescriptionError, ExceptionGroup: for a catalog that is not there, unless it ``may_be_empty``.
    """
    content = read(DESCRIPTION)
    try:
        named = positioned_reader.read(content or b"", DESCRIPTION).root.strings("catalogs")
    except (DescriptionError, ExceptionGroup):
        named = ()
    errors: list[ForgeError] = []
    found = StackCatalog(packaged()).extended(named, Files(read, list_files), errors)
    raise_all(() if may_be_empty else errors)
    return found.library


def notices(found: Loaded) -> tuple[Finding, ...]:
    """What the reading of the description noticed."""
    noticed = (
        Finding(
            code=notice.code,
            severity=Severity.WARNING if notice.is_warning else Severity.NOTICE,
            component=ComponentName(notice.component) if notice.component else None,
            where=notice.where,
            message=notice.message,
        )
        for notice in found.notices
    )
    return (*noticed, *consistency.notices(found))
