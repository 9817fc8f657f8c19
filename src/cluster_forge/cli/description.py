"""Loading the description for a verb: the stack, its lock, and what every result of a verb tells about it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cluster_forge.cli.output import changes_text
from cluster_forge.cli.session import finding_json
from cluster_forge.foundation import names
from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.stack.input_record import DESCRIPTION
from cluster_forge.stages.describe.load_description import load_description

if TYPE_CHECKING:
    from cluster_forge.adapters.workspace import WorkspaceFiles
    from cluster_forge.catalog.library import Library
    from cluster_forge.cli.session import Session
    from cluster_forge.composition import Services
    from cluster_forge.foundation.names import ComponentName
    from cluster_forge.manifests.part import Part
    from cluster_forge.stack.model import Stack
    from cluster_forge.stack.parse import ParsedDescription
    from cluster_forge.stack.selection import Selection
    from cluster_forge.stages.build.smelt import SmeltResult
    from cluster_forge.stages.describe.load_description import Description


def describe(services: Services, selection: Selection) -> Description:
    """The description and the lock.

    Raises:
        DescriptionError, UnknownNameError, OrderError, LockError, ExceptionGroup: everything that is wrong in them.
    """
    _see_to_it(services.files)
    return load_description(services.files, selection, services.toolbox.cache)


def catalog_of(session: Session, *, may_be_empty: bool = False) -> Library:
    """The catalog, in a workspace with the user's own over it.

    Raises:
        DescriptionError, ExceptionGroup: for a catalog that is named and not there, unless it ``may_be_empty``.
    """
    from cluster_forge.catalog.library import packaged
    from cluster_forge.stages.describe.read_description import read_catalog

    if not (session.workspace / "input").is_dir():
        return packaged()
    files = session.files()
    return read_catalog(files, may_be_empty=may_be_empty)


def loaded(files: WorkspaceFiles, selection: Selection) -> ParsedDescription:
    """The description alone, with the origin of every value.

    Raises:
        DescriptionError, UnknownNameError, OrderError, ExceptionGroup: everything that is wrong in it.
    """
    from cluster_forge.stages.describe.read_description import read_description

    _see_to_it(files)
    return read_description(files, selection)


def _see_to_it(files: WorkspaceFiles) -> None:
    if files.read(DESCRIPTION) is None:
        raise no_description(files)


def no_description(files: WorkspaceFiles) -> DescriptionError:
    """There is no description where it should be; where one lies beside that, it is what was meant."""
    fix = "run `cluster-forge init`, or name the workspace with -C: the folder that holds input/"
    if files.read("config.yaml") is not None:
        fix = "the workspace is the folder above the one with config.yaml, and that has to be called input: -C .."
    elif files.read("input/config.yml") is not None:
        fix = "rename input/config.yml to input/config.yaml"
    return DescriptionError("there is no input/config.yaml", where=files.root, fix=fix)


def components_json(parts: Iterable[Part], reused: Collection[ComponentName]) -> list[dict[str, Any]]:
    return [
        {
            "name": part.name,
            "version": part.version,
            "namespace": part.namespace,
            "wave": part.wave,
            "objects": len(part.objects),
            "reused": part.name in reused,
        }
        for part in parts
    ]


def smelted_json(stack: Stack, smelted: SmeltResult) -> Mapping[str, Any]:
    return {
        "stack": stack.name,
        "components": components_json(smelted.record.parts, smelted.reused),
        "objects": smelted.objects,
        "findings": [finding_json(each) for each in smelted.findings],
        "changes": changes_text.json(smelted.changes),
    }


def counted(findings: Iterable[Finding]) -> str:
    """``2 errors, 1 warning, 3 notices``, or nothing."""
    found = list(findings)
    counts = [(severity, sum(each.severity is severity for each in found)) for severity in Severity]
    return ", ".join(names.counted(number, severity) for severity, number in counts if number)


def size(number: int) -> str:
    """``12 B``, ``3.4 kB``, ``5.6 MB``."""
    if number < 1000:
        return f"{number} B"
    return f"{number / 1000:.1f} kB" if number < 1_000_000 else f"{number / 1_000_000:.1f} MB"
