"""Reads the description with the packaged catalog, without a cache, and checks it across its files."""

from __future__ import annotations

from cluster_forge.catalog.dependencies import StackCatalog
from cluster_forge.catalog.library import Library, packaged
from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.stack import name_scan
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.input_record import InputSource
from cluster_forge.stack.parse import ParsedDescription, parse_description
from cluster_forge.stack.selection import Selection
from cluster_forge.stages.describe import consistency, source_findings, variable_findings


def read_description(source: InputSource, selection: Selection) -> ParsedDescription:
    """The whole description, with the origin of every value.

    Raises:
        DescriptionError, UnknownNameError, OrderError, ExceptionGroup: all errors in it.
    """
    files = InputFiles(source.read, source.list_files)
    parsed = parse_description(files, selection, StackCatalog(packaged()), consistency.errors)
    raise_all(consistency.emptiness(parsed))
    return parsed


def findings(parsed: ParsedDescription) -> tuple[Finding, ...]:
    """Warnings and notices about the description."""
    noticed = (
        Finding(
            code=notice.code,
            severity=Severity.WARNING if notice.is_warning else Severity.NOTICE,
            component=ComponentName(notice.component) if notice.component else None,
            where=notice.where,
            message=notice.message,
            fix=notice.fix,
        )
        for notice in parsed.notices
    )
    return (
        *noticed,
        *consistency.findings(parsed),
        *source_findings.findings(parsed.stack),
        *variable_findings.findings(parsed),
    )


def read_catalog(source: InputSource, *, may_be_empty: bool = False) -> Library:
    """The packaged catalog, with the catalogs that the description names merged over it.

    Raises:
        DescriptionError, ExceptionGroup: for a catalog that does not exist, unless it ``may_be_empty``.
    """
    files = InputFiles(source.read, source.list_files)
    description, _ = name_scan.merged(files)
    errors: list[ForgeError] = []
    catalog = StackCatalog(packaged()).extended(description.strings("catalogs"), files, errors)
    raise_all(() if may_be_empty else errors)
    return catalog.library
