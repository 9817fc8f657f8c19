"""What the stages that deliver work with: a cluster, a cast stack, the machine, the values of Secrets."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.composition.folders import workspace_files
from cluster_forge.composition.rendering import reader, small_reader
from cluster_forge.composition.settings import Settings
from cluster_forge.foundation.errors import ForgeError, OfflineError
from cluster_forge.ports.git import Repositories
from cluster_forge.ports.progress import DeliveryReporter
from cluster_forge.ports.rendering import YamlReader
from cluster_forge.service_options import ClusterOptions

if TYPE_CHECKING:
    from cluster_forge.adapters.kubernetes.api_server import ApiServer
    from cluster_forge.ports.machine import Machine
    from cluster_forge.stages.deliver.tools import DeliverTools, Rules

_REQUESTS = 6
"""Requests to an API server at once: more make it no faster, and take shares from others (API Priority and Fairness)."""
_WAITERS = 512
"""Threads that wait, one for each component of a delivery; more components wait for their turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackReaders:
    """What reads the objects of a cast stack."""

    repositories: Repositories
    reader: YamlReader


def stack_readers(settings: Settings) -> StackReaders:
    """The adapters for a command that reads cast stacks, and needs no store."""
    return StackReaders(repositories=repositories(settings), reader=reader())


def repositories(settings: Settings) -> Repositories:
    """Bare repositories, for reading."""
    from cluster_forge.adapters.git.bare_repositories import BareRepositories
    from cluster_forge.adapters.storage.cache import NoCache

    return BareRepositories(ThreadWorkers(settings.jobs), NoCache())


def cluster(settings: Settings, options: ClusterOptions) -> ApiServer:
    """The cluster that kubectl would use with these options. Nothing is asked of it yet.

    Raises:
        OfflineError: under ``--offline``.
        KubeconfigError, ExceptionGroup: for everything in the kubeconfig that cannot be used.
    """
    from cluster_forge.adapters.kubernetes import kubeconfig
    from cluster_forge.adapters.kubernetes.api_server import ApiServer
    from cluster_forge.adapters.kubernetes.credentials import Credentials
    from cluster_forge.adapters.kubernetes.transport import Transport

    if settings.network.offline:
        raise OfflineError("--offline: the command needs a cluster", fix="run it without --offline")
    access = kubeconfig.find(
        reader(), file=options.kubeconfig or "", context=options.context or "", environment=os.environ
    )
    return ApiServer(Transport(access, Credentials(access, os.environ)))


def delivery(settings: Settings, options: ClusterOptions, reporter: DeliveryReporter) -> DeliverTools:
    """What the stages that deliver work with.

    Raises:
        OfflineError, KubeconfigError, ExceptionGroup: as `cluster`.
        WorkspaceError: if the workspace does not exist.
    """
    from cluster_forge.adapters import allocator
    from cluster_forge.adapters.clock import SystemClock
    from cluster_forge.adapters.yaml.lazy import LazyYaml
    from cluster_forge.stages.deliver.tools import DeliverTools

    allocator.share_heap()
    return DeliverTools(
        cluster=cluster(settings, options),
        files=workspace_files(settings.workspace),
        reader=LazyYaml(small_reader),
        clock=SystemClock(),
        workers=ThreadWorkers(_REQUESTS),
        waiters=ThreadWorkers(_WAITERS),
        reporter=reporter,
        rules=cache(partial(_rules, settings.workspace)),
    )


def _rules(workspace: Path) -> Rules:
    """What the catalog says of custom resources: the packaged one, and the user's own ones.

    A catalog that cannot be read ends no deployment or rollback: the verbs that build with it name its errors.
    """
    from cluster_forge.catalog import readiness_index
    from cluster_forge.stack import name_scan
    from cluster_forge.stack.input_files import InputFiles
    from cluster_forge.stages.describe.read_description import read_catalog

    files = workspace_files(workspace)
    with suppress(ForgeError, ExceptionGroup):
        description, _ = name_scan.merged(InputFiles(files.read, files.list_files))
        if description.strings("catalogs"):
            return read_catalog(files, may_be_empty=True).readiness
    return readiness_index.packaged()


def machine() -> Machine:
    """The machine that this process runs on."""
    from cluster_forge.adapters.machine import LocalMachine

    return LocalMachine()


def secret_text(source: str) -> str:
    """The values of Secrets in a file that is encrypted with age or SOPS, or on stdin (``-``).

    Raises:
        CredentialError, MissingProgramError: if they cannot be read.
    """
    from cluster_forge.adapters import secret_files

    return secret_files.read(source, os.environ)
