"""A real API server takes what Cluster-Forge itself adds to a stack: the bootstrap's objects and the Applications."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml
from tests.corpus.conftest import Silent, Workspaces
from tests.e2e import program
from tests.e2e.api_server import ApiServer

from cluster_forge.adapters.git.bare_repositories import BareRepositories
from cluster_forge.adapters.storage.cache import NoCache
from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.stages.build.cast import CastRequest, cast

pytestmark = pytest.mark.e2e
TIME = 1_700_000_000
WRITTEN = {"Application", "AppProject", "Deployment", "Service"}


@pytest.mark.parametrize("size", ["small", "large"])
def test_the_server_takes_what_installs_argo_cd_and_serves_the_repository(
    workspaces: Workspaces, api_server: ApiServer, size: str
) -> None:
    _, _, minor = program.kubernetes()
    forged = workspaces.forge(workspaces.begin("gitops", size=size, minor=minor, domain="example.com"))
    request = CastRequest(stack=forged.stack, inputs=forged.smelted.record.inputs, time=TIME, smelted=forged.smelted)
    with workspaces.services(forged.folder) as services:
        result = cast(request, services.toolbox, BareRepositories(services.toolbox.workers, NoCache()), Silent())
    assert result.delivery is Delivery.INSTALL
    bootstrap = list(objects(forged.folder / result.folder / "bootstrap"))
    assert {manifest.id.kind for manifest in bootstrap} >= WRITTEN
    applications = list(objects(forged.folder / "working" / "argo-apps"))
    assert {manifest.id.name for manifest in applications} > {
        f"{forged.stack.name}.{part.name}" for part in forged.smelted.record.parts if part.objects
    }
    refusals = api_server.refusals([*bootstrap, *applications])
    assert not refusals, "\n".join(map(str, refusals))


def objects(folder: Path) -> Iterable[Manifest]:
    """The objects in the files of a folder, whose names stand where those of components do."""
    for path in sorted(folder.rglob("*.yaml")):
        provenance = Provenance(component=ComponentName(folder.name), origin=path.relative_to(folder).as_posix())
        for body in yaml.load_all(path.read_bytes(), yaml.CSafeLoader):
            yield Manifest.of(body, provenance)
