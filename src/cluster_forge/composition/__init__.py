"""From settings to adapters: the one place that constructs them."""

from cluster_forge.composition.clusters import (
    StackReaders,
    cluster,
    delivery,
    machine,
    repositories,
    secret_text,
    stack_readers,
)
from cluster_forge.composition.folders import (
    append_history,
    clean_store,
    output_folder,
    run_log,
    store_of,
    store_root,
    stored_kinds,
    workspace_files,
)
from cluster_forge.composition.network import (
    Registries,
    credential_keeper,
    credentials,
    logins,
    registries,
    remote_repositories,
)
from cluster_forge.composition.plugins import (
    allow_functions,
    allowed_functions,
    forget_functions,
    installed_plugins,
)
from cluster_forge.composition.rendering import engine_version, serve
from cluster_forge.composition.settings import Settings
from cluster_forge.composition.sources import mirror_writer, remote_files
from cluster_forge.composition.stage_services import Services, services, trial_renderer, workers

__all__ = [
    "Registries",
    "Services",
    "Settings",
    "StackReaders",
    "allow_functions",
    "allowed_functions",
    "append_history",
    "clean_store",
    "cluster",
    "credential_keeper",
    "credentials",
    "delivery",
    "engine_version",
    "forget_functions",
    "installed_plugins",
    "logins",
    "machine",
    "mirror_writer",
    "output_folder",
    "registries",
    "remote_files",
    "remote_repositories",
    "repositories",
    "run_log",
    "secret_text",
    "serve",
    "services",
    "stack_readers",
    "store_of",
    "store_root",
    "stored_kinds",
    "trial_renderer",
    "workers",
    "workspace_files",
]
