"""The packaged catalog's components, made from the mirror in this process: what the tests of the catalog look at."""

from __future__ import annotations

from pathlib import Path

from cluster_forge.adapters import charts
from cluster_forge.adapters.downloads.local import NoDownloads
from cluster_forge.adapters.helm_engine import HelmEngineInProcess
from cluster_forge.adapters.makers import DirectMaker
from cluster_forge.adapters.mirrors import Mirror
from cluster_forge.adapters.sources import ChartSources
from cluster_forge.adapters.stack_files import WorkspaceFiles
from cluster_forge.adapters.store import FolderStore
from cluster_forge.adapters.yaml_fast import FastYaml
from cluster_forge.adapters.yaml_go import GoYaml
from cluster_forge.adapters.yaml_python import PythonYaml
from cluster_forge.catalog.company import Companies
from cluster_forge.catalog.library import packaged
from cluster_forge.stages.trials import Trials


def trials(shared: Path, folder: Path) -> Trials:
    """The catalog's components from ``shared``/mirror; ``folder`` is for what is kept of it."""
    engine = HelmEngineInProcess()
    store = FolderStore(folder / "store")
    sources = ChartSources(
        store=store,
        mirrors=[Mirror(shared / "mirror")],
        downloads=NoDownloads(),
        charts=charts,
        newest_in_range=engine.newest_in_range,
        files=WorkspaceFiles(folder),
    )
    reader = FastYaml(GoYaml(PythonYaml()))
    return Trials(Companies(packaged()), sources, store, DirectMaker(engine, reader), charts, reader)
