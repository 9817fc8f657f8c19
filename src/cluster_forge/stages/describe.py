"""The description read: into the stack, if nothing is wrong with it."""

from __future__ import annotations

from cluster_forge.catalog.completion import StackCatalog
from cluster_forge.catalog.library import packaged
from cluster_forge.foundation.errors import raise_all
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.stack.files import ListFiles, Read
from cluster_forge.stack.model import Stack
from cluster_forge.stack.parse import Loaded, load
from cluster_forge.stack.selection import Selection
from cluster_forge.stages import check


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
    raise_all(check.faults(found))
    return found


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
    return (*noticed, *check.notices(found))
