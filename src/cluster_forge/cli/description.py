"""Loading the description and the catalog of a workspace for a verb."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cluster_forge import composition
from cluster_forge.foundation.errors import DescriptionError, UnknownNameError
from cluster_forge.stack.input_record import DESCRIPTION, InputSource
from cluster_forge.stack.lock import FILE
from cluster_forge.stages.describe.load_description import load_description

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cluster_forge.catalog.library import Library
    from cluster_forge.cli.session import Session
    from cluster_forge.composition import Services
    from cluster_forge.foundation.names import ComponentName
    from cluster_forge.ports.workspace import Workspace
    from cluster_forge.stack.model import Stack
    from cluster_forge.stack.parse import ParsedDescription
    from cluster_forge.stack.registry_settings import RegistrySettings
    from cluster_forge.stack.selection import Selection
    from cluster_forge.stages.describe.load_description import Description
    from cluster_forge.stages.supply.locked_stack import LockedStack


def load(services: Services, selection: Selection) -> Description:
    """The description and the lock, from the cache if no file has changed. What it says about hosts holds from now on.

    Raises:
        DescriptionError, UnknownNameError, OrderError, LockError, ExceptionGroup: every error in them.
    """
    content(services.files, services.files.root)
    description = load_description(services.files, selection, services.toolbox.cache, services.toolbox.store)
    services.use_registries(description.stack.registries)
    return description


def load_mined(services: Services, selection: Selection, *, update: bool = False) -> Description:
    """The same, after catalogs elsewhere were fetched and locked where that is missing; ``update``: all of them again.

    Raises:
        FetchError, OfflineError, ExceptionGroup: as for `load`, and for each catalog that cannot be fetched.
    """
    try:
        description = load(services, selection)
    except (DescriptionError, UnknownNameError, ExceptionGroup):
        if not _mine_catalogs(services, selection, update=update):
            raise
    else:
        has_catalogs = update or bool(description.lock.catalogs)
        if not has_catalogs or not _mine_catalogs(services, selection, update=update):
            return description
    return load(services, selection)


def _mine_catalogs(services: Services, selection: Selection, *, update: bool) -> bool:
    """Fetch and lock the catalogs in Git and registries, with what the description says about hosts; False if there are none, now or in the lock."""
    from cluster_forge.stack import lock_file, name_scan, settings
    from cluster_forge.stack.catalog_addresses import is_fetched
    from cluster_forge.stack.input_files import InputFiles
    from cluster_forge.stages.describe.load_description import load_lock
    from cluster_forge.stages.describe.locked_catalogs import mined_catalogs

    files = services.files
    lock = load_lock(files, services.toolbox.cache)
    description, _ = name_scan.merged(InputFiles(files.read, files.list_files), selection.environment)
    if any(is_fetched(str(named.content)) for named in description.strings("catalogs")):
        services.use_registries(settings.registries(description, []))
    catalogs = mined_catalogs(description, lock, services.sources, update=update)
    after = replace(lock, catalogs=catalogs)
    if after != lock:
        files.write(FILE, lock_file.emit(after).encode())
    return bool(catalogs or lock.catalogs)


def described_files(session: Session) -> InputSource:
    """The files that the description consists of, with the fetched catalogs as locked.

    Raises:
        WorkspaceError: if the folder does not exist.
        LockError, ExceptionGroup: all errors in the lock.
    """
    files = composition.workspace_files(session.workspace)
    content = files.read(FILE)
    if content is None or b"\ncatalogs:" not in content:
        return files
    from cluster_forge.stack import lock_file
    from cluster_forge.stages.describe.locked_catalogs import LockedCatalogs

    return LockedCatalogs(files, lock_file.parse(content.decode(errors="replace")), composition.store_of(session.store))


def locked_stack(services: Services, selection: Selection) -> LockedStack:
    """The stack with its lock.

    Raises:
        DescriptionError, UnknownNameError, OrderError, LockError, ExceptionGroup: as for `load`.
    """
    from cluster_forge.stages.supply.locked_stack import LockedStack

    description = load(services, selection)
    return LockedStack(stack=description.stack, lock=description.lock)


def catalog_of(session: Session, *, may_be_empty: bool = False) -> Library:
    """The packaged catalog; in a workspace with the user's own catalogs over it.

    Raises:
        DescriptionError, ExceptionGroup: for a catalog that the description names and that does not exist, unless it
            ``may_be_empty``.
    """
    from cluster_forge.catalog.library import packaged
    from cluster_forge.stages.describe.read_description import read_catalog

    if not (session.workspace / "input").is_dir():
        return packaged()
    return read_catalog(described_files(session), may_be_empty=may_be_empty)


def parsed(session: Session) -> ParsedDescription:
    """The description alone, with the origin of every value.

    Raises:
        DescriptionError, UnknownNameError, OrderError, ExceptionGroup: every error in it.
    """
    from cluster_forge.stages.describe.read_description import read_description

    files = composition.workspace_files(session.workspace)
    content(files, files.root)
    return read_description(described_files(session), session.selection)


def registries(session: Session) -> Sequence[RegistrySettings]:
    """What the description says about hosts; nothing where there is no description.

    Raises:
        DescriptionError, UnknownNameError, OrderError, ExceptionGroup: every error in it.
    """
    return parsed(session).stack.registries if (session.workspace / DESCRIPTION).is_file() else ()


def stack_if_any(session: Session, environment: str = "") -> Stack | None:
    """The stack of the workspace in an environment; None outside of a workspace.

    Raises:
        DescriptionError, UnknownNameError, OrderError, ExceptionGroup: every error in the description.
    """
    from cluster_forge.stack.selection import Selection

    if not (session.workspace / DESCRIPTION).is_file():
        return None
    chosen = Selection(environment=environment or None)
    return parsed(replace(session, selection=replace(chosen, given=session.selection.given))).stack


def content(files: Workspace, workspace: str) -> bytes:
    """The file with the description; ``workspace`` is what an error calls its folder.

    Raises:
        DescriptionError: if there is none; the fix names a file that was probably meant.
    """
    text = files.read(DESCRIPTION)
    if text is not None:
        return text
    fix = "run `cluster-forge init`, or name the workspace, the folder that holds input/: -C WORKSPACE"
    if files.read("config.yaml") is not None:
        fix = "the folder with config.yaml must be called input, and its parent is the workspace: -C .."
    elif files.read("input/config.yml") is not None:
        fix = "rename input/config.yml to input/config.yaml"
    raise DescriptionError("there is no input/config.yaml", where=workspace, fix=fix)


def value_places(
    session: Session, parsed: ParsedDescription
) -> Callable[[ComponentName], Mapping[tuple[str, ...], str]]:
    """Reads where the values of a component are written; the description has no errors by now."""

    def of(component: ComponentName) -> Mapping[tuple[str, ...], str]:
        from cluster_forge.stack import component_builder
        from cluster_forge.stack.input_files import InputFiles

        source = described_files(session)
        files = InputFiles(source.read, source.list_files)
        return component_builder.value_places(parsed.layered[component], parsed.stack.target.size, files)

    return of
